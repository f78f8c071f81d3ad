//! The identity records: bounds on tokens, and telling of their end.

use crate::iam::AccountId;
use crate::iam::AccountPolicy;
use crate::iam::Affected;
use crate::iam::Bounds;
use crate::iam::Change;
use crate::iam::Limit;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::TenantPolicy;
use crate::iam::TokenKind;
use crate::iam::port::Handle;
use crate::iam::port::RecordsError;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::fault::unavailable;
use super::mutation::Writer;
use super::query::query;
use super::rows::Columns;
use super::rows::NETWORKS;
use super::rows::joined;
use super::rows::stored;
use super::rows::tenant_columns;

impl Writer {
    pub(super) async fn set_tenant_policy(
        &mut self,
        id: &TenantId,
        policy: &TenantPolicy,
    ) -> Result<(), RecordsError> {
        let sql = concat!(
            "SELECT ",
            tenant_columns!(),
            " FROM tenants t WHERE t.id = $1"
        );
        let row = query(sql)
            .bind(id.as_str())
            .fetch_optional(&mut self.transaction)
            .await
            .map_err(unavailable)?
            .ok_or(RecordsError::NotFound("tenant"))?;
        let before = Columns::of(&row).tenant().map_err(unavailable)?;
        let lifetime = policy.max_pat_lifetime.after(before.max_pat_lifetime);
        let not_before = before.tokens_not_before.max(policy.tokens_not_before);
        let number = |given: Limit<u32>, known| given.after(known).map(i64::from);
        let sql = "UPDATE tenants SET max_pat_lifetime = $2, tokens_not_before = $3, max_pats = $4, \
                   max_account_pats = $5 WHERE id = $1";
        query(sql)
            .bind(id.as_str())
            .bind(lifetime.map(|lifetime| stored(lifetime.as_secs())))
            .bind(not_before.map(Timestamp::nanos))
            .bind(number(policy.max_pats, before.max_pats))
            .bind(number(policy.max_account_pats, before.max_account_pats))
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        if lifetime != before.max_pat_lifetime {
            self.warn_again(id).await?;
        }
        let bounds = Bounds {
            max_lifetime: lifetime,
            not_before,
            networks: Vec::new(),
        };
        self.note(
            id,
            Affected::Tenant(id.clone()),
            Change::Bounds(bounds.into()),
        )
        .await
    }

