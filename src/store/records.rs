//! The identity records: reading. Writing is in `mutation`.

use async_trait::async_trait;

use crate::audit::Event;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountQuery;
use crate::iam::AccountRecord;
use crate::iam::AccountSummary;
use crate::iam::HolderFacts;
use crate::iam::PatDigest;
use crate::iam::PatFacts;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::Revocation;
use crate::iam::Sweep;
use crate::iam::TenantRecord;
use crate::iam::Use;
use crate::iam::port::Applied;
use crate::iam::port::Ending;
use crate::iam::port::Login;
use crate::iam::port::Mutation;
use crate::iam::port::PAGE_LIMIT;
use crate::iam::port::Page;
use crate::iam::port::PasswordHash;
use crate::iam::port::Records;
use crate::iam::port::RecordsError;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::database::Row;
use super::ending;
use super::fault::unavailable;
use super::mutation;
use super::query::query;
use super::rows::Columns;
use super::rows::account_columns;
use super::rows::pat_columns;
use super::rows::stored;
use super::rows::tenant_columns;
use super::search;

#[async_trait]
impl Records for Store {
    async fn apply(
        &self,
        mutation: &Mutation,
        at: Timestamp,
        event: &Event,
    ) -> Result<Applied, RecordsError> {
        mutation::apply(self, mutation, at, event).await
    }

