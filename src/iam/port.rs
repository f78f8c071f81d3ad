//! Where tenants, accounts, tokens and the revocation log are kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::audit::Event;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::AccountKind;
use super::AccountPolicy;
use super::AccountQuery;
use super::AccountRecord;
use super::AccountSummary;
use super::HolderFacts;
use super::PatDigest;
use super::PatFacts;
use super::PatId;
use super::PatRecord;
use super::Revocation;
use super::Roles;
use super::State;
use super::Sweep;
use super::TenantPolicy;
use super::TenantRecord;
use super::Use;

pub use super::fault::Fault;
pub use super::fault::RecordsError;
pub use super::which::Which;

/// The store of identities. `store` implements it; the tests in `store/tests/conformance.rs` are what every
/// implementation passes.
///
/// What a call has acknowledged survives the process and the machine. Only the look-ups for authentication
/// go without a tenant (iam X3).
#[async_trait]
pub trait Records: Debug + Send + Sync {
    /// Makes one change, its audit event and its entries in the revocation log: all or nothing. Entries get numbers
    /// in the order in which readers can see them, so that nobody who reads "all after `seq`" ever misses one.
    ///
    async fn apply(
        &self,
        mutation: &Mutation,
        at: Timestamp,
        event: &Event,
    ) -> Result<Applied, RecordsError>;

    /// One tenant.
    async fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, RecordsError>;

    /// All tenants, by name.
    async fn tenants(&self) -> Result<Vec<TenantRecord>, RecordsError>;

