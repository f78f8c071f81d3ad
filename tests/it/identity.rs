//! Identity on a real store, as a gateway and the commands beside it use it together.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tollgate::audit;
use tollgate::audit::Log as _;
use tollgate::clock::Clock;
use tollgate::iam::AccountRecord;
use tollgate::iam::Action;
use tollgate::iam::AuthError;
use tollgate::iam::Caller;
use tollgate::iam::Config;
use tollgate::iam::Credential;
use tollgate::iam::Identity;
use tollgate::iam::Issued;
use tollgate::iam::LiveSession;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::PasswordConfig;
use tollgate::iam::Pepper;
use tollgate::iam::Reason;
use tollgate::iam::Role;
use tollgate::iam::permit;
use tollgate::iam::port::Records as _;
use tollgate::model::Class;
use tollgate::model::Expiry;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::secret::Secret;
use tollgate::store::Store;

use crate::breakable::Breakable;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse";

/// A process with the store open; several may share the folder.
struct Process {
    identity: Identity,
    store: Store,
    reachable: Arc<AtomicBool>,
}

impl Process {
    async fn on(folder: &TempDir) -> Self {
        Self::with(folder, |_| {}).await
    }

    async fn with(folder: &TempDir, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            poll_interval: Duration::from_millis(5),
            password: PasswordConfig::insecure(),
            ..Config::default()
        };
        set(&mut config);
        let store = Store::open_sqlite(&folder.path().join("tollgate.db"))
            .await
            .unwrap();
        let pepper = Pepper::open_or_create(&folder.path().join("pepper")).unwrap();
        let reachable = Arc::new(AtomicBool::new(true));
        let records = Arc::new(Breakable {
            store: store.clone(),
            reachable: Arc::clone(&reachable),
        });
        let log = Arc::new(store.clone());
        let clock = Clock::fixed(Timestamp::from_secs(1_800_000_000));
        let identity = Identity::open(records, log, pepper, config, clock)
            .await
            .unwrap();
        Self {
            identity,
            store,
            reachable,
        }
    }

    /// Follows the store until the test is over.
    fn run(&self) -> tokio_util::sync::DropGuard {
        let stop = CancellationToken::new();
        let (identity, until) = (self.identity.clone(), stop.clone());
        tokio::spawn(async move { identity.run(until).await });
        stop.drop_guard()
    }

    async fn machine(&self, username: &str, role: Role) -> AccountRecord {
        let accounts = &self.identity.accounts;
        // The second process of a test finds the tenant there.
        let _ = accounts.create_tenant(&Caller::operator(), "pca").await;
        let new = NewAccount::machine(pca(), username, role.into());
        accounts
            .create_account(&Caller::operator(), new, None)
            .await
            .unwrap()
            .0
    }

    async fn pat(&self, account: &AccountRecord) -> Issued {
        let new = NewPat::until(Expiry::NEVER);
        let accounts = &self.identity.accounts;
        accounts
            .create_pat(&Caller::operator(), &pca(), account.id, new)
            .await
            .unwrap()
    }

    async fn login(&self, password: &str) -> Result<(), AuthError> {
        let credential = Credential::Password {
            username: "anna".to_owned(),
            password: Secret::new(password),
        };
        self.identity
            .authenticator
            .authenticate(credential, HERE)
            .await
            .map(drop)
    }

    async fn open(&self, token: &Secret) -> Result<LiveSession, AuthError> {
        let credential = Credential::Bearer(token.clone());
        let principal = self
            .identity
            .authenticator
            .authenticate(credential, HERE)
            .await?;
        let allowed = permit(&principal, Action::Read, None).unwrap();
        Ok(self
            .identity
            .registry
            .open(&principal, &allowed, HERE, 100_000)
            .unwrap())
    }
}

fn pca() -> TenantId {
    TenantId::new("pca")
}