    pub(super) async fn set_account_policy(
        &mut self,
        account: &Handle,
        policy: &AccountPolicy,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql = "SELECT networks, tokens_not_before FROM accounts WHERE id = $1";
        let row = query(sql)
            .bind(account.id.raw())
            .fetch_one(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        let mut columns = Columns::of(&row);
        let known = columns.list("network", NETWORKS).map_err(unavailable)?;
        let before = columns.maybe_time().map_err(unavailable)?;
        let networks = policy.networks.clone().unwrap_or(known);
        let not_before = before.max(policy.tokens_not_before);
        let sql = "UPDATE accounts SET networks = $2, tokens_not_before = $3, updated = $4, \
                   version = version + 1 WHERE id = $1";
        query(sql)
            .bind(account.id.raw())
            .bind(joined(&networks, NETWORKS))
            .bind(not_before.map(Timestamp::nanos))
            .bind(self.at.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        let bounds = Bounds {
            max_lifetime: None,
            not_before,
            networks,
        };
        let subject = Affected::Account(account.id);
        self.note(&account.tenant, subject, Change::Bounds(bounds.into()))
            .await
    }

    /// Refuses a token beyond what the tenant or the account may have. `instead_of` does not count: it is replaced.
    pub(super) async fn check_quota(
        &mut self,
        pat: &PatRecord,
        instead_of: Option<PatId>,
    ) -> Result<(), RecordsError> {
        if pat.kind != TokenKind::Pat {
            return Ok(());
        }
        let sql = "SELECT max_pats, max_account_pats FROM tenants WHERE id = $1";
        let row = query(sql)
            .bind(pat.tenant.as_str())
            .fetch_optional(&mut self.transaction)
            .await
            .map_err(unavailable)?
            .ok_or(RecordsError::NotFound("tenant"))?;
        let mut columns = Columns::of(&row);
        let most: Option<i64> = columns.next().map_err(unavailable)?;
        let most_of_account: Option<i64> = columns.next().map_err(unavailable)?;
        let instead_of = instead_of.map_or(NONE, PatId::raw);
        let counts = [
            ("tenant", most, None),
            ("account", most_of_account, Some(pat.account)),
        ];
        for (whose, most, account) in counts {
            if let Some(most) = most
                && self.active(&pat.tenant, account, instead_of).await? >= most
            {
                return Err(RecordsError::QuotaExceeded(whose));
            }
        }
        Ok(())
    }

    pub(super) async fn purge_pat(
        &mut self,
        tenant: &TenantId,
        id: PatId,
        before: Timestamp,
    ) -> Result<(), RecordsError> {
        let sql = "DELETE FROM pats WHERE id = $1 AND tenant = $2 AND (revoked < $3 OR expires < $4 \
                   OR EXISTS (SELECT 1 FROM accounts a WHERE a.id = pats.account \
                   AND pats.created < a.tokens_not_before AND a.tokens_not_before < $3) \
                   OR EXISTS (SELECT 1 FROM tenants t WHERE t.id = pats.tenant \
                   AND pats.created < t.tokens_not_before AND t.tokens_not_before < $3))";
        let rows = query(sql)
            .bind(id.raw())
            .bind(tenant.as_str())
            .bind(before.nanos())
            .bind(before.secs())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        found(rows)
    }

    pub(super) async fn warn_pat(
        &mut self,
        tenant: &TenantId,
        id: PatId,
        days: u32,
    ) -> Result<(), RecordsError> {
        let sql = "UPDATE pats SET warned = $3 WHERE id = $1 AND tenant = $2 AND revoked IS NULL \
                   AND (warned IS NULL OR warned > $3)";
        let rows = query(sql)
            .bind(id.raw())
            .bind(tenant.as_str())
            .bind(i64::from(days))
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        found(rows)
    }

    /// The ends of a tenant's tokens have moved.
    async fn warn_again(&mut self, tenant: &TenantId) -> Result<(), RecordsError> {
        let sql = "UPDATE pats SET warned = NULL \
                   WHERE tenant = $1 AND revoked IS NULL AND warned IS NOT NULL";
        query(sql)
            .bind(tenant.as_str())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// How many tokens of a tenant, or of one account, are neither revoked nor expired.
    async fn active(
        &mut self,
        tenant: &TenantId,
        account: Option<AccountId>,
        without: i64,
    ) -> Result<i64, RecordsError> {
        let (of_tenant, of_account) = (
            concat!("SELECT count(*)", active_pats!(), " AND i.tenant = $2"),
            concat!(
                "SELECT count(*)",
                active_pats!(),
                " AND i.tenant = $2 AND i.account = $4"
            ),
        );
        let counting = |text| {
            let bound = query(text).bind(self.at.secs()).bind(tenant.as_str());
            bound.bind(without)
        };
        let counting = match account {
            None => counting(of_tenant),
            Some(account) => counting(of_account).bind(account.raw()),
        };
        let row = counting
            .fetch_one(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        Columns::of(&row).next().map_err(unavailable)
    }
}

fn found(rows: u64) -> Result<(), RecordsError> {
    if rows == 0 {
        Err(RecordsError::NotFound("token"))
    } else {
        Ok(())
    }
}

/// Tokens that are neither revoked nor expired at `$1`, but for `$3`: what [`crate::iam::standing`] says of them.
macro_rules! active_pats {
    () => {
        " FROM pats i JOIN accounts b ON b.id = i.account JOIN tenants t ON t.id = i.tenant \
         WHERE i.kind = 'pat' AND i.revoked IS NULL AND i.expires > $1 AND b.expires > $1 \
         AND i.created >= coalesce(b.tokens_not_before, i.created) \
         AND i.created >= coalesce(t.tokens_not_before, i.created) \
         AND (t.max_pat_lifetime IS NULL OR i.created / 1000000000 + t.max_pat_lifetime > $1) \
         AND i.id <> $3"
    };
}

use active_pats;

/// No id: those have eighteen digits.
const NONE: i64 = 0;
