//! Several gateways that share one PostgreSQL (iam R3, R6, R8).

use std::net::IpAddr;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tollgate::app;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::iam;
use tollgate::iam::Caller;
use tollgate::iam::Credential;
use tollgate::iam::Identity;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::Pepper;
use tollgate::iam::PepperError;
use tollgate::iam::Role;
use tollgate::iam::permit;
use tollgate::model::Expiry;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::store;
use tollgate::store::PostgresConfig;
use tollgate::store::Store;
use tonic::Code;

use crate::client::Stream;
use crate::client::in_time;
use crate::client::on_change;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::postgres;
use crate::postgres::Database;

/// Longer than any test: what it is set to does not happen.
const NEVER: Duration = Duration::from_hours(1);

const PATIENCE: Duration = Duration::from_secs(30);

fn shared(database: &Database) -> PostgresConfig {
    PostgresConfig {
        // The machine may be busy with other tests.
        connect_timeout: PATIENCE,
        query_timeout: PATIENCE,
        ..PostgresConfig::new(database.url().parse().unwrap())
    }
}

/// Two gateways with the same pepper.
pub async fn two_nodes(database: &Database, change: impl Fn(&mut Settings)) -> (Gateway, Gateway) {
    let change = |settings: &mut Settings| {
        settings.shared_store = Some(shared(database));
        change(settings);
    };
    let one = Gateway::start_with(change).await;
    let data = tempfile::tempdir().unwrap();
    std::fs::copy(one.pepper(), data.path().join("pepper")).unwrap();
    (one, Gateway::start_bare(data, change).await.unwrap())
}