async fn end_of(session: &mut LiveSession) -> Reason {
    tokio::time::timeout(Duration::from_secs(10), session.ended())
        .await
        .unwrap()
        .reason
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_takes_away_ends_the_gateways_streams() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Process::on(&folder).await;
    let _running = gateway.run();
    let command = Process::on(&folder).await;
    let (operator, accounts) = (Caller::operator(), &command.identity.accounts);
    let (one, two) = (
        command.machine("one", Role::TenantUser).await,
        command.machine("two", Role::TenantUser).await,
    );
    let (revoked, cut) = (command.pat(&one).await, command.pat(&two).await);

    let mut other = gateway.open(&cut.token).await.unwrap();
    let mut session = gateway.open(&revoked.token).await.unwrap();
    accounts
        .revoke_pat(&operator, &pca(), revoked.record.id)
        .await
        .unwrap();
    assert_eq!(end_of(&mut session).await, Reason::TokenRevoked);
    assert_eq!(
        gateway.open(&revoked.token).await.unwrap_err().reason(),
        "token_revoked"
    );

    assert_eq!(other.end_now(), None);
    let roles = Role::ServiceAccountManager.into();
    accounts
        .set_roles(&operator, &pca(), two.id, roles)
        .await
        .unwrap();
    let reason = end_of(&mut other).await;
    assert_eq!(
        (reason, reason.class()),
        (Reason::RolesChanged, Class::Denied)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_a_command_issues_is_good_although_it_was_unknown_a_moment_ago() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, command) = (Process::on(&folder).await, Process::on(&folder).await);
    let account = command.machine("export", Role::TenantUser).await;
    for _ in 0..20 {
        let issued = command.pat(&account).await;
        gateway.open(&issued.token).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_lets_in_again_once_the_store_is_back_and_has_missed_no_revocation() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Process::with(&folder, |config| config.outage_grace = Duration::ZERO).await;
    let _running = gateway.run();
    let command = Process::on(&folder).await;
    let account = command.machine("export", Role::TenantUser).await;
    let (kept, revoked) = (command.pat(&account).await, command.pat(&account).await);
    let mut session = gateway.open(&kept.token).await.unwrap();
    gateway.open(&revoked.token).await.unwrap();

    gateway.reachable.store(false, Ordering::SeqCst);
    assert_eq!(end_of(&mut session).await, Reason::StoreUnreachable);
    assert_eq!(
        gateway.open(&kept.token).await.unwrap_err(),
        AuthError::Unavailable
    );
    command
        .identity
        .accounts
        .revoke_pat(&Caller::operator(), &pca(), revoked.record.id)
        .await
        .unwrap();

    gateway.reachable.store(true, Ordering::SeqCst);
    let back = async {
        while gateway.open(&kept.token).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back)
        .await
        .unwrap();
    assert_eq!(
        gateway.open(&revoked.token).await.unwrap_err().reason(),
        "token_revoked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_made_at_once_are_counted_like_guesses_made_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let process = Arc::new(
        Process::with(&folder, |config| {
            config.password.parallel = std::num::NonZeroUsize::MIN;
            config.password.memory_kib = 1_024;
            config.throttle.failure_burst = 1_000_000;
        })
        .await,
    );
    process.machine("export", Role::TenantUser).await;
    let new = NewAccount::person(
        pca(),
        "anna",
        Secret::new(PASSWORD),
        Role::TenantUser.into(),
    );
    process
        .identity
        .accounts
        .create_account(&Caller::operator(), new, None)
        .await
        .unwrap();

    let guess = |number: usize| {
        let process = Arc::clone(&process);
        tokio::spawn(async move { process.login(&format!("guess {number}")).await })
    };
    let guesses: Vec<_> = (0..200).map(guess).collect();
    let mut looked_at = 0;
    for guess in guesses {
        match guess.await.unwrap().unwrap_err() {
            AuthError::WrongPassword { .. } => looked_at += 1,
            other => assert_eq!(other, AuthError::LockedOut),
        }
    }
    assert_eq!(looked_at, 5);

    let (accounts, tenant) = (&process.identity.accounts, TenantId::new("pca"));
    let operator = Caller::operator();
    let anna = accounts.account_named(&operator, &tenant, "anna");
    let anna = anna.await.unwrap().id;
    accounts
        .lift_lockout(&operator, &tenant, anna)
        .await
        .unwrap();
    let _running = process.run();
    let authenticator = &process.identity.authenticator;
    while !authenticator.locked(&tenant).is_empty() {
        tokio::task::yield_now().await;
    }
    let right = (0..200).map(|_| {
        let process = Arc::clone(&process);
        tokio::spawn(async move { process.login(PASSWORD).await })
    });
    for login in right.collect::<Vec<_>>() {
        login.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_make_the_store_at_once_share_it_and_lose_nothing() {
    for _ in 0..5 {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let openers = (0..4).map(|_| {
            let folder = Arc::clone(&folder);
            tokio::spawn(async move { Process::on(&folder).await })
        });
        let mut processes = Vec::new();
        for opener in openers.collect::<Vec<_>>() {
            processes.push(Arc::new(opener.await.unwrap()));
        }
        let account = processes[0].machine("export", Role::TenantUser).await;
        let writers = processes.iter().map(|process| {
            let (process, account) = (Arc::clone(process), account.clone());
            tokio::spawn(async move {
                let mut issued = Vec::new();
                for _ in 0..10 {
                    issued.push(process.pat(&account).await.record.id);
                }
                issued
            })
        });
        let mut issued = BTreeSet::new();
        for writer in writers.collect::<Vec<_>>() {
            issued.extend(writer.await.unwrap());
        }
        for process in &processes {
            process.store.close().await;
        }

        let store = Store::open_sqlite(&folder.path().join("tollgate.db"))
            .await
            .unwrap();
        let stored = store.pats(&pca(), account.id).await.unwrap();
        assert_eq!(
            stored.iter().map(|pat| pat.id).collect::<BTreeSet<_>>(),
            issued
        );
        let entries = store.revocations(0, 1_000).await.unwrap();
        assert_eq!(entries.len(), 1 + issued.len());
        assert!(entries.is_sorted_by(|one, next| one.seq < next.seq));
        let links = store.links(0, 1_000).await.unwrap();
        assert_eq!(links.len(), 2 + issued.len());
        audit::verify(&links, 0, [0; 32]).unwrap();
    }
}

#[tokio::test]
async fn database_without_its_pepper_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        || tollgate::app::Local::open(folder.path(), None, Config::default(), Clock::system());
    open().await.unwrap().store.close().await;
    std::fs::remove_file(folder.path().join("pepper")).unwrap();

    let error = open().await.unwrap_err();

    assert!(
        matches!(error, tollgate::app::Error::PepperLost(_)),
        "{error:?}"
    );
    assert!(
        !folder.path().join("pepper").exists(),
        "no second pepper is made"
    );
}
