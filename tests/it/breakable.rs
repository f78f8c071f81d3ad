//! A store that can be cut off and joined again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use tollgate::audit;
use tollgate::iam::AccountId;
use tollgate::iam::AccountQuery;
use tollgate::iam::AccountRecord;
use tollgate::iam::AccountSummary;
use tollgate::iam::HolderFacts;
use tollgate::iam::PatDigest;
use tollgate::iam::PatFacts;
use tollgate::iam::PatId;
use tollgate::iam::PatRecord;
use tollgate::iam::Revocation;
use tollgate::iam::Sweep;
use tollgate::iam::TenantRecord;
use tollgate::iam::Use;
use tollgate::iam::port::Applied;
use tollgate::iam::port::Ending;
use tollgate::iam::port::Fault;
use tollgate::iam::port::Login;
use tollgate::iam::port::Mutation;
use tollgate::iam::port::Page;
use tollgate::iam::port::Records;
use tollgate::iam::port::RecordsError;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::store::Store;

/// A store that can be cut off.
#[derive(Debug)]
pub struct Breakable {
    pub store: Store,
    /// Whether it answers.
    pub reachable: Arc<AtomicBool>,
}

impl Breakable {
    fn store(&self) -> Result<&Store, RecordsError> {
        let reachable = self.reachable.load(Ordering::SeqCst);
        reachable
            .then_some(&self.store)
            .ok_or(RecordsError::Unavailable(Fault::Other))
    }
}

#[async_trait]
impl Records for Breakable {
    async fn apply(
        &self,
        mutation: &Mutation,
        at: Timestamp,
        event: &audit::Event,
    ) -> Result<Applied, RecordsError> {
        self.store()?.apply(mutation, at, event).await
    }

    async fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, RecordsError> {
        self.store()?.tenant(id).await
    }

    async fn has_had_accounts(&self) -> Result<bool, RecordsError> {
        self.store()?.has_had_accounts().await
    }

    async fn tenants(&self) -> Result<Vec<TenantRecord>, RecordsError> {
        self.store()?.tenants().await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<Option<AccountRecord>, RecordsError> {
        self.store()?.account(tenant, id).await
    }

    async fn account_named(
        &self,
        tenant: &TenantId,
        username: &str,
    ) -> Result<Option<AccountRecord>, RecordsError> {
        self.store()?.account_named(tenant, username).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        page: &Page,
    ) -> Result<Vec<AccountRecord>, RecordsError> {
        self.store()?.accounts(tenant, page).await
    }

    async fn search(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
        now: Timestamp,
    ) -> Result<(Vec<AccountSummary>, u64), RecordsError> {
        self.store()?.search(tenant, query, now).await
    }

    async fn pat(&self, tenant: &TenantId, id: PatId) -> Result<Option<PatRecord>, RecordsError> {
        self.store()?.pat(tenant, id).await
    }

    async fn pats(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<PatRecord>, RecordsError> {
        self.store()?.pats(tenant, account).await
    }

    async fn find_pat(&self, digest: &PatDigest) -> Result<Option<PatFacts>, RecordsError> {
        self.store()?.find_pat(digest).await
    }

    async fn find_holder(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Option<HolderFacts>, RecordsError> {
        self.store()?.find_holder(tenant, account).await
    }

    async fn find_logins(
        &self,
        username: &str,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<Login>, RecordsError> {
        self.store()?.find_logins(username, tenant).await
    }

    async fn revocations(&self, after: u64, limit: u32) -> Result<Vec<Revocation>, RecordsError> {
        self.store()?.revocations(after, limit).await
    }

    async fn newest_revocation(&self) -> Result<u64, RecordsError> {
        self.store()?.newest_revocation().await
    }

    async fn raise_time_mark(&self, now: Timestamp) -> Result<Timestamp, RecordsError> {
        self.store()?.raise_time_mark(now).await
    }

    async fn uses(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<(PatId, Use)>, RecordsError> {
        self.store()?.uses(tenant, account).await
    }

    async fn ending(
        &self,
        until: Timestamp,
        after: Option<PatId>,
        limit: u32,
    ) -> Result<Vec<Ending>, RecordsError> {
        self.store()?.ending(until, after, limit).await
    }

    async fn over(&self, before: Timestamp, limit: u32) -> Result<Vec<PatRecord>, RecordsError> {
        self.store()?.over(before, limit).await
    }

    async fn swept(
        &self,
        tenant: &TenantId,
        sweep: &Sweep,
        now: Timestamp,
        after: Option<PatId>,
        limit: u32,
    ) -> Result<Vec<PatRecord>, RecordsError> {
        self.store()?.swept(tenant, sweep, now, after, limit).await
    }

    async fn renew_digest(&self, from: &PatDigest, to: &PatDigest) -> Result<(), RecordsError> {
        self.store()?.renew_digest(from, to).await
    }

    async fn note_uses(&self, uses: &[(PatId, Use)]) -> Result<(), RecordsError> {
        self.store()?.note_uses(uses).await
    }
}
