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
