//! The audit trail, chained (iam A1), and where its events are found (iam A6).

use async_trait::async_trait;

use crate::audit::Actor;
use crate::audit::Beginning;
use crate::audit::Event;
use crate::audit::EventQuery;
use crate::audit::Kind;
use crate::audit::Link;
use crate::audit::Log;
use crate::audit::LogError;
use crate::audit::MOST_EVENTS;
use crate::audit::hash_of;
use crate::audit::hex;
use crate::iam::AccountId;
use crate::iam::TokenKind;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::database::Row;
use super::database::Transaction;
use super::fault::unavailable;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

#[async_trait]
impl Log for Store {
    async fn append(&self, events: &[Event]) -> Result<(), LogError> {
        self.append_events(events).await.map_err(logged)
    }

    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, LogError> {
        let sql =
            "SELECT seq, body, previous, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows = query(sql).bind(stored(after)).bind(limit);
        links(rows.fetch_all(&self.readers).await)
    }

    async fn find(&self, asked: &EventQuery) -> Result<Vec<Link>, LogError> {
        let sql = "SELECT a.seq, a.body, a.previous, a.hash FROM audit_index i \
                   JOIN audit a ON a.seq = i.seq WHERE i.scope = $1 AND i.seq > $2 \
                   AND ($3 IS NULL OR i.kind = $3) \
                   AND ($4 IS NULL OR i.actor = $4 OR i.account = $4) \
                   AND i.at >= $5 AND i.at < $6 ORDER BY i.seq LIMIT $7";
        let rows = query(sql)
            .bind(asked.tenant.as_ref().map_or(EVERYWHERE, TenantId::as_str))
            .bind(stored(asked.after))
            .bind(asked.kind.map(Kind::as_str))
            .bind(asked.account.as_deref())
            .bind(asked.from.map_or(i64::MIN, Timestamp::nanos))
            .bind(asked.until.map_or(i64::MAX, Timestamp::nanos))
            .bind(asked.limit.min(MOST_EVENTS));
        links(rows.fetch_all(&self.readers).await)
    }

    async fn beginning(&self) -> Result<Beginning, LogError> {
        let row = query(BEGINNING).fetch_optional(&self.readers).await;
        beginning(row).map_err(logged)
    }

    async fn cut(&self, before: Timestamp, limit: u32, now: Timestamp) -> Result<u64, LogError> {
        self.cut_events(before, limit, now).await.map_err(logged)
    }
}

impl Store {
    async fn append_events(&self, events: &[Event]) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        let mut whole = Vec::with_capacity(events.len());
        for event in events {
            whole.push(complete(&mut transaction, event.clone()).await?);
        }
        append(&mut transaction, &whole).await?;
        transaction.commit().await?;
        announce(&whole);
        Ok(())
    }

    async fn cut_events(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let row = query(BEGINNING).fetch_optional(&mut transaction).await;
        let beginning = beginning(row)?;
        let sql = "SELECT i.seq, i.at, a.hash FROM audit_index i JOIN audit a ON a.seq = i.seq \
                   WHERE i.scope = $1 AND i.seq > $2 ORDER BY i.seq LIMIT $3";
        let rows = query(sql)
            .bind(EVERYWHERE)
            .bind(stored(beginning.seq))
            .bind(limit)
            .fetch_all(&mut transaction)
            .await?;
        let mut last = beginning;
        for row in &rows {
            let mut columns = Columns::of(row);
            let (seq, at) = (columns.number()?, columns.next::<i64>()?);
            if at >= before.nanos() {
                break;
            }
            last = Beginning {
                seq,
                hash: columns.hash()?,
            };
        }
        if last == beginning {
            return Ok(0);
        }
        let event = Event {
            detail: Some(format!("up to {}, {}", last.seq, hex(&last.hash))),
            ..Event::new(now, Kind::TrailCut, Actor::Gateway)
        };
        // Before the old ones go, so that the chain is never without an end to go on from.
        append(&mut transaction, &[event]).await?;
        forget(&mut transaction, last).await?;
        transaction.commit().await?;
        Ok(last.seq - beginning.seq)
    }
}

