//! What is stored is validated against the modules that are loaded now.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use serde_json::json;
use tollgate::app::Local;
use tollgate::audit::Actor;
use tollgate::audit::Event;
use tollgate::audit::Kind;
use tollgate::clock::Clock;
use tollgate::datastore::Datastore;
use tollgate::datastore::Edit;
use tollgate::datastore::Op;
use tollgate::datastore::port::Batch;
use tollgate::datastore::port::Content;
use tollgate::datastore::port::Entries;
use tollgate::datastore::port::Id;
use tollgate::datastore::port::Write;
use tollgate::iam;
use tollgate::iam::Caller;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::schema::Schema;
use tollgate::schema::Source;
use tollgate::schema::Step;

use crate::client::in_time;
use crate::process::Process;

const LIST: &str = "/Accedian-service-endpoint:service-endpoints/service-endpoint";

fn clock() -> Clock {
    Clock::fixed(Timestamp::parse_rfc3339("2026-06-01T12:00:00Z").unwrap())
}

/// A store with one tenant.
async fn open(folder: &Path) -> (Local, TenantId) {
    let local = Local::open(folder, None, iam::Config::default(), clock())
        .await
        .unwrap();
    let accounts = &local.identity.accounts;
    // The second time it is there.
    let _there = accounts.create_tenant(&Caller::operator(), "pca").await;
    (local, TenantId::new("pca"))
}

fn datastore(local: &Local, source: Source<'_>) -> Datastore {
    let schema = Arc::new(Schema::load(source).unwrap());
    Datastore::new(schema, Arc::new(local.store.clone()), clock())
}

async fn put(datastore: &Datastore, tenant: &TenantId, id: &str, entry: Value) {
    let schema = datastore.schema();
    let collection = schema
        .collection_named("Accedian-service-endpoint:service-endpoints")
        .unwrap();
    let step = |node, keys| Step { node, keys };
    let edit = Edit {
        target: vec![
            step(collection.container, Vec::new()),
            step(collection.list, vec![id.to_owned()]),
        ],
        op: Op::Replace(entry, None),
    };
    datastore
        .edit(tenant, &[edit], None, &event())
        .await
        .unwrap();
}

/// Endpoints `a` and `b` that have the same value in one leaf.
async fn put_two(datastore: &Datastore, tenant: &TenantId, leaf: &str, value: &str) {
    for id in ["a", "b"] {
        put(
            datastore,
            tenant,
            id,
            json!({ "endpoint-id": id, leaf: value }),
        )
        .await;
    }
}

