//! A room on a store in a folder of its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::Clock;
use crate::iam::AccountRecord;
use crate::iam::AuthError;
use crate::iam::Caller;
use crate::iam::Config;
use crate::iam::Credential;
use crate::iam::Identity;
use crate::iam::Issued;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::PasswordConfig;
use crate::iam::Pepper;
use crate::iam::Principal;
use crate::iam::Role;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;
use crate::store::Store;

pub(super) const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));
pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) struct Fixture {
    pub(super) folder: TempDir,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) identity: Identity,
    pub(super) config: Config,
    pub(super) operator: Caller,
    pub(super) pca: TenantId,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            password: PasswordConfig::insecure(),
            ..Config::default()
        };
        set(&mut config);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("tollgate.db"))
            .await
            .unwrap();
        let clock = Clock::fixed(START);
        let identity = open(&folder, &store, &config, &clock).await;
        let operator = Caller::operator();
        identity
            .accounts
            .create_tenant(&operator, "pca")
            .await
            .unwrap();
        identity
            .accounts
            .create_tenant(&operator, "other")
            .await
            .unwrap();
        let pca = TenantId::new("pca");
        Self {
            folder,
            store,
            clock,
            identity,
            config,
            operator,
            pca,
        }
    }

    /// Another process on the same store.
    pub(super) async fn another(&self) -> Identity {
        let store = Store::open_sqlite(&self.folder.path().join("tollgate.db"))
            .await
            .unwrap();
        open(&self.folder, &store, &self.config, &self.clock).await
    }

    /// What the tail does a few times a second.
    pub(super) async fn catch_up(&self) {
        self.identity.tail.catch_up(0).await.unwrap();
    }

    pub(super) async fn machine(&self, username: &str, role: Role) -> AccountRecord {
        let new = NewAccount::machine(self.pca.clone(), username, role.into());
        self.identity
            .accounts
            .create_account(&self.operator, new, None)
            .await
            .unwrap()
            .0
    }

    pub(super) async fn person(&self, tenant: &str, username: &str, role: Role) -> AccountRecord {
        let password = Secret::new(PASSWORD);
        let new = NewAccount::person(TenantId::new(tenant), username, password, role.into());
        self.identity
            .accounts
            .create_account(&self.operator, new, None)
            .await
            .unwrap()
            .0
    }

    pub(super) async fn pat(&self, account: &AccountRecord) -> Issued {
        self.pat_for(account, Duration::from_hours(1)).await
    }

    pub(super) async fn pat_for(&self, account: &AccountRecord, ttl: Duration) -> Issued {
        let new = NewPat::until(self.after(ttl));
        let accounts = &self.identity.accounts;
        accounts
            .create_pat(&self.operator, &account.tenant, account.id, new)
            .await
            .unwrap()
    }

    pub(super) fn after(&self, ttl: Duration) -> Expiry {
        Expiry::from_secs(self.clock.now().saturating_add(ttl).secs())
    }

    pub(super) async fn bearer(&self, token: &Secret) -> Result<Arc<Principal>, AuthError> {
        self.bearer_from(token, HERE).await
    }

    pub(super) async fn bearer_from(
        &self,
        token: &Secret,
        from: IpAddr,
    ) -> Result<Arc<Principal>, AuthError> {
        self.identity
            .authenticator
            .authenticate(Credential::Bearer(token.clone()), from)
            .await
    }

    pub(super) async fn login(
        &self,
        username: &str,
        password: &str,
    ) -> Result<Arc<Principal>, AuthError> {
        self.login_from(username, password, HERE).await
    }

    pub(super) async fn login_from(
        &self,
        username: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<Arc<Principal>, AuthError> {
        let credential = Credential::Password {
            username: username.to_owned(),
            password: Secret::new(password),
        };
        self.identity
            .authenticator
            .authenticate(credential, from)
            .await
    }
}

async fn open(folder: &TempDir, store: &Store, config: &Config, clock: &Clock) -> Identity {
    let pepper = Pepper::open_or_create(&folder.path().join("pepper")).unwrap();
    let (records, log) = (Arc::new(store.clone()), Arc::new(store.clone()));
    Identity::open(records, log, pepper, config.clone(), clock.clone())
        .await
        .unwrap()
}

pub(super) const PASSWORD: &str = "correct horse";