async fn streaming(node: &Gateway, token: &str) -> Stream {
    let client = node.anonymous().await.bearer(token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    stream
}

/// Waits until both nodes have said that they listen.
async fn until_listening(database: &Database) {
    let sql = format!("SELECT count(*) {LISTENERS}");
    in_time(async { while database.number(&sql).await < 2 {} }).await;
}

/// Ends the connections over which nodes hear of each other.
async fn kill_listeners(database: &Database) {
    let sql = format!("SELECT count(pg_terminate_backend(pid)) {LISTENERS}");
    assert_eq!(database.number(&sql).await, 2);
}

const LISTENERS: &str = "FROM pg_stat_activity WHERE datname = current_database() \
                         AND query LIKE 'LISTEN%' AND state = 'idle'";

#[tokio::test(flavor = "multi_thread")]
async fn revoking_on_one_node_ends_streams_on_the_other_by_notification_alone() {
    let Some(database) = postgres::database().await else {
        return;
    };
    let no_polling = |settings: &mut Settings| settings.iam.poll_interval = NEVER;
    let (one, two) = two_nodes(&database, no_polling).await;
    let (token, id) = one.new_token(TENANT, "tenant-user", None).await;
    let mut stream = streaming(&two, &token).await;
    until_listening(&database).await;
    one.revoke(TENANT, &id).await;
    let end = stream.end().await;
    assert_eq!(end.code(), Code::Unauthenticated);
    assert_eq!(end.metadata().get("x-token-id").unwrap(), id.as_str());
    assert_eq!(
        two.anonymous()
            .await
            .bearer(&token)
            .capabilities()
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );

    // What happens while the connection is gone is found when it is back.
    let (token, id) = two.new_token(TENANT, "tenant-user", None).await;
    let mut stream = streaming(&one, &token).await;
    kill_listeners(&database).await;
    two.revoke(TENANT, &id).await;
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_alone_carries_a_revocation_to_the_other_node() {
    let Some(database) = postgres::database().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let node = || async {
        let store = Store::open_postgres(&shared(&database)).await.unwrap();
        let pepper = Pepper::open_or_create(&folder.path().join("pepper")).unwrap();
        let (records, log) = (Arc::new(store.clone()), Arc::new(store));
        let clock = Clock::fixed(Timestamp::from_secs(1_800_000_000));
        Identity::open(records, log, pepper, iam::Config::default(), clock)
            .await
            .unwrap()
    };
    // Nobody listens here.
    let (one, two) = (node().await, node().await);
    let stop = CancellationToken::new();
    let _stopping = stop.clone().drop_guard();
    let following = two.clone();
    tokio::spawn(async move { following.run(stop).await });

    let (operator, pca) = (Caller::operator(), TenantId::new("pca"));
    one.accounts.create_tenant(&operator, "pca").await.unwrap();
    let new = NewAccount::machine(pca.clone(), "export", Role::TenantUser.into());
    let (account, _) = one
        .accounts
        .create_account(&operator, new, None)
        .await
        .unwrap();
    let issued = one
        .accounts
        .create_pat(&operator, &pca, account.id, NewPat::until(Expiry::NEVER))
        .await
        .unwrap();
    let here = IpAddr::from([127, 0, 0, 1]);
    let principal = two
        .authenticator
        .authenticate(Credential::Bearer(issued.token.clone()), here)
        .await
        .unwrap();
    let permit = permit(&principal, iam::Action::Read, None).unwrap();
    let mut session = two.registry.open(&principal, &permit, here, 100).unwrap();
    one.accounts
        .revoke_pat(&operator, &pca, issued.record.id)
        .await
        .unwrap();
    in_time(session.ended()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_counts_everywhere_as_soon_as_its_creation_is_answered() {
    let Some(database) = postgres::database().await else {
        return;
    };
    // Neither a notification nor a poll can be what makes it known.
    let no_polling = |settings: &mut Settings| settings.iam.poll_interval = NEVER;
    let (one, two) = two_nodes(&database, no_polling).await;
    let anonymous = two.anonymous().await;
    let unknown = anonymous.clone().bearer(&one.unknown_token());
    assert!(unknown.capabilities().await.is_err());
    for _ in 0..20 {
        let token = one.token_of(TENANT, "tenant-user").await;
        anonymous
            .clone()
            .bearer(&token)
            .capabilities()
            .await
            .unwrap();
    }
    // Both have written; the audit trail is one chain.
    two.new_token(TENANT, "tenant-user", None).await;
    assert!(one.newest_event().await > 20);
    let seen = one.newest_event().await;
    assert!(two.newest_event().await >= seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_without_its_store_ends_all_streams_and_lets_in_when_it_is_back() {
    let Some(database) = postgres::database().await else {
        return;
    };
    // The first read that fails is one too many; that a grace is waited for is proven without a database.
    let short_grace = |settings: &mut Settings| {
        settings.iam.outage_grace = Duration::ZERO;
        settings.iam.poll_interval = Duration::from_millis(20);
    };
    let (one, two) = two_nodes(&database, short_grace).await;
    let (token, id) = one.new_token(TENANT, "tenant-user", None).await;
    let mut streams = [streaming(&one, &token).await, streaming(&two, &token).await];
    database.shut().await;
    for stream in &mut streams {
        let end = stream.end().await;
        assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    }
    let client = two.anonymous().await.bearer(&token);
    let refused = client.capabilities().await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");

    database.reopen().await;
    two.until_ok(&client).await;
    let mut stream = streaming(&two, &token).await;
    one.revoke(TENANT, &id).await;
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_with_another_pepper_does_not_start() {
    let Some(database) = postgres::database().await else {
        return;
    };
    let change = |settings: &mut Settings| settings.shared_store = Some(shared(&database));
    let one = Gateway::start_with(change).await;
    let without = Gateway::start_bare(tempfile::tempdir().unwrap(), change).await;
    assert!(matches!(without.err(), Some(app::Error::PepperLost(_))));

    let data = tempfile::tempdir().unwrap();
    Pepper::open_or_create(&data.path().join("pepper")).unwrap();
    let foreign = Gateway::start_bare(data, change).await;
    assert!(matches!(
        foreign.err(),
        Some(app::Error::Store(store::Error::Pepper(
            PepperError::Foreign(1)
        )))
    ));
    // Nothing of it was noted: the right one still serves.
    let data = tempfile::tempdir().unwrap();
    std::fs::copy(one.pepper(), data.path().join("pepper")).unwrap();
    Gateway::start_bare(data, change).await.unwrap();
}

/// A whole process, killed between two statements of one change (iam section 8, item 14).
#[tokio::test(flavor = "multi_thread")]
async fn killed_writer_leaves_neither_half_of_a_change() {
    let Some(database) = postgres::database().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let admin = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command
            .args(["admin", "--data-dir"])
            .arg(folder.path())
            .args(["--set", &format!("store.url={}", database.url())])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    };
    let done = admin(&["tenant", "create", "pca"]).status().unwrap();
    assert!(done.success());
    // The second statement of the change waits.
    database
        .execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; \
             CREATE TRIGGER waiting BEFORE INSERT ON revocations EXECUTE FUNCTION wait()",
        )
        .await;
    let create = [
        "service-account",
        "create",
        "--tenant",
        "pca",
        "--username",
        "export",
        "--role",
        "tenant-user",
    ];
    let mut writer = admin(&create).spawn().unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    in_time(async { while database.number(waiting).await == 0 {} }).await;
    writer.kill().unwrap();
    writer.wait().unwrap();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    database.number(end).await;
    for table in ["accounts", "revocations"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(database.number(&count).await, 0, "{table}");
    }
    let events = "SELECT count(*) FROM audit WHERE body LIKE '%account.created%'";
    assert_eq!(database.number(events).await, 0);

    database
        .execute("DROP TRIGGER waiting ON revocations")
        .await;
    assert!(admin(&create).status().unwrap().success());
    assert_eq!(database.number("SELECT count(*) FROM accounts").await, 1);
}