    async fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            tenant_columns!(),
            " FROM tenants t WHERE t.id = $1"
        );
        let row = query(sql)
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await;
        one(row, |mut columns| columns.tenant())
    }

    async fn tenants(&self) -> Result<Vec<TenantRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            tenant_columns!(),
            " FROM tenants t ORDER BY t.id"
        );
        all(query(sql).fetch_all(&self.readers).await, |mut columns| {
            columns.tenant()
        })
    }

    async fn account(
        &self,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<Option<AccountRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            " FROM accounts a WHERE a.tenant = $1 AND a.id = $2 AND a.state <> 'deleted'"
        );
        let query = query(sql).bind(tenant.as_str()).bind(id.raw());
        one(query.fetch_optional(&self.readers).await, |mut columns| {
            columns.account()
        })
    }

    async fn account_named(
        &self,
        tenant: &TenantId,
        username: &str,
    ) -> Result<Option<AccountRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            " FROM accounts a WHERE a.tenant = $1 AND a.username_norm = $2 AND a.state <> 'deleted'"
        );
        let query = query(sql)
            .bind(tenant.as_str())
            .bind(username.to_lowercase());
        one(query.fetch_optional(&self.readers).await, |mut columns| {
            columns.account()
        })
    }

    async fn has_had_accounts(&self) -> Result<bool, RecordsError> {
        // Rows of deleted accounts stay.
        let sql = "SELECT count(*) FROM (SELECT 1 FROM accounts LIMIT 1) AS a";
        let row = query(sql).fetch_optional(&self.readers).await;
        Ok(one(row, |mut columns| columns.number())? == Some(1))
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        page: &Page,
    ) -> Result<Vec<AccountRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            " FROM accounts a WHERE a.tenant = $1 AND a.username_norm > $2 AND a.state <> 'deleted' \
             AND ($3 IS NULL OR a.kind = $3) ORDER BY a.username_norm LIMIT $4"
        );
        let query = query(sql)
            .bind(tenant.as_str())
            .bind(page.after.to_lowercase())
            .bind(page.kind.map(AccountKind::as_str))
            .bind(page.limit.min(PAGE_LIMIT));
        all(query.fetch_all(&self.readers).await, |mut columns| {
            columns.account()
        })
    }

    async fn search(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
        now: Timestamp,
    ) -> Result<(Vec<AccountSummary>, u64), RecordsError> {
        search::run(self, tenant, query, now).await
    }

    async fn pat(&self, tenant: &TenantId, id: PatId) -> Result<Option<PatRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            pat_columns!(),
            " FROM pats p JOIN accounts a ON a.id = p.account \
             WHERE p.tenant = $1 AND p.id = $2 AND p.kind = 'pat' AND a.state <> 'deleted'"
        );
        let query = query(sql).bind(tenant.as_str()).bind(id.raw());
        one(query.fetch_optional(&self.readers).await, |mut columns| {
            columns.pat()
        })
    }

    async fn pats(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<PatRecord>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            pat_columns!(),
            " FROM pats p WHERE p.tenant = $1 AND p.account = $2 AND p.kind = 'pat' \
             ORDER BY p.created DESC, p.id"
        );
        let query = query(sql).bind(tenant.as_str()).bind(account.raw());
        all(query.fetch_all(&self.readers).await, |mut columns| {
            columns.pat()
        })
    }

    async fn find_pat(&self, digest: &PatDigest) -> Result<Option<PatFacts>, RecordsError> {
        // One statement sees one moment.
        let sql = concat!(
            "SELECT ",
            pat_columns!(),
            ", p.digest, p.pepper, ",
            account_columns!(),
            ", ",
            tenant_columns!(),
            ", (SELECT coalesce(max(seq), 0) FROM revocations) FROM pats p \
             JOIN accounts a ON a.id = p.account JOIN tenants t ON t.id = p.tenant WHERE p.digest = $1"
        );
        let query = query(sql).bind(digest.as_bytes().as_slice());
        one(query.fetch_optional(&self.readers).await, |mut columns| {
            Ok(PatFacts {
                pat: columns.pat()?,
                digest: columns.digest()?,
                account: columns.account()?,
                tenant: columns.tenant()?,
                seq: columns.number()?,
            })
        })
    }

    async fn renew_digest(&self, from: &PatDigest, to: &PatDigest) -> Result<(), RecordsError> {
        let sql = "UPDATE pats SET digest = $2, pepper = $3 WHERE digest = $1";
        let renewal = query(sql)
            .bind(from.as_bytes().as_slice())
            .bind(to.as_bytes().as_slice())
            .bind(to.key());
        let done = renewal.execute(&self.writer).await;
        done.map(drop).map_err(unavailable)
    }

    async fn find_holder(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Option<HolderFacts>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            ", ",
            tenant_columns!(),
            ", (SELECT coalesce(max(seq), 0) FROM revocations) \
             FROM accounts a JOIN tenants t ON t.id = a.tenant \
             WHERE a.tenant = $1 AND a.id = $2 AND a.state <> 'deleted'"
        );
        let query = query(sql).bind(tenant.as_str()).bind(account.raw());
        one(query.fetch_optional(&self.readers).await, |mut columns| {
            Ok(HolderFacts {
                account: columns.account()?,
                tenant: columns.tenant()?,
                seq: columns.number()?,
            })
        })
    }

    async fn find_logins(
        &self,
        username: &str,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<Login>, RecordsError> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            ", ",
            tenant_columns!(),
            ", a.password, a.password_provisional, (SELECT coalesce(max(seq), 0) FROM revocations) \
             FROM accounts a JOIN tenants t ON t.id = a.tenant \
             WHERE a.username_norm = $1 AND a.kind = 'person' AND a.state <> 'deleted' \
             AND ($2 IS NULL OR a.tenant = $2) LIMIT 2"
        );
        let query = query(sql)
            .bind(username.to_lowercase())
            .bind(tenant.map(TenantId::as_str));
        all(query.fetch_all(&self.readers).await, |mut columns| {
            Ok(Login {
                account: columns.account()?,
                tenant: columns.tenant()?,
                password: columns.next::<Option<String>>()?.map(PasswordHash),
                is_provisional: columns.number()? != 0,
                seq: columns.number()?,
            })
        })
    }

    async fn revocations(&self, after: u64, limit: u32) -> Result<Vec<Revocation>, RecordsError> {
        let sql = "SELECT seq, at, tenant, account, pat, change, roles, expires, max_lifetime, not_before, \
                   networks, certificate FROM revocations WHERE seq > $1 ORDER BY seq LIMIT $2";
        let query = query(sql).bind(stored(after)).bind(limit);
        all(query.fetch_all(&self.readers).await, |mut columns| {
            columns.revocation()
        })
    }

    async fn newest_revocation(&self) -> Result<u64, RecordsError> {
        let sql = "SELECT coalesce(max(seq), 0) FROM revocations";
        let row = query(sql).fetch_optional(&self.readers).await;
        Ok(one(row, |mut columns| columns.number())?.unwrap_or(0))
    }

    async fn revocation_hint(&self) {
        self.hint().await;
    }

    async fn raise_time_mark(&self, now: Timestamp) -> Result<Timestamp, RecordsError> {
        let sql = "INSERT INTO marks (name, value) VALUES ('time', $1) \
                   ON CONFLICT (name) DO UPDATE SET value = CASE WHEN excluded.value > marks.value \
                   THEN excluded.value ELSE marks.value END RETURNING value";
        let row = query(sql)
            .bind(now.nanos())
            .fetch_optional(&self.writer)
            .await;
        let mark = one(row, |mut columns| columns.next::<i64>())?;
        Ok(mark.map_or(now, Timestamp::from_nanos))
    }

    async fn uses(
        &self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<(PatId, Use)>, RecordsError> {
        ending::uses(self, tenant, account).await
    }

    async fn ending(
        &self,
        until: Timestamp,
        after: Option<PatId>,
        limit: u32,
    ) -> Result<Vec<Ending>, RecordsError> {
        ending::ending(self, until, after, limit).await
    }

    async fn over(&self, before: Timestamp, limit: u32) -> Result<Vec<PatRecord>, RecordsError> {
        ending::over(self, before, limit).await
    }

    async fn swept(
        &self,
        tenant: &TenantId,
        sweep: &Sweep,
        now: Timestamp,
        after: Option<PatId>,
        limit: u32,
    ) -> Result<Vec<PatRecord>, RecordsError> {
        ending::swept(self, (tenant, after), sweep, now, limit).await
    }

    async fn note_uses(&self, uses: &[(PatId, Use)]) -> Result<(), RecordsError> {
        ending::note_uses(self, uses).await
    }
}

pub(super) fn one<T>(
    row: Result<Option<Row>, sqlx::Error>,
    read: impl for<'r> FnOnce(Columns<'r>) -> Result<T, sqlx::Error>,
) -> Result<Option<T>, RecordsError> {
    let row = row.map_err(unavailable)?;
    row.map(|row| read(Columns::of(&row)))
        .transpose()
        .map_err(unavailable)
}

pub(super) fn all<T>(
    rows: Result<Vec<Row>, sqlx::Error>,
    read: impl for<'r> Fn(Columns<'r>) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, RecordsError> {
    let rows = rows.map_err(unavailable)?;
    rows.iter()
        .map(|row| read(Columns::of(row)))
        .collect::<Result<_, _>>()
        .map_err(unavailable)
}
