//! The first administrator, and the last resort (iam 3.7), over real TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tollgate::app;
use tollgate::audit::EventQuery;
use tollgate::audit::Kind;
use tollgate::config::Bootstrap;
use tollgate::config::Settings;
use tollgate::iam::Caller;
use tollgate::iam::Role;
use tollgate::iam::State;
use tollgate::model::Class;
use tollgate::model::TenantId;

use crate::gateway::Gateway;

fn asked(settings: &mut Settings) -> &mut Bootstrap {
    settings.bootstrap.insert(Bootstrap {
        tenant: "ops".to_owned(),
        username: "root".to_owned(),
        password_file: None,
        token_file: None,
        token_lifetime: Duration::from_mins(10),
    })
}

fn private(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The status that a login answers.
async fn login(gateway: &Gateway, username: &str, password: &str) -> String {
    let body = format!("username={username}&password={password}");
    post(gateway, "login", &body).await
}

/// Replaces a password that is good for nothing else, which it must be.
async fn replace(gateway: &Gateway, username: &str, old: &str) {
    assert_eq!(login(gateway, username, old).await, "403");
    let by_grpc = gateway.anonymous().await;
    let by_grpc = by_grpc.with("username", username).with("password", old);
    let refused = by_grpc.capabilities().await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    assert_eq!(refused.message(), "password must be changed first");
    let body = format!("username={username}&password={old}&newPassword={CHOSEN}");
    assert_eq!(post(gateway, "password", &body).await, "204");
    assert_eq!(login(gateway, username, old).await, "401");
    assert_eq!(login(gateway, username, CHOSEN).await, "200");
}

/// What a holder chooses instead of what it was given.
const CHOSEN: &str = "chosen-by-hand";

/// The status of one of the login's pages.
async fn post(gateway: &Gateway, page: &str, body: &str) -> String {
    let request = format!(
        "POST /api/v1/auth/{page} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = gateway.exchange(request.as_bytes()).await;
    answer.split(' ').nth(1).unwrap().to_owned()
}

async fn kinds(gateway: &Gateway) -> Vec<String> {
    let all = EventQuery::of(None);
    let links = gateway.accounts().events(&Caller::operator(), &all).await;
    let kind =
        |link: &tollgate::audit::Link| link.to_members()["event"].as_str().map(str::to_owned);
    links.unwrap().iter().filter_map(kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn first_administrator_gets_a_password_and_a_short_token_in_files() {
    let data = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let token_file = elsewhere.path().join("token");
    let change = |settings: &mut Settings| asked(settings).token_file = Some(token_file.clone());
    let gateway = Gateway::start_bare(data, change).await.unwrap();

    let password_file = gateway.data_dir().join("bootstrap-password");
    assert_eq!((mode(&password_file), mode(&token_file)), (0o600, 0o600));
    let password = fs::read_to_string(&password_file).unwrap();
    replace(&gateway, "root@ops", password.trim()).await;
    let left: Vec<_> = fs::read_dir(gateway.data_dir()).unwrap().collect();
    let drafts = left.iter().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("bootstrap-password.")
    });
    assert_eq!(drafts.count(), 0);
    let token = fs::read_to_string(&token_file).unwrap();
    let client = gateway.anonymous().await.bearer(token.trim());
    client.capabilities().await.unwrap();
    gateway.clock.advance(Duration::from_mins(10));
    client.capabilities().await.unwrap_err();
    assert_eq!(
        kinds(&gateway).await[..2],
        ["tenant.created", "bootstrap.used"]
    );

    // Once there is an account, the section says nothing any more.
    let other = elsewhere.path().join("other");
    private(&other, "another good password\n");
    let change = |settings: &mut Settings| asked(settings).password_file = Some(other.clone());
    let gateway = Gateway::start_bare(gateway.stop().await, change).await;
    let gateway = gateway.unwrap();
    assert_eq!(
        login(&gateway, "root@ops", "another good password").await,
        "401"
    );
    assert_eq!(login(&gateway, "root@ops", CHOSEN).await, "200");
    let told = kinds(&gateway).await;
    let used = told.iter().filter(|kind| *kind == "bootstrap.used");
    assert_eq!(used.count(), 1);
    gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_password_or_its_hash_is_taken_from_a_private_file() {
    for (content, lasts) in [("good-password", false), (&*hash_of("good-password"), true)] {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("given");
        private(&file, content);
        let change = |settings: &mut Settings| asked(settings).password_file = Some(file.clone());
        let gateway = Gateway::start_bare(data, change).await.unwrap();
        if lasts {
            assert_eq!(login(&gateway, "root", "good-password").await, "200");
        } else {
            replace(&gateway, "root", "good-password").await;
        }
        assert!(!gateway.data_dir().join("bootstrap-password").exists());
        gateway.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn store_whose_accounts_are_all_gone_is_not_begun_anew() {
    let data = tempfile::tempdir().unwrap();
    let ask = |settings: &mut Settings| {
        asked(settings);
    };
    let gateway = Gateway::start_bare(data, ask).await.unwrap();
    let (operator, tenant) = (Caller::operator(), TenantId::new("ops"));
    let root = gateway.accounts().account_named(&operator, &tenant, "root");
    let root = root.await.unwrap().id;
    gateway
        .accounts()
        .delete(&operator, &tenant, root)
        .await
        .unwrap();
    let gateway = Gateway::start_bare(gateway.stop().await, ask).await;
    let gateway = gateway.unwrap();
    let again = gateway.accounts().account_named(&operator, &tenant, "root");
    assert_eq!(again.await.unwrap_err().class(), Class::NotFound);
    gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_open_to_others_or_no_hash_keeps_the_gateway_from_starting() {
    for (content, mode) in [
        ("a good password", 0o644),
        ("short", 0o600),
        ("$argon2id$v=19$nonsense", 0o600),
        ("", 0o600),
    ] {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("given");
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let change = |settings: &mut Settings| asked(settings).password_file = Some(file.clone());
        let refused = Gateway::start_bare(data, change).await.err().unwrap();
        let is_meant = matches!(
            refused,
            app::Error::BootstrapFile(_) | app::Error::Bootstrap(_)
        );
        assert!(is_meant, "{content}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_at_the_machine_lets_an_administrator_in_again() {
    let gateway = Gateway::start().await;
    let operator = Caller::operator();
    let tenant = TenantId::new(crate::gateway::TENANT);
    let anna = gateway
        .accounts()
        .account_named(&operator, &tenant, crate::gateway::ADMIN_USERNAME)
        .await
        .unwrap();
    gateway.disable(crate::gateway::TENANT, &anna.id).await;
    let recover = |username: &str, out: &Path| {
        Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["admin", "--data-dir"])
            .arg(gateway.data_dir())
            .args(["recover-admin", "--tenant", "pca", "--username", username])
            .arg("--password-out")
            .arg(out)
            .output()
            .unwrap()
    };
    let out = gateway.data_dir().join("recovered");
    for _ in 0..5 {
        assert_eq!(login(&gateway, "anna", "wrong").await, "401");
    }
    let told = recover("anna", &out);
    assert!(told.status.success(), "{told:?}");
    // What follows is possible only where the lock is lifted.
    gateway.until(|gateway| gateway.locked_out() == 0).await;
    assert_eq!(mode(&out), 0o600);
    let password = fs::read_to_string(&out).unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("skylight-admin") && !told.contains(password.trim()));
    replace(&gateway, "anna", password.trim()).await;
    let found = gateway
        .accounts()
        .account(&operator, &tenant, anna.id)
        .await;
    let found = found.unwrap();
    assert!(found.roles.contains(Role::SkylightAdmin) && found.state == State::Active);

    // A secret that lies there already is not overwritten, and nothing is changed.
    assert!(!recover("anna", &out).status.success());
    assert_eq!(login(&gateway, "anna", CHOSEN).await, "200");
    // A machine has no password, not even in a file, and somebody new is made.
    let unused = gateway.data_dir().join("b");
    assert!(!recover("exporter", &unused).status.success());
    assert!(!unused.exists());
    let new = gateway.data_dir().join("c");
    assert!(recover("newcomer", &new).status.success());
    let password = fs::read_to_string(&new).unwrap();
    replace(&gateway, "newcomer", password.trim()).await;
    let told = kinds(&gateway).await;
    let word = Kind::AdministratorRecovered.as_str();
    assert_eq!(told.iter().filter(|kind| *kind == word).count(), 2);
    gateway.drain().await;
}

/// What an operator's own tool would make of a password.
fn hash_of(password: &str) -> String {
    use argon2::PasswordHasher as _;
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash: argon2::PasswordHash = argon2.hash_password(password.as_bytes()).unwrap();
    hash.to_string()
}
