//! The identity records: what is read and noted of the use and the end of tokens.

use crate::audit;
use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::iam::AccountId;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::Sweep;
use crate::iam::TokenKind;
use crate::iam::Use;
use crate::iam::port::Ending;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::database::Transaction;
use super::fault::unavailable;
use super::log;
use super::query::query;
use super::records::all;
use super::rows::Columns;
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

pub(super) async fn swept(
    store: &Store,
    (tenant, after): (&TenantId, Option<PatId>),
    sweep: &Sweep,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<PatRecord>, RecordsError> {
    let sql = concat!(
        "SELECT ",
        pat_columns!(),
        " FROM pats p WHERE p.tenant = $1 AND p.id > $2 AND p.kind = 'pat' AND p.revoked IS NULL \
         AND p.expires > $3 AND p.created < $4 AND p.created < $5 \
         AND coalesce(p.last_used, p.created) < $5 AND p.expires < $6 ORDER BY p.id LIMIT $7"
    );
    let before = |at: Option<Timestamp>| at.map_or(i64::MAX, Timestamp::nanos);
    let reading = query(sql)
        .bind(tenant.as_str())
        .bind(after.map_or(i64::MIN, PatId::raw))
        .bind(now.secs())
        .bind(before(sweep.created_before))
        .bind(before(sweep.unused_since))
        .bind(sweep.expires_before.map_or(i64::MAX, Expiry::secs))
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
    for some in uses.chunks(USES_AT_ONCE) {
        note_some(store, some).await?;
    }
    Ok(())
}

async fn note_some(store: &Store, uses: &[(PatId, Use)]) -> Result<(), RecordsError> {
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
    let mut events = Vec::new();
    for (id, used) in uses {
        let found = new_place(&mut transaction, *id, used).await;
        events.extend(found.map_err(unavailable)?);
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
    log::append(&mut transaction, &events)
        .await
        .map_err(unavailable)?;
    transaction.commit().await.map_err(unavailable)?;
    log::announce(&events);
    Ok(())
}

/// Remembers from where a token was used. An event where that is new (iam A1): the first use at all, or one from another
/// place than before. A token that was used from very many places is a fleet's, of which one more place says nothing.
async fn new_place(
    transaction: &mut Transaction,
    id: PatId,
    used: &Use,
) -> Result<Option<Event>, sqlx::Error> {
    let sql = "INSERT INTO pat_addresses (pat, address) SELECT p.id, $2 FROM pats p \
               WHERE p.id = $1 AND p.kind = 'pat' \
               AND (SELECT count(*) FROM pat_addresses k WHERE k.pat = $1) < $3 ON CONFLICT DO NOTHING";
    let is_new = query(sql)
        .bind(id.raw())
        .bind(used.address.to_string())
        .bind(KEPT_ADDRESSES)
        .execute(&mut *transaction)
        .await?;
    if is_new == 0 {
        return Ok(None);
    }
    let sql = "SELECT tenant, account, name, last_used FROM pats WHERE id = $1";
    let found = query(sql).bind(id.raw());
    let row = found.fetch_one(transaction).await?;
    let mut columns = Columns::of(&row);
    let (tenant, account) = (columns.tenant_id()?, columns.next::<i64>()?);
    let (name, last_used) = (columns.next()?, columns.maybe_time()?);
    let account = AccountId::from_raw(account).to_string();
    let kind = match last_used {
        None => Kind::PatFirstUsed,
        Some(_) => Kind::PatUsedElsewhere,
    };
    let actor = Actor::Account {
        id: account.clone(),
        tenant: tenant.clone(),
        token: Some(id.to_string()),
        certificate: None,
    };
    Ok(Some(Event {
        origin: audit::Origin {
            address: Some(used.address),
            protocol: PROTOCOLS.into_iter().find(|known| *known == used.protocol),
            request: None,
            user_agent: Some(used.client.clone()).filter(|client| !client.is_empty()),
        },
        tenant: Some(tenant),
        subject: Some(Subject {
            kind: TokenKind::Pat.as_str(),
            id: id.to_string(),
            name: Some(name),
        }),
        account: Some(account),
        ..Event::new(used.at, kind, actor)
    }))
}

/// Uses of tokens that are noted in one go: a tenth of a second, for which other writers wait.
const USES_AT_ONCE: usize = 200;

/// Uses that are kept of one token (iam 1, row 19).
const KEPT_USES: i64 = 5;

/// Addresses that are remembered of one token.
const KEPT_ADDRESSES: i64 = 100;

/// By which tokens are used.
const PROTOCOLS: [&str; 2] = ["gnmi", "https"];