/// Removes all up to `last`, after which the chain begins then.
async fn forget(transaction: &mut Transaction, last: Beginning) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO audit_beginning (id, seq, hash) VALUES (1, $1, $2) \
               ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash";
    query(sql)
        .bind(stored(last.seq))
        .bind(last.hash.as_slice())
        .execute(&mut *transaction)
        .await?;
    for sql in [
        "DELETE FROM audit WHERE seq <= $1",
        "DELETE FROM audit_index WHERE seq <= $1",
    ] {
        query(sql)
            .bind(stored(last.seq))
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// Appends events within a transaction that has begun as the only writer, so nobody else takes the place.
pub(super) async fn append(
    transaction: &mut Transaction,
    events: &[Event],
) -> Result<(), sqlx::Error> {
    let newest = query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await;
    let Beginning {
        mut seq,
        hash: mut previous,
    } = beginning(newest)?;
    for event in events {
        seq += 1;
        let body = event.to_json();
        let hash = hash_of(seq, &previous, &body);
        query("INSERT INTO audit (seq, body, previous, hash) VALUES ($1, $2, $3, $4)")
            .bind(stored(seq))
            .bind(body)
            .bind(previous.as_slice())
            .bind(hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        // A name that a peer made up could be the scope of everything.
        let tenants = event.tenants().map(TenantId::as_str);
        let tenants = tenants.filter(|tenant| *tenant != EVERYWHERE);
        for scope in std::iter::once(EVERYWHERE).chain(tenants) {
            index(transaction, seq, scope, event).await?;
        }
        previous = hash;
    }
    Ok(())
}

/// Writes events that are stored into the log too, from where collectors take them to wherever they are wanted (iam A6).
/// The filter `tollgate::audit=off` silences them.
pub(super) fn announce(events: &[Event]) {
    for event in events {
        tracing::info!(target: "tollgate::audit", event = event.to_json(), "audit");
    }
}

/// Adds whose a token or an account is, where an event names it alone: who recorded it knew no more, and its tenant may
/// read of it.
async fn complete(transaction: &mut Transaction, mut event: Event) -> Result<Event, sqlx::Error> {
    let Some(subject) = event.subject.as_mut().filter(|_| event.tenant.is_none()) else {
        return Ok(event);
    };
    let is_token = subject.kind == TokenKind::Pat.as_str();
    let sql = match subject.kind {
        "account" => "SELECT tenant, id, username FROM accounts WHERE id = $1",
        _ if is_token => "SELECT tenant, account, name FROM pats WHERE id = $1",
        _ => return Ok(event),
    };
    let Ok(id) = subject.id.parse::<i64>() else {
        return Ok(event);
    };
    let found = query(sql).bind(id).fetch_optional(transaction).await?;
    if let Some(row) = found {
        let mut columns = Columns::of(&row);
        event.tenant = Some(columns.tenant_id()?);
        let account = AccountId::from_raw(columns.next()?).to_string();
        event.account = Some(account).filter(|_| is_token);
        subject.name = Some(columns.next()?);
    }
    Ok(event)
}

/// Makes an event findable in one scope.
async fn index(
    transaction: &mut Transaction,
    seq: u64,
    scope: &str,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let actor = match &event.actor {
        Actor::Account { id, .. } => Some(id.as_str()),
        Actor::Gateway | Actor::Operator | Actor::Unknown => None,
    };
    let sql = "INSERT INTO audit_index (seq, scope, at, kind, actor, account) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    query(sql)
        .bind(stored(seq))
        .bind(scope)
        .bind(event.at.nanos())
        .bind(event.kind.as_str())
        .bind(actor)
        .bind(event.about())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// A place in the chain; its very beginning where there is no row.
fn beginning(row: Result<Option<Row>, sqlx::Error>) -> Result<Beginning, sqlx::Error> {
    let Some(row) = row? else {
        return Ok(Beginning::default());
    };
    let mut columns = Columns::of(&row);
    Ok(Beginning {
        seq: columns.number()?,
        hash: columns.hash()?,
    })
}

fn links(rows: Result<Vec<Row>, sqlx::Error>) -> Result<Vec<Link>, LogError> {
    let link = |row: &Row| {
        let mut columns = Columns::of(row);
        Ok(Link {
            seq: columns.number()?,
            body: columns.next()?,
            previous: columns.hash()?,
            hash: columns.hash()?,
        })
    };
    let rows = rows.map_err(logged)?;
    rows.iter()
        .map(link)
        .collect::<Result<_, _>>()
        .map_err(logged)
}

pub(super) fn logged(error: sqlx::Error) -> LogError {
    // The text for people is in the log; nobody needs more.
    let _ = unavailable(error);
    LogError
}

/// The scope of those who may read of everything. No tenant has an empty name.
const EVERYWHERE: &str = "";

const BEGINNING: &str = "SELECT seq, hash FROM audit_beginning";
