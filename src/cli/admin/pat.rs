//! `admin pat`.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::clock::Clock;
use crate::iam::Issued;
use crate::iam::NewPat;
use crate::iam::PatRecord;
use crate::iam::PatView;
use crate::iam::Scope;
use crate::iam::Sweep;
use crate::model::Expiry;
use crate::model::TenantId;

use super::account::any;
use super::account::read_networks;
use super::account::read_not_before;
use super::args::Conditions;
use super::args::Pat;
use super::error::AdminError;
use super::run::Desk;

/// Does what the verb says.
pub(super) async fn run(desk: &Desk, verb: Pat) -> Result<Value, AdminError> {
    let Desk {
        accounts,
        caller,
        clock,
    } = desk;
    match verb {
        Pat::Create {
            tenant,
            account,
            ttl,
            expires,
            name,
            description,
            scopes,
            networks,
        } => {
            let scopes = read_scopes(&scopes)?;
            let networks = read_networks(&networks)?;
            let expires = read_expiry(ttl.as_deref(), expires.as_deref(), clock)?;
            let found = any(desk, &tenant, &account).await?;
            let new = NewPat {
                name,
                description,
                scopes,
                networks,
                ..NewPat::until(expires)
            };
            let issued = accounts
                .create_pat(caller, &found.tenant, found.id, new)
                .await?;
            Ok(issued_view(&issued))
        }
        Pat::List { tenant, account } => list(desk, &tenant, &account).await,
        Pat::Revoke { tenant, id } => {
            let id = id.parse().map_err(|_| AdminError::Id)?;
            let pat = accounts
                .revoke_pat(caller, &TenantId::new(tenant), id)
                .await?;
            Ok(view(&pat, "revoked"))
        }
        Pat::RevokeMatching {
            tenant,
            conditions,
            dry_run,
        } => revoke_matching(desk, &TenantId::new(tenant), &conditions, dry_run).await,
        Pat::RevokeAll { tenant, account } => {
            let found = any(desk, &tenant, &account).await?;
            accounts
                .revoke_all_pats(caller, &found.tenant, found.id)
                .await?;
            Ok(json!({ "account": found.username, "state": "all tokens revoked" }))
        }
    }
}

async fn list(desk: &Desk, tenant: &str, account: &str) -> Result<Value, AdminError> {
    let found = any(desk, tenant, account).await?;
    let pats = desk.accounts.pats(&desk.caller, &found.tenant, found.id);
    let view = |pat: &PatView| view(&pat.record, pat.standing.as_str());
    Ok(pats.await?.iter().map(view).collect())
}

async fn revoke_matching(
    desk: &Desk,
    tenant: &TenantId,
    conditions: &Conditions,
    is_rehearsal: bool,
) -> Result<Value, AdminError> {
    let sweep = sweep_of(desk, conditions)?;
    let swept = desk
        .accounts
        .sweep(&desk.caller, tenant, sweep, is_rehearsal);
    let swept = swept.await?;
    Ok(json!({ "matched": swept.matched, "revoked": swept.revoked }))
}

fn sweep_of(desk: &Desk, conditions: &Conditions) -> Result<Sweep, AdminError> {
    let since = |text| {
        let time = parse_ttl(text).ok_or(AdminError::Duration("unused-for"))?;
        Ok::<_, AdminError>(desk.accounts.now().saturating_sub(time))
    };
    let expires_before = conditions.expires_before.as_deref();
    Ok(Sweep {
        created_before: read_not_before(desk, conditions.created_before.as_deref())?,
        unused_since: conditions.unused_for.as_deref().map(since).transpose()?,
        expires_before: expires_before
            .map(|text| Expiry::parse_rfc3339(text).map_err(AdminError::Expiry))
            .transpose()?,
    })
}

/// The only time at which the token itself is shown.
fn issued_view(issued: &Issued) -> Value {
    let mut view = view(&issued.record, "active");
    if let Some(object) = view.as_object_mut() {
        object.insert("token".to_owned(), issued.token.expose().into());
    }
    view
}

fn read_scopes(texts: &[String]) -> Result<Vec<Scope>, AdminError> {
    let scopes = texts.iter().map(|text| text.parse());
    scopes.collect::<Result<_, _>>().map_err(AdminError::Scope)
}

fn read_expiry(
    ttl: Option<&str>,
    expires: Option<&str>,
    clock: &Clock,
) -> Result<Expiry, AdminError> {
    if let Some(text) = expires {
        return Expiry::parse_rfc3339(text).map_err(AdminError::Expiry);
    }
    let ttl = ttl.and_then(parse_ttl).ok_or(AdminError::Duration("ttl"))?;
    // Expiries count whole seconds: the token lives up to one less than was asked for, never longer.
    let secs = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
    Ok(Expiry::from_secs(clock.now().secs().saturating_add(secs)))
}

fn view(pat: &PatRecord, state: &str) -> Value {
    json!({
        "id": pat.id.to_string(),
        "name": pat.name,
        "state": state,
        "expires": pat.expires.to_string(),
        "created": pat.created.to_string(),
        "scopes": pat.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "networks": pat.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "last_used": pat.last_used.map(|used| format!("{} from {}", used.at, used.address)),
        "hint": format!("...{}", pat.hint),
    })
}

/// A number with `s`, `m`, `h`, `d` or `y` (365 days).
pub(super) fn parse_ttl(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(number)? {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "y" => 365 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(
        number.parse::<u64>().ok()?.checked_mul(unit)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_has_a_number_and_a_unit() {
        assert_eq!(parse_ttl("90d"), Some(Duration::from_hours(90 * 24)));
        assert_eq!(parse_ttl("1s"), Some(Duration::from_secs(1)));
        for bad in [
            "",
            "d",
            "90",
            "-1d",
            "1.5h",
            "9w",
            "99999999999999999999d",
            "1d1h",
        ] {
            assert_eq!(parse_ttl(bad), None, "{bad}");
        }
    }
}
