//! The shared database: what it needs of its server, and what is said when it cannot be used.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::conformance::conforms;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::pat;
use super::sample::tenant;
use super::sample::with_tenants;
use super::server;
use super::server::Database;
use crate::iam::AccountKind;
use crate::iam::port::Fault;
use crate::iam::port::Mutation;
use crate::iam::port::Records as _;
use crate::iam::port::RecordsError;
use crate::store::Error;
use crate::store::PostgresConfig;
use crate::store::Store;
use crate::store::query::query;

pub(super) async fn open(database: &Database) -> Store {
    Store::open_postgres(&config(&database.url()))
        .await
        .unwrap()
}

fn config(url: &str) -> PostgresConfig {
    PostgresConfig {
        // The machine may be busy with other tests.
        connect_timeout: Duration::from_secs(30),
        query_timeout: Duration::from_secs(30),
        ..PostgresConfig::new(url.parse().unwrap())
    }
}

async fn fault_of_opening(config: &PostgresConfig) -> Fault {
    match Store::open_postgres(config).await {
        Err(Error::Unusable { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    if server::database().await.is_none() {
        return;
    }
    // Each check has a store of its own, whose connections would add up to more than the server takes.
    let last: Mutex<Option<Arc<Store>>> = Mutex::new(None);
    conforms(|| async {
        if let Some(store) = last.lock().await.take() {
            store.close().await;
        }
        let store = Arc::new(open(&server::database().await.unwrap()).await);
        *last.lock().await = Some(Arc::clone(&store));
        store
    })
    .await;
}

#[tokio::test]
async fn audit_trail_is_append_only() {
    let Some(database) = server::database().await else {
        return;
    };
    let store = open(&database).await;
    apply(&store, Mutation::CreateTenant(tenant("pca")))
        .await
        .unwrap();
    for sql in [
        "UPDATE audit SET body = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
    ] {
        let refused = query(sql).execute(&store.writer).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{sql}");
    }
}

#[tokio::test]
async fn database_of_a_newer_version_is_refused() {
    let Some(database) = server::database().await else {
        return;
    };
    open(&database).await.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'later', TRUE, '', 0)";
    database.execute(newer).await;
    assert!(matches!(
        Store::open_postgres(&config(&database.url())).await,
        Err(Error::Newer { schema: 9999, .. })
    ));
}

#[tokio::test]
async fn read_only_database_is_named() {
    let Some(database) = server::database().await else {
        return;
    };
    open(&database).await.close().await;
    let name = database.name();
    let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    database.execute(&sql).await;
    assert_eq!(
        fault_of_opening(&config(&database.url())).await,
        Fault::ReadOnly
    );
}

#[tokio::test]
async fn server_that_is_not_there_is_told_from_one_that_is_busy() {
    // Nothing listens on the port for TCP multiplexing.
    let nobody = config("postgres://tollgate@127.0.0.1:1/tollgate");
    assert_eq!(fault_of_opening(&nobody).await, Fault::Other);
}

#[tokio::test]
async fn writer_that_stops_holds_nobody_up_for_long() {
    let Some(database) = server::database().await else {
        return;
    };
    let patient = open(&database).await;
    let mut hasty = config(&database.url());
    hasty.query_timeout = Duration::from_secs(1);
    let hasty = Store::open_postgres(&hasty).await.unwrap();
    // A node that hangs in the middle of a change: the others are told, and when the server has ended it, go on.
    let hung = patient.begin().await.unwrap();
    let refused = apply(&hasty, Mutation::CreateTenant(tenant("pca"))).await;
    assert_eq!(refused, Err(RecordsError::Unavailable(Fault::Busy)));
    database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND state = 'idle in transaction'",
        )
        .await;
    apply(&hasty, Mutation::CreateTenant(tenant("pca")))
        .await
        .unwrap();
    assert!(hung.commit().await.is_err());
}

#[tokio::test]
async fn connection_lost_in_the_middle_leaves_neither_account_nor_token() {
    let Some(database) = server::database().await else {
        return;
    };
    let store = open(&database).await;
    with_tenants(&store).await;
    database
        .execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
             CREATE TRIGGER dying BEFORE INSERT ON pats EXECUTE FUNCTION die()",
        )
        .await;
    let export = account("pca", "export", AccountKind::Machine);
    let made = apply(&store, creation(&export, Some(pat(&export, "first")))).await;
    assert!(
        matches!(made, Err(RecordsError::Unavailable(_))),
        "{made:?}"
    );
    assert_eq!(store.account(&export.tenant, export.id).await, Ok(None));
    assert_eq!(database.number("SELECT count(*) FROM pats").await, 0);

    database.execute("DROP TRIGGER dying ON pats").await;
    apply(&store, creation(&export, Some(pat(&export, "first"))))
        .await
        .unwrap();
    assert_eq!(
        store.pats(&export.tenant, export.id).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn server_must_show_a_certificate_of_the_right_authority() {
    let Some(database) = server::database().await else {
        return;
    };
    let plain = database.url();
    let trusted = format!(
        "{plain}?sslmode=verify-full&sslrootcert={}",
        database.certificate().display()
    );
    let store = Store::open_postgres(&config(&trusted)).await.unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE ssl AND datname = current_database()";
    assert!(database.number(encrypted).await > 0);
    store.close().await;

    // No public authority has signed it.
    let unknown = config(&format!("{plain}?sslmode=verify-full"));
    assert_eq!(fault_of_opening(&unknown).await, Fault::Other);
    let elsewhere = config(&trusted.replace("127.0.0.1", "localhost"));
    assert_eq!(fault_of_opening(&elsewhere).await, Fault::Other);
}

#[tokio::test]
async fn password_comes_from_its_file_and_is_never_shown() {
    let Some(database) = server::database().await else {
        return;
    };
    let name = database.name();
    // Users belong to the server, which other tests use, too.
    let sql = format!(
        "DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'hunter2'; ALTER DATABASE {name} OWNER TO guarded"
    );
    database.execute(&sql).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let mut config = config(&database.url_for("guarded"));
    config.password_file = Some(file.clone());
    assert!(matches!(
        Store::open_postgres(&config).await,
        Err(Error::File { .. })
    ));
    std::fs::write(&file, "hunter3\n").unwrap();
    let refused = Store::open_postgres(&config).await.unwrap_err();
    std::fs::write(&file, "hunter2\n").unwrap();
    let store = Store::open_postgres(&config).await.unwrap();
    let shown = format!("{refused} {refused:?} {config:?} {store:?}");
    assert!(!shown.contains("hunter"), "{shown}");
}

#[tokio::test]
async fn database_without_unicode_is_refused() {
    let Some(database) = server::database().await else {
        return;
    };
    let name = format!("{}_latin", database.name());
    let sql = format!("CREATE DATABASE {name} ENCODING LATIN1 TEMPLATE template0");
    database.execute(&sql).await;
    let url = database.url().replace(database.name(), &name);
    assert!(matches!(
        Store::open_postgres(&config(&url)).await,
        Err(Error::Encoding { .. })
    ));
}
