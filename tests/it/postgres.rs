//! A real PostgreSQL for the tests of one binary. It is started when the first test asks for it, and ends with the binary.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::PgConnection;

/// A server that this binary has started.
pub(crate) struct Server {
    port: u16,
    home: PathBuf,
    databases: AtomicU32,
    /// Its standard input closes with this process, and the server ends.
    _owner: Child,
}

/// An empty database on it.
#[derive(Clone)]
pub(crate) struct Database {
    name: String,
    port: u16,
    home: PathBuf,
}

/// An empty database; `None` where there is no server, which the test's output says and CI does not forgive.
pub(crate) async fn database() -> Option<Database> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(start) {
        Ok(server) => Some(server.database().await),
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            let test = std::thread::current().name().unwrap_or("?").to_owned();
            // Not through the test harness, which keeps the output of tests that pass to itself.
            let _ = writeln!(std::io::stderr(), "test {test} skipped: {missing}");
            None
        }
    }
}

fn start() -> Result<Server, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres.sh");
    let mut owner = Command::new(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{script}: {error}"))?;
    let mut line = String::new();
    let stdout = owner.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let mut words = line.split_whitespace();
    if words.next() != Some("ready") {
        owner.wait().unwrap();
        return Err(format!("no PostgreSQL here: {}", line.trim()));
    }
    Ok(Server {
        port: words.next().unwrap().parse().unwrap(),
        home: words.next().unwrap().into(),
        databases: AtomicU32::new(0),
        _owner: owner,
    })
}

impl Server {
    async fn database(&self) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let made = Database {
            name: format!("test{number}"),
            port: self.port,
            home: self.home.clone(),
        };
        made.beside()
            // Of `template1` there may be no other user at that moment, and a busy server's own workers are some.
            .execute(&format!("CREATE DATABASE {} TEMPLATE template0", made.name))
            .await;
        made
    }
}

#[allow(dead_code, reason = "each test binary uses its part")]
impl Database {
    /// Its address, for the owner of everything, who needs no password.
    pub(crate) fn url(&self) -> String {
        self.url_for("tollgate")
    }

    /// Its address for another user. `guarded` needs a password.
    pub(crate) fn url_for(&self, user: &str) -> String {
        let Self { name, port, .. } = self;
        format!("postgres://{user}@127.0.0.1:{port}/{name}")
    }

    /// The certificate of the server, which is its own authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.home.join("cert.pem")
    }

    /// Its name on the server.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements beside the program under test.
    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The number that a statement answers with.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect().await;
        let sql = AssertSqlSafe(sql.to_owned());
        let number = sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        number
    }

    /// From now on nobody reaches it, and who has reached it is cut off.
    pub(crate) async fn shut(&self) {
        self.set_open(false).await;
        let sql = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        self.beside().number(&sql).await;
    }

    pub(crate) async fn reopen(&self) {
        self.set_open(true).await;
    }

    async fn set_open(&self, open: bool) {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {open}", self.name);
        self.beside().execute(&sql).await;
    }

    /// The database that is always there.
    fn beside(&self) -> Self {
        Self {
            name: "postgres".to_owned(),
            ..self.clone()
        }
    }

    async fn connect(&self) -> PgConnection {
        let url = self.url_for("tollgate") + "?sslmode=disable";
        PgConnection::connect(&url).await.unwrap()
    }
}
