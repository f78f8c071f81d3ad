//! Where a shared store is, and how it is spoken to.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgSslMode;

/// How to reach a shared store, and what to expect of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresConfig {
    /// The database.
    pub url: PostgresUrl,
    /// File with the password of the URL's user. Without it, libpq's `PGPASSWORD` and password file count.
    pub password_file: Option<PathBuf>,
    /// Connections for reading. Each process has three more: two to write, one for notifications.
    pub connections: u32,
    /// How long a statement waits for a connection.
    pub connect_timeout: Duration,
    /// How long a statement, or the wait for another writer, may take.
    pub query_timeout: Duration,
}

/// The address of a PostgreSQL database, without a password, so that it may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// Why a text is no address of a shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Something else, or one that says less than it must.
    #[error("not of the form postgres://user@host:5432/database")]
    Form,
    /// What can be seen in a list of settings is no secret.
    #[error("contains a password, which belongs into a file of its own")]
    Password,
    /// Not one of the few.
    #[error("has a parameter other than sslmode, sslrootcert, sslcert, sslkey, host")]
    Parameter,
    /// `allow` and `prefer` fall back to plain text without a word.
    #[error("has an sslmode other than disable, require, verify-ca, verify-full")]
    SslMode,
}

impl PostgresConfig {
    /// The default limits for a database.
    pub const fn new(url: PostgresUrl) -> Self {
        Self {
            url,
            password_file: None,
            connections: Self::CONNECTIONS,
            connect_timeout: Self::CONNECT_TIMEOUT,
            query_timeout: Self::QUERY_TIMEOUT,
        }
    }

    /// Enough to keep a few cores of the server busy; ten nodes stay below the 100 connections that it allows by default.
    pub const CONNECTIONS: u32 = 5;

    /// A login waits no longer than a person would.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

    /// No statement of this program takes milliseconds; what takes seconds does not come back.
    pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
}

impl PostgresUrl {
    /// What the driver makes of it.
    pub(super) fn options(&self) -> Result<PgConnectOptions, UrlError> {
        let options = PgConnectOptions::from_str(&self.0).map_err(|_| UrlError::Form)?;
        if parameters(&self.0).any(|(name, _)| name == "sslmode") {
            return Ok(options);
        }
        // Nobody listens in on this machine; anywhere else the server must prove who it is.
        let host = options.get_host();
        let is_local = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|ip: IpAddr| ip.is_loopback());
        Ok(options.ssl_mode(if is_local {
            PgSslMode::Disable
        } else {
            PgSslMode::VerifyFull
        }))
    }
}

impl FromStr for PostgresUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))
            .ok_or(UrlError::Form)?;
        let (place, _) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').ok_or(UrlError::Form)?;
        let (user, _) = authority.rsplit_once('@').ok_or(UrlError::Form)?;
        if user.contains(':') || parameters(text).any(|(name, _)| name == "password") {
            return Err(UrlError::Password);
        }
        let is_plain = |c: char| c.is_ascii_graphic() && c != '#';
        if user.is_empty() || database.is_empty() || !text.chars().all(is_plain) {
            return Err(UrlError::Form);
        }
        for (name, value) in parameters(text) {
            match name {
                "sslmode" if !SSL_MODES.contains(&value) => return Err(UrlError::SslMode),
                "sslmode" | "sslrootcert" | "sslcert" | "sslkey" | "host" => {}
                _ => return Err(UrlError::Parameter),
            }
        }
        let url = Self(text.to_owned());
        url.options().map(|_| url)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let (_, query) = url.split_once('?').unwrap_or((url, ""));
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
}

const SSL_MODES: [&str; 4] = ["disable", "require", "verify-ca", "verify-full"];

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> PgSslMode {
        let url: PostgresUrl = url.parse().unwrap();
        url.options().unwrap().get_ssl_mode()
    }

    #[test]
    fn server_proves_who_it_is_unless_it_is_this_machine() {
        for url in [
            "postgres://tg@db.example.com/tollgate",
            "postgresql://tg@192.0.2.1:5433/tollgate",
        ] {
            assert!(matches!(mode(url), PgSslMode::VerifyFull), "{url}");
        }
        for url in [
            "postgres://tg@localhost/tollgate",
            "postgres://tg@127.0.0.1:5433/tollgate",
            "postgres://tg@[::1]/tollgate",
            "postgres://tg@localhost/tollgate?host=/run/postgresql",
        ] {
            assert!(matches!(mode(url), PgSslMode::Disable), "{url}");
        }
        let chosen = "postgres://tg@db.example.com/tollgate?sslmode=require";
        assert!(matches!(mode(chosen), PgSslMode::Require));
    }

    #[test]
    fn url_has_no_password_and_no_surprises() {
        let refused = |url: &str| url.parse::<PostgresUrl>().unwrap_err();
        for url in [
            "postgres://tg:hunter2@db.example.com/tollgate",
            "postgres://tg:@db.example.com/tollgate",
            "postgres://tg@db.example.com/tollgate?password=hunter2",
        ] {
            assert_eq!(refused(url), UrlError::Password, "{url}");
        }
        for url in [
            "",
            "sqlite://tollgate.db",
            "postgres://",
            "postgres://tg@db.example.com",
            "postgres://tg@db.example.com/",
            "postgres://db.example.com/tollgate",
            "postgres://tg@db.example.com:port/tollgate",
            "postgres://tg@db.example.com/tollgate#x",
        ] {
            assert_eq!(refused(url), UrlError::Form, "{url}");
        }
        let url = |query: &str| format!("postgres://tg@db.example.com/tollgate?{query}");
        assert_eq!(refused(&url("sslmode=prefer")), UrlError::SslMode);
        assert_eq!(refused(&url("sslmode")), UrlError::SslMode);
        assert_eq!(refused(&url("options=-c%20x")), UrlError::Parameter);
    }
}