/// The program's modules, with one text replaced by another.
fn modules(old: &str, new: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut is_changed = false;
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/yang/accedian")).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        is_changed |= text.contains(old);
        fs::write(folder.path().join(file.file_name()), text.replace(old, new)).unwrap();
    }
    assert!(is_changed, "{old} is in no module");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_entries_that_new_modules_refuse_are_told_and_kept() {
    let data = tempfile::tempdir().unwrap();
    let modules = refused_tomorrow(data.path()).await;
    let (local, tenant) = open(data.path()).await;
    let before = datastore(&local, Source::Embedded);
    let verified = before.verify(&tenant).await.unwrap();
    assert_eq!((verified.entries, verified.invalid), (3, 0));

    let now = datastore(&local, Source::Folder(modules.path()));
    let verified = now.verify(&tenant).await.unwrap();
    assert_eq!((verified.entries, verified.invalid), (3, 2));
    let told: Vec<_> = verified.faults.iter().map(|it| it.entry.clone()).collect();
    assert_eq!(told, [format!("{LIST}=a"), format!("{LIST}=b")]);
    let collection = now
        .schema()
        .collection_named("Accedian-service-endpoint:service-endpoints")
        .unwrap();
    let kept = now.page(&tenant, collection, None).await.unwrap();
    assert_eq!(kept.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_references_are_verified_across_entries() {
    let data = tempfile::tempdir().unwrap();
    let (local, tenant) = open(data.path()).await;
    let before = datastore(&local, Source::Embedded);
    put_two(&before, &tenant, "group-id", "g").await;
    // Written around the API: it refers to an endpoint that is not there, and the indexes do not know.
    let session = json!({
        "session-id": "s", "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [{ "endpoint-id": "a" }, { "endpoint-id": "gone" }],
    });
    let id = Id {
        collection: "Accedian-session:sessions".to_owned(),
        key: "s".to_owned(),
    };
    let content = Content {
        body: session.to_string(),
        initial_state: None,
        references: Vec::new(),
        uniques: Vec::new(),
    };
    let batch = Batch {
        writes: vec![Write {
            id,
            content: Some(content),
        }],
        ..Batch::default()
    };
    let at = clock().now();
    local
        .store
        .commit(&tenant, at, &batch, &event())
        .await
        .unwrap();

    let modules = modules("unique \"endpoint-name\"", "unique \"group-id\"");
    let now = datastore(&local, Source::Folder(modules.path()));
    let verified = now.verify(&tenant).await.unwrap();
    assert_eq!((verified.entries, verified.invalid), (3, 2));
    let why = |entry: &str| {
        let mut refused = verified.faults.iter();
        let refused = refused.find(|it| it.entry == entry);
        refused.and_then(|it| it.fault.app_tag.as_deref())
    };
    assert_eq!(why(&format!("{LIST}=b")), Some("data-not-unique"));
    let session = "/Accedian-session:sessions/session=s";
    assert_eq!(why(session), Some("instance-required"));
}

/// Endpoints whose descriptions are too short for the modules of the folder that is returned.
async fn refused_tomorrow(data: &Path) -> tempfile::TempDir {
    let (local, tenant) = open(data).await;
    let before = datastore(&local, Source::Embedded);
    put_two(&before, &tenant, "description", "d").await;
    put(&before, &tenant, "c", json!({ "endpoint-id": "c" })).await;
    local.store.close().await;
    let wide = "type string;\n        description\n          \"What people should know of it.";
    modules(wide, &wide.replace("string;", "string { length 2..9; }"))
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_says_after_its_start_what_new_modules_refuse() {
    let data = tempfile::tempdir().unwrap();
    let modules = refused_tomorrow(data.path()).await;
    let setting = format!("restconf.yang_dir={}", modules.path().display());
    let process = Process::start_with(data.path(), &[&setting]).await;
    in_time(async {
        while !process.log().contains("stored entries verified") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let log = process.log();
    let lines = log
        .lines()
        .filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let lines: Vec<_> = lines.map(|line| line["fields"].clone()).collect();
    let told = |message: &str| {
        let lines = lines.iter().filter(|it| it["message"] == message);
        lines.cloned().collect::<Vec<_>>()
    };
    let refused: Vec<_> = told("stored entry is refused");
    let entries: Vec<_> = refused.iter().map(|it| it["entry"].clone()).collect();
    assert_eq!(entries, [format!("{LIST}=a"), format!("{LIST}=b")]);
    let [summary] = &told("stored entries verified")[..] else {
        panic!("{log}");
    };
    assert_eq!(
        (&summary["entries"], &summary["invalid"]),
        (&json!(3), &json!(2))
    );
    assert!(
        process
            .metrics()
            .await
            .contains("tollgate_datastore_invalid_entries 2\n")
    );
}

fn verified_by_command(data: &Path, words: &[&str]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["admin", "--data-dir"])
        .arg(data)
        .args(words)
        .args(["datastore", "verify"])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn command_fails_with_what_new_modules_refuse() {
    let data = tempfile::tempdir().unwrap();
    let modules = refused_tomorrow(data.path()).await;
    let (is_good, out, _) = verified_by_command(data.path(), &["--json"]);
    let all = json!({ "state": "the modules take all that is stored", "tenants": 1, "entries": 3 });
    assert_eq!(
        (is_good, serde_json::from_str(&out).ok()),
        (true, Some(all))
    );

    let setting = format!("restconf.yang_dir={}", modules.path().display());
    let (is_good, out, why) = verified_by_command(data.path(), &["--set", &setting, "--json"]);
    assert!(!is_good);
    assert!(why.contains("2 of 3 stored entries are refused"), "{why}");
    let rows: Value = serde_json::from_str(&out).unwrap();
    let entry = format!("{LIST}=a");
    assert_eq!(
        (&rows[0]["tenant"], &rows[0]["entry"]),
        (&json!("pca"), &json!(entry))
    );
    assert_eq!(rows[0]["error"], "invalid-value", "{rows}");
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    let (_, out, _) = verified_by_command(data.path(), &["--set", &setting]);
    assert!(out.starts_with("tenant  entry"), "{out}");
    let (is_good, _, why) =
        verified_by_command(data.path(), &["--set", "restconf.yang_dir=/nowhere"]);
    assert!(!is_good && !why.is_empty());
}

fn event() -> Event {
    Event::new(clock().now(), Kind::ConfigChanged, Actor::Operator)
}
