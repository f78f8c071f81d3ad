//! `/api/v2/auth/certificates`: operators see what was issued, and revoke it (restconf-pki 3.5.1).

use axum::body::Body;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::iam::AccountId;
use crate::iam::Caller;
use crate::iam::PatId;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Reason;
use crate::pki::port::CertificateQuery;
use crate::pki::port::PAGE_LIMIT;
use crate::pki::port::Revoke;
use crate::pki::port::Which;

use super::Service;
use super::admission::Asker;
use super::admission::Schemes;
use super::asked::pairs;
use super::body::collect;
use super::body::media_type;
use super::body::unsupported;
use super::error::Refusal;
use super::reply;
use super::view;

/// Certificates of the tenant, the newest first: `?username=`, `?tokenId=`, `?active=true`, `?offset=`, `?limit=`.
pub(super) async fn list(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let (asker, tenant) = service.manager(&parts).await?;
    let mut query = CertificateQuery {
        tenant: Some(tenant.clone()),
        limit: PAGE_LIMIT,
        ..CertificateQuery::default()
    };
    let now = service.clock.now();
    for (name, value) in pairs(&parts.uri)? {
        let wrong = || Refusal::parameter(&name, "has no such value");
        match name.as_str() {
            "username" => {
                let account = service.account(&asker, &tenant, &value).await?;
                query.account = Some(account.raw());
            }
            "tokenId" => {
                let token: PatId = value.parse().map_err(|_| wrong())?;
                query.token = Some(token.raw());
            }
            "active" if value == "true" => query.active_at = Some(now),
            "active" if value == "false" => {}
            "offset" => query.offset = value.parse().map_err(|_| wrong())?,
            "limit" => query.limit = value.parse().map_err(|_| wrong())?,
            "active" => return Err(wrong()),
            _ => return Err(Refusal::malformed("invalid_parameter", "not known")),
        }
    }
    let found = service.certificates.certificates(&query).await?;
    let items: Vec<Value> = found
        .iter()
        .map(|record| view::certificate(record, now))
        .collect();
    Ok(answer(&json!({ "certificates": items })))
}

/// One certificate.
pub(super) async fn read(
    State(service): State<Service>,
    Path(serial): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let (_, tenant) = service.manager(&parts).await?;
    let found = service.certificates.certificate(parse(&serial)?).await?;
    // What another tenant has is not there (iam X4).
    let record = found
        .filter(|record| record.tenant == tenant)
        .ok_or_else(|| Refusal::not_found("certificate"))?;
    Ok(answer(&view::certificate(&record, service.clock.now())))
}

/// Revokes one.
pub(super) async fn revoke_one(
    State(service): State<Service>,
    Path(serial): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (asker, tenant) = service.manager(&parts).await?;
    let mut members = object(&parts, body).await?;
    let reason = take_reason(&mut members)?;
    nothing_else(&members)?;
    let which = Which::Serial(parse(&serial)?);
    service.revoke_which(&asker, tenant, which, reason).await
}

/// Revokes by exactly one of `serial`, `username`, `tokenId` and `issuedBefore`.
pub(super) async fn revoke_many(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (asker, tenant) = service.manager(&parts).await?;
    let mut members = object(&parts, body).await?;
    let reason = take_reason(&mut members)?;
    let mut by = members.iter();
    let (Some((name, value)), None) = (by.next(), by.next()) else {
        let detail = "give exactly one of serial, username, tokenId, issuedBefore";
        return Err(Refusal::malformed("invalid_field", detail));
    };
    let wrong = |what: &str| Refusal::malformed("invalid_field", format!("value {what}"));
    let text = value.as_str().ok_or_else(|| wrong("is not text"))?;
    let which = match name.as_str() {
        "serial" => Which::Serial(parse(text)?),
        "username" => Which::Account(service.account(&asker, &tenant, text).await?.raw()),
        "tokenId" => {
            let token: PatId = text.parse().map_err(|_| wrong("is not a token's id"))?;
            Which::Token(token.raw())
        }
        "issuedBefore" => {
            let at = Timestamp::parse_rfc3339(text).map_err(|_| wrong("is not a time"))?;
            Which::IssuedBefore(at)
        }
        _ => return Err(wrong("has no such name")),
    };
    service.revoke_which(&asker, tenant, which, reason).await
}

