//! `admin audit`.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::audit::EventQuery;
use crate::audit::Link;
use crate::audit::VerifyError;
use crate::audit::hex;
use crate::cli::output;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::args::Audit;
use super::args::EventArgs;
use super::error::AdminError;
use super::run::Desk;

/// Does what the verb says.
pub(super) async fn run(desk: &Desk, verb: Audit) -> Result<Value, AdminError> {
    match verb {
        Audit::List(args) => {
            let query = query(args)?;
            let links = desk.accounts.events(&desk.caller, &query).await?;
            Ok(links.iter().map(view).collect())
        }
        Audit::Verify => verify(desk).await,
    }
}

/// The first entry that does not fit is printed whole: it is what an auditor looks at.
async fn verify(desk: &Desk) -> Result<Value, AdminError> {
    match desk.accounts.verify_events().await {
        Ok(verified) => Ok(json!({
            "state": "the chain holds",
            "events": verified.seq - verified.beginning.seq,
            "first": verified.beginning.seq + 1,
            "last": verified.seq,
            "hash": hex(&verified.hash),
        })),
        Err(VerifyError::Broken(entry)) => {
            // Where nobody reads it, the exit code still says it.
            let _unread = output::line(&format!("broken: {} {}", entry.seq, entry.body));
            Err(AdminError::Audit(VerifyError::Broken(entry)))
        }
        Err(error) => Err(AdminError::Audit(error)),
    }
}

fn query(args: EventArgs) -> Result<EventQuery, AdminError> {
    let time = |text: Option<String>| {
        text.map(|text| Timestamp::parse_rfc3339(&text).map_err(AdminError::Expiry))
            .transpose()
    };
    Ok(EventQuery {
        tenant: args.tenant.map(TenantId::new),
        after: args.after,
        limit: args.limit,
        kind: args.kind,
        account: args.account,
        from: time(args.from)?,
        until: time(args.to)?,
    })
}

/// The members that every event has a column for; the rest in one.
fn view(link: &Link) -> Value {
    let mut body: Map<String, Value> = serde_json::from_str(&link.body).unwrap_or_default();
    let mut row = Map::from_iter([("seq".to_owned(), Value::from(link.seq))]);
    for column in ["at", "event", "outcome", "tenant", "actor", "reason"] {
        row.insert(
            column.to_owned(),
            body.shift_remove(column).unwrap_or_default(),
        );
    }
    let rest = body.into_iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    let rest = rest.collect::<Vec<_>>().join(" ");
    row.insert("about".to_owned(), rest.into());
    Value::Object(row)
}
