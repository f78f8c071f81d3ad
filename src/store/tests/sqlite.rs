//! The file: its mode, its durability, and what is said when it cannot be used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use super::conformance::conforms;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::tenant;
use crate::audit::VerifyError;
use crate::audit::verify_all;
use crate::iam::AccountKind;
use crate::iam::port::Fault;
use crate::iam::port::Mutation;
use crate::iam::port::Records as _;
use crate::iam::port::RecordsError;
use crate::store::Error;
use crate::store::Store;
use crate::store::query::query;
use crate::store::rows::Columns;

async fn fault_of_opening(path: &Path) -> Fault {
    match Store::open_sqlite(path).await {
        Err(Error::Unusable { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicU32::new(0);
    let empty = || async {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = folder.path().join(format!("{number}.db"));
        Arc::new(Store::open_sqlite(&path).await.unwrap())
    };
    conforms(empty).await;
}

#[tokio::test]
async fn file_is_for_its_owner_and_writes_are_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    apply(&store, Mutation::CreateTenant(tenant("pca")))
        .await
        .unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
    let pragma = async |sql: &'static str| -> String {
        let row = query(sql).fetch_one(&store.writer).await.unwrap();
        Columns::of(&row).next().unwrap()
    };
    assert_eq!(pragma("PRAGMA journal_mode").await, "wal");
    let full = query("PRAGMA synchronous").fetch_one(&store.writer);
    let full: i64 = Columns::of(&full.await.unwrap()).next().unwrap();
    assert_eq!(full, 2);

    // As after a kill: the file is copied while it is open, with what is not yet merged into it.
    let copy = tempfile::tempdir().unwrap();
    for name in ["tollgate.db", "tollgate.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let revived = Store::open_sqlite(&copy.path().join("tollgate.db"))
        .await
        .unwrap();
    assert_eq!(revived.tenants().await.unwrap(), [tenant("pca")]);
}

#[tokio::test]
async fn corrupt_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    fs::write(
        &path,
        "this is no database, but long enough to be looked at".repeat(100),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(fault_of_opening(&path).await, Fault::Corrupt);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn file_with_a_damaged_page_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    apply(&store, Mutation::CreateTenant(tenant("pca")))
        .await
        .unwrap();
    store.close().await;
    let mut bytes = fs::read(&path).unwrap();
    let from = bytes.len() / 4;
    bytes[from..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert_eq!(fault_of_opening(&path).await, Fault::Corrupt);
}

#[tokio::test]
async fn folder_in_the_files_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open_sqlite(folder.path()).await,
        Err(Error::File { .. })
    ));
}

#[tokio::test]
async fn file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'later', TRUE, x'00', 0)";
    query(newer).execute(&store.writer).await.unwrap();
    store.close().await;
    assert!(matches!(
        Store::open_sqlite(&path).await,
        Err(Error::Newer { schema: 9999, .. })
    ));
}

#[tokio::test]
async fn full_disk_is_named_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    apply(&store, Mutation::CreateTenant(tenant("pca")))
        .await
        .unwrap();
    query("PRAGMA max_page_count = 1")
        .execute(&store.writer)
        .await
        .unwrap();
    let mut created = 0;
    let refused = loop {
        let next = account("pca", &format!("a{created}"), AccountKind::Machine);
        match apply(&store, creation(&next, None)).await {
            Ok(_) => created += 1,
            Err(error) => break error,
        }
        assert!(created < 10_000);
    };
    assert_eq!(refused, RecordsError::Unavailable(Fault::Full));
    let pca = tenant("pca").id;
    for number in 0..created {
        let found = store
            .account_named(&pca, &format!("a{number}"))
            .await
            .unwrap();
        assert!(found.is_some(), "{number}");
    }
}

#[tokio::test]
async fn read_only_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("tollgate.db"))
        .await
        .unwrap();
    query("PRAGMA query_only = ON")
        .execute(&store.writer)
        .await
        .unwrap();
    let refused = apply(&store, Mutation::CreateTenant(tenant("pca"))).await;
    assert_eq!(refused, Err(RecordsError::Unavailable(Fault::ReadOnly)));
}

#[tokio::test]
async fn audit_trail_is_append_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("tollgate.db"))
        .await
        .unwrap();
    apply(&store, Mutation::CreateTenant(tenant("pca")))
        .await
        .unwrap();
    for sql in ["UPDATE audit SET body = 'x'", "DELETE FROM audit"] {
        assert!(query(sql).execute(&store.writer).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn first_changed_event_of_the_trail_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("tollgate.db"))
        .await
        .unwrap();
    for id in ["a", "b", "c"] {
        apply(&store, Mutation::CreateTenant(tenant(id)))
            .await
            .unwrap();
    }
    for sql in [
        "DROP TRIGGER audit_is_not_changed",
        "UPDATE audit SET body = '{}' WHERE seq >= 2",
    ] {
        query(sql).execute(&store.writer).await.unwrap();
    }
    let Err(VerifyError::Broken(entry)) = verify_all(&store).await else {
        panic!("changed events were taken for good");
    };
    assert_eq!((entry.seq, entry.body.as_str()), (2, "{}"));
}