impl Service {
    async fn manager(&self, parts: &Parts) -> Result<(Asker, TenantId), Refusal> {
        let asker = self.asker(parts, Schemes::Bearer).await?;
        match self.may_manage(&asker, parts).await {
            Ok(tenant) => Ok((asker, tenant)),
            Err(refusal) => {
                if let Some(address) = asker.origin.address {
                    let from = (address, &asker.origin);
                    self.authenticator
                        .note_denied(&asker.principal, refusal.code, from);
                }
                Err(refusal)
            }
        }
    }

    async fn account(
        &self,
        asker: &Asker,
        tenant: &TenantId,
        username: &str,
    ) -> Result<AccountId, Refusal> {
        let caller = Caller::principal(&asker.principal, asker.origin.clone());
        let account = self.accounts.account_named(&caller, tenant, username);
        Ok(account.await?.id)
    }

    async fn revoke_which(
        &self,
        asker: &Asker,
        tenant: TenantId,
        which: Which,
        reason: Reason,
    ) -> Result<Response, Refusal> {
        let now = self.clock.now();
        let event = Event {
            origin: asker.origin.clone(),
            tenant: Some(tenant.clone()),
            subject: Some(subject(which)),
            detail: Some(format!("reason {reason}")),
            ..Event::new(now, Kind::CertificateRevoked, asker.actor())
        };
        let revocation = Revoke {
            which,
            tenant: Some(tenant),
            reason,
        };
        let revoked = self.certificates.revoke(&revocation, now, &event).await?;
        // This node obeys at once; the others as soon as they have read the log.
        self.revoked.add(revoked.iter().copied());
        let serials: Vec<String> = revoked.iter().map(ToString::to_string).collect();
        Ok(answer(&json!({ "revoked": serials })))
    }
}

/// What an event of a revocation is about.
fn subject(which: Which) -> Subject {
    let (kind, id) = match which {
        Which::Account(id) => ("account", id.to_string()),
        Which::IssuedBefore(at) => ("certificates issued before", at.to_string()),
        Which::Serial(serial) => ("certificate", serial.to_string()),
        Which::Token(id) => ("pat", id.to_string()),
    };
    Subject {
        kind,
        id,
        name: None,
    }
}

fn parse(serial: &str) -> Result<Serial, Refusal> {
    serial
        .parse()
        .map_err(|_| Refusal::malformed("invalid_field", "serial is not a serial number"))
}

/// The members of a JSON body; none when there is no body.
async fn object(parts: &Parts, body: Body) -> Result<Map<String, Value>, Refusal> {
    let body = collect(body, BODY_BYTES).await?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    if media_type(&parts.headers) != reply::JSON {
        return Err(unsupported("send application/json"));
    }
    if let Ok(Value::Object(members)) = serde_json::from_slice(&body) {
        Ok(members)
    } else {
        let detail = "body is not a JSON object";
        Err(Refusal::malformed("invalid_json", detail))
    }
}

fn take_reason(members: &mut Map<String, Value>) -> Result<Reason, Refusal> {
    let Some(value) = members.remove("reason") else {
        return Ok(Reason::Unspecified);
    };
    let reason = value.as_str().and_then(|word| word.parse().ok());
    reason.ok_or_else(|| {
        let detail = "reason is none of RFC 5280 that fits: keyCompromise, affiliationChanged, superseded, \
                      cessationOfOperation, privilegeWithdrawn, unspecified";
        Refusal::malformed("invalid_field", detail)
    })
}

fn nothing_else(members: &Map<String, Value>) -> Result<(), Refusal> {
    if members.is_empty() {
        Ok(())
    } else {
        let detail = "body has other members than reason";
        Err(Refusal::malformed("invalid_field", detail))
    }
}

fn answer(body: &Value) -> Response {
    reply::answer(reply::JSON, body.to_string())
}

/// A handful of members.
const BODY_BYTES: usize = 4 << 10;