    /// One account of the tenant.
    async fn account(
        &self,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<Option<AccountRecord>, RecordsError>;

    /// The account of that user name, case aside.
    async fn account_named(
        &self,
        tenant: &TenantId,
        username: &str,
    ) -> Result<Option<AccountRecord>, RecordsError>;

    /// Whether there is an account, or was one, in any tenant.
    async fn has_had_accounts(&self) -> Result<bool, RecordsError>;

    /// The tenant's accounts by user name, at most `page.limit` after `page.after`.
    async fn accounts(
        &self,
        tenant: &TenantId,
        page: &Page,
    ) -> Result<Vec<AccountRecord>, RecordsError>;

    /// The tenant's accounts that `query` asks for, and how many there are on all its pages.
    async fn search(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
        now: Timestamp,
    ) -> Result<(Vec<AccountSummary>, u64), RecordsError>;

    /// One Personal Access Token of the tenant.
    async fn pat(&self, tenant: &TenantId, id: PatId) -> Result<Option<PatRecord>, RecordsError>;

    /// All Personal Access Tokens of an account, revoked ones included, the newest first.
    async fn pats(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<PatRecord>, RecordsError>;

    /// The token with this digest and all that decides whether it counts, read at one moment.
    async fn find_pat(&self, digest: &PatDigest) -> Result<Option<PatFacts>, RecordsError>;

    /// Keeps a token by another digest: the same token's under another key. Nothing else of it changes (iam T4).
    async fn renew_digest(&self, from: &PatDigest, to: &PatDigest) -> Result<(), RecordsError>;

    /// The account that a certificate names, and its tenant, read at one moment. `None` when it is deleted, or of another
    /// tenant.
    async fn find_holder(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Option<HolderFacts>, RecordsError>;

    /// Whoever could be meant by a login name: in one tenant, or in all. At most two, which is enough to know that
    /// it is ambiguous.
    async fn find_logins(
        &self,
        username: &str,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<Login>, RecordsError>;

    /// Entries of the revocation log after number `after`, oldest first, at most `limit`.
    async fn revocations(&self, after: u64, limit: u32) -> Result<Vec<Revocation>, RecordsError>;

    /// The number of the newest entry; 0 where there is none.
    async fn newest_revocation(&self) -> Result<u64, RecordsError>;

    /// Returns when there may be new entries in the revocation log, and sooner than one asks from time to time. Only a
    /// hint: it may come without need, and may fail to come. A store that cannot tell never returns.
    async fn revocation_hint(&self) {
        std::future::pending::<()>().await;
    }

    /// Notes that it is `now`, and returns the latest time that was ever noted (iam T8).
    async fn raise_time_mark(&self, now: Timestamp) -> Result<Timestamp, RecordsError>;

    /// The newest few uses of each token of an account, the newest first (iam A4).
    async fn uses(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<(PatId, Use)>, RecordsError>;

    /// Personal Access Tokens that are not revoked and end before `until`, and of whose end not all was told yet or
    /// that have not ended: of all tenants, by id, at most `limit` after `after`.
    async fn ending(
        &self,
        until: Timestamp,
        after: Option<PatId>,
        limit: u32,
    ) -> Result<Vec<Ending>, RecordsError>;

    /// Tokens of all tenants that were over for good before `before`, at most `limit`.
    async fn over(&self, before: Timestamp, limit: u32) -> Result<Vec<PatRecord>, RecordsError>;

    /// Personal Access Tokens of a tenant that are neither revoked nor over at `now` and that `sweep` names: by id, at most
    /// `limit` after `after`.
    async fn swept(
        &self,
        tenant: &TenantId,
        sweep: &Sweep,
        now: Timestamp,
        after: Option<PatId>,
        limit: u32,
    ) -> Result<Vec<PatRecord>, RecordsError>;

    /// Notes uses of tokens (iam A4).
    async fn note_uses(&self, uses: &[(PatId, Use)]) -> Result<(), RecordsError>;
}

/// A token whose end is near, or was not told yet.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The token.
    pub pat: PatRecord,
    /// Its account.
    pub account: AccountRecord,
    /// The account's tenant.
    pub tenant: TenantRecord,
    /// The threshold in days of the last warning; 0 once the end itself was told.
    pub warned: Option<u32>,
}

/// A change that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The log's new entries.
    pub revocations: Vec<Revocation>,
    /// How many Personal Access Tokens it has revoked.
    pub revoked_pats: u64,
}

/// A change to make.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// A new account, perhaps with a password or a first token.
    CreateAccount {
        /// The account.
        account: AccountRecord,
        /// Its password.
        password: Option<NewPassword>,
        /// Its first token.
        pat: Option<(PatRecord, PatDigest)>,
    },
    /// A new token.
    CreatePat {
        /// The token.
        pat: PatRecord,
        /// Its digest.
        digest: PatDigest,
        /// The account's version on which the right to issue it was judged.
        version: u64,
    },
    /// A new tenant.
    CreateTenant(TenantRecord),
    /// An account goes, and its tokens are revoked. Its name becomes free.
    DeleteAccount(Handle),
    /// The same password with a stronger hash (iam T7), if it still has `from`. Ends nothing, is not told in the log.
    RenewHash {
        /// The account.
        account: Handle,
        /// The stored hash.
        from: PasswordHash,
        /// The stronger one.
        to: PasswordHash,
    },
    /// A token that was over for good before `before` is forgotten.
    PurgePat {
        /// The tenant.
        tenant: TenantId,
        /// The token.
        id: PatId,
        /// When it must have been over.
        before: Timestamp,
    },
    /// Tokens of an account are revoked: one, or all that are not yet and fit.
    RevokePats {
        /// The account.
        account: Handle,
        /// Which.
        which: Which,
    },
    /// A token takes the place of another, which ends at a given time, or is revoked at once.
    RotatePat {
        /// The new token.
        pat: PatRecord,
        /// Its digest.
        digest: PatDigest,
        /// The account.
        account: Handle,
        /// The old token.
        old: PatId,
        /// When the old one ends; `None` is now.
        old_expires: Option<Expiry>,
    },
    /// Other bounds on an account's credentials.
    SetAccountPolicy(Handle, AccountPolicy),
    /// Wrong passwords of an account are forgotten, on every gateway.
    LiftLockout(Handle),
    /// Another name and description.
    SetNames {
        /// The account.
        account: Handle,
        /// The name.
        name: String,
        /// The description.
        description: String,
    },
    /// Another password, which ends the sessions that were opened with the old one.
    SetPassword(Handle, NewPassword),
    /// Other roles, none of them suspended.
    SetRoles(Handle, Roles),
    /// Another client secret, or none: the old one ends, and the sessions that were opened with it.
    SetSecret(Handle, Option<(PatRecord, PatDigest)>),
    /// Disables or enables an account.
    SetState(Handle, State),
    /// Other bounds on a tenant's tokens.
    SetTenantPolicy(TenantId, TenantPolicy),
    /// Disables or enables a tenant.
    SetTenantState(TenantId, State),
    /// No roles until they are set again; these are kept for that.
    SuspendRoles(Handle, Roles),
    /// Of a token's end was told. Refused where that was so already: of many tellers one goes on (iam 1, row 24).
    WarnPat {
        /// The tenant.
        tenant: TenantId,
        /// The token.
        id: PatId,
        /// The threshold in days; 0 is the end itself.
        days: u32,
    },
}

/// An account in its tenant, at the version on which the change was judged.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The tenant.
    pub tenant: TenantId,
    /// The account.
    pub id: AccountId,
    /// The version.
    pub version: u64,
}

/// Somebody who could log in with a password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account.
    pub account: AccountRecord,
    /// The account's tenant.
    pub tenant: TenantRecord,
    /// The hash of the password; a machine has none.
    pub password: Option<PasswordHash>,
    /// It lets its holder set another, and nothing else.
    pub is_provisional: bool,
    /// The newest entry of the revocation log at that moment.
    pub seq: u64,
}

/// A password to be stored.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// The hash of it.
    pub hash: PasswordHash,
    /// It lets its holder set another, and nothing else: somebody else has made it up, or it has lain in a file (iam 3.7).
    pub is_provisional: bool,
}

impl From<PasswordHash> for NewPassword {
    /// One that lasts.
    fn from(hash: PasswordHash) -> Self {
        Self {
            hash,
            is_provisional: false,
        }
    }
}

/// A PHC string. Not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// Only accounts of this kind.
    pub kind: Option<AccountKind>,
    /// Only user names after this one; empty from the first on.
    pub after: String,
    /// At most so many.
    pub limit: u32,
}

impl Page {
    /// The first page of all accounts.
    pub fn first() -> Self {
        Self {
            kind: None,
            after: String::new(),
            limit: PAGE_LIMIT,
        }
    }
}

impl Login {
    /// When the account ends.
    pub fn expires(&self) -> Expiry {
        self.account.expires
    }
}

/// The greatest page.
pub const PAGE_LIMIT: u32 = 500;
