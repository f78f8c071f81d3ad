//! The identity records: what is read and noted of the use and the end of tokens.

use crate::iam::AccountId;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::Use;
use crate::iam::port::Ending;
use crate::iam::port::RecordsError;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::fault::unavailable;
use super::query::query;
use super::records::all;
use super::rows::account_columns;
use super::rows::pat_columns;
use super::rows::tenant_columns;

pub(super) async fn ending(
    store: &Store,
    until: Timestamp,
    after: Option<PatId>,
    limit: u32,
) -> Result<Vec<Ending>, RecordsError> {
    let sql = concat!(
        "SELECT ",
        pat_columns!(),
        ", ",
        account_columns!(),
        ", ",
        tenant_columns!(),
        ", p.warned FROM pats p JOIN accounts a ON a.id = p.account JOIN tenants t ON t.id = p.tenant \
         WHERE p.id > $1 AND p.kind = 'pat' AND p.revoked IS NULL \
         AND (p.warned IS NULL OR p.warned > 0) AND (p.expires < $2 \
         OR p.created / 1000000000 + t.max_pat_lifetime < $2) ORDER BY p.id LIMIT $3"
    );
    let reading = query(sql)
        .bind(after.map_or(i64::MIN, PatId::raw))
        .bind(until.secs())
        .bind(i64::from(limit));
    all(reading.fetch_all(&store.readers).await, |mut columns| {
        Ok(Ending {
            pat: columns.pat()?,
            account: columns.account()?,
            tenant: columns.tenant()?,
            warned: columns.maybe_count()?,
        })
    })
}

pub(super) async fn over(
    store: &Store,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<PatRecord>, RecordsError> {
    let sql = concat!(
        "SELECT ",
        pat_columns!(),
        " FROM pats p JOIN accounts a ON a.id = p.account JOIN tenants t ON t.id = p.tenant \
         WHERE p.kind = 'pat' AND (p.revoked < $1 OR p.expires < $2 \
         OR (p.created < a.tokens_not_before AND a.tokens_not_before < $1) \
         OR (p.created < t.tokens_not_before AND t.tokens_not_before < $1)) ORDER BY p.id LIMIT $3"
    );
    let reading = query(sql)
        .bind(before.nanos())
        .bind(before.secs())
        .bind(i64::from(limit));
    all(reading.fetch_all(&store.readers).await, |mut columns| {
        columns.pat()
    })
}

pub(super) async fn uses(
    store: &Store,
    tenant: &TenantId,
    account: AccountId,
) -> Result<Vec<(PatId, Use)>, RecordsError> {
    let sql = "SELECT u.pat, u.at, u.address, u.protocol, u.client \
               FROM pat_uses u JOIN pats p ON p.id = u.pat WHERE p.tenant = $1 AND p.account = $2 \
               ORDER BY u.at DESC, u.address";
    let reading = query(sql).bind(tenant.as_str()).bind(account.raw());
    all(reading.fetch_all(&store.readers).await, |mut columns| {
        columns.token_use()
    })
}

pub(super) async fn note_uses(store: &Store, uses: &[(PatId, Use)]) -> Result<(), RecordsError> {
    let mut transaction = store.begin().await.map_err(unavailable)?;
    let newest = "UPDATE pats SET last_used = $2, last_used_from = $3 \
                  WHERE id = $1 AND coalesce(last_used, 0) < $2";
    // The token may have been purged meanwhile.
    let one = "INSERT INTO pat_uses (pat, at, address, protocol, client) \
               SELECT p.id, $2, $3, $4, $5 \
               FROM pats p WHERE p.id = $1 ON CONFLICT (pat, address, protocol, client) \
               DO UPDATE SET at = excluded.at WHERE pat_uses.at < excluded.at";
    let older = "DELETE FROM pat_uses WHERE pat = $1 AND at < (SELECT min(n.at) FROM \
                 (SELECT at FROM pat_uses WHERE pat = $1 ORDER BY at DESC LIMIT $2) n)";
    for (id, used) in uses {
        let (at, address) = (used.at.nanos(), used.address.to_string());
        query(newest)
            .bind(id.raw())
            .bind(at)
            .bind(&address)
            .execute(&mut transaction)
            .await
            .map_err(unavailable)?;
        query(one)
            .bind(id.raw())
            .bind(at)
            .bind(&address)
            .bind(&used.protocol)
            .bind(&used.client)
            .execute(&mut transaction)
            .await
            .map_err(unavailable)?;
        query(older)
            .bind(id.raw())
            .bind(KEPT_USES)
            .execute(&mut transaction)
            .await
            .map_err(unavailable)?;
    }
    transaction.commit().await.map_err(unavailable)
}

/// Uses that are kept of one token (iam 1, row 19).
const KEPT_USES: i64 = 5;
