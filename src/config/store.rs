//! `[store]`: where accounts are kept, alone or shared.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::PostgresConfig;

use super::Fault;
use super::section::Section;

/// Reads `[store]`: the data directory, and the shared database if there is one.
pub(super) fn store(section: &mut Section<'_, '_>) -> (PathBuf, Option<PostgresConfig>) {
    let data_dir = section.get(
        "data_dir",
        PathBuf::from(DATA_DIR),
        "Directory of the pepper, the certificates and, without `url`, the database.",
    );
    let url = section.optional(
        "url",
        "PostgreSQL database that gateways share, without a password: `postgres://user@host:5432/database?sslmode=verify-full&sslrootcert=/etc/tollgate/db-ca.pem`.",
    );
    let password_file: Option<PathBuf> = section.optional(
        "password_file",
        "File with the password of the URL's user. Without it `PGPASSWORD` counts, then `~/.pgpass`.",
    );
    let has_file = password_file.is_some();
    let limits = |default: PostgresConfig| PostgresConfig {
        password_file,
        ..default
    };
    let shared = shared(section, url.map(PostgresConfig::new).map(limits));
    if shared.is_none() && has_file {
        section.mistake("password_file", Fault::Needs("store.url"));
    }
    (data_dir, shared)
}

/// The limits are asked for in any case, so that they are known and documented.
fn shared(section: &mut Section<'_, '_>, config: Option<PostgresConfig>) -> Option<PostgresConfig> {
    let connections = section.count(
        "connections",
        PostgresConfig::CONNECTIONS,
        1..=1_000,
        "Connections to the shared database for reading. Three more are for writing and for notifications.",
    );
    let connect_timeout = section.duration(
        "connect_timeout",
        PostgresConfig::CONNECT_TIMEOUT,
        PATIENCE,
        "How long a statement waits for a connection to the shared database.",
    );
    let query_timeout = section.duration(
        "query_timeout",
        PostgresConfig::QUERY_TIMEOUT,
        PATIENCE,
        "How long a statement, or the wait for a writer on another node, may take there.",
    );
    config.map(|config| PostgresConfig {
        connections,
        connect_timeout,
        query_timeout,
        ..config
    })
}

/// Where the Filesystem Hierarchy Standard puts a program's state.
const DATA_DIR: &str = "/var/lib/tollgate";

const PATIENCE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::config::Sources;
    use crate::config::print_config;

    fn sources(text: &str) -> Sources {
        Sources::new().with_text("t.toml", text)
    }

    #[test]
    fn shared_store_is_named_by_its_url() {
        let settings = Settings::load(&sources("")).unwrap();
        assert_eq!(settings.shared_store, None);
        let sources = sources(
            "[store]\nurl = 'postgres://tg@db.example/tollgate'\npassword_file = '/run/pw'\nquery_timeout = '3s'",
        );
        let shared = Settings::load(&sources).unwrap().shared_store.unwrap();
        assert_eq!(shared.url.to_string(), "postgres://tg@db.example/tollgate");
        assert_eq!(shared.password_file, Some(PathBuf::from("/run/pw")));
        assert_eq!(shared.query_timeout, Duration::from_secs(3));
        assert_eq!(shared.connections, PostgresConfig::CONNECTIONS);
        let printed = print_config(&sources).unwrap();
        assert!(
            printed.contains("postgres://tg@db.example/tollgate"),
            "{printed}"
        );
    }

    #[test]
    fn password_in_the_url_is_refused_and_not_repeated() {
        let url = "postgres://tg:hunter2@db.example/tollgate";
        let in_file = sources(&format!("[store]\nurl = '{url}'"));
        let variable = ("TOLLGATE_STORE_URL".to_owned(), url.to_owned());
        let in_environment = Sources::new().with_environment([variable]);
        for sources in [in_file, in_environment] {
            let mistakes = Settings::load(&sources).unwrap_err().to_string();
            assert!(
                mistakes.ends_with(
                    "store.url: contains a password, which belongs into a file of its own"
                ),
                "{mistakes}"
            );
            assert!(!mistakes.contains("hunter2"));
        }
    }

    #[test]
    fn password_without_a_store_is_a_mistake() {
        let mistakes = Settings::load(&sources("[store]\npassword_file = '/run/pw'")).unwrap_err();
        assert_eq!(
            mistakes.to_string(),
            "t.toml:2: store.password_file: needs `store.url` too"
        );
    }
}
