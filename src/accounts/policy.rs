//! Bounds on the tokens of a tenant, and of one account.

use std::time::Duration;

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::TenantPolicy;
use crate::iam::TenantRecord;

use super::Service;
use super::error::Refusal;
use super::fields::Fields;
use super::media::Media;
use super::request::Incoming;
use super::view;
use super::view::Members;

type Shape = Result<Response, Refusal>;

/// The policy of the tenant that the header names.
pub(super) async fn read_tenant(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let tenant = service.accounts.tenant_policy(caller, tenant).await?;
    Ok(view::answer(
        StatusCode::OK,
        incoming.media,
        of_tenant(&tenant),
    ))
}

/// Changes it. What is left out stays; null lifts a limit.
pub(super) async fn change_tenant(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let mut fields = Fields::of(incoming.required_object()?);
    let mut count = |name| {
        let most = fields.limit(name, MOST_PATS);
        most.try_map(|most| u32::try_from(most).ok())
            .unwrap_or_default()
    };
    let (max_pats, max_account_pats) = (count("maxPats"), count("maxPatsPerAccount"));
    let lifetime = fields.limit("maxPatLifetimeSeconds", MOST_SECONDS);
    let policy = TenantPolicy {
        max_pat_lifetime: lifetime
            .try_map(|most| Some(Duration::from_secs(most)))
            .unwrap_or_default(),
        tokens_not_before: fields.time("tokensNotBefore", service.accounts.now()),
        max_pats,
        max_account_pats,
    };
    fields.finish()?;
    let accounts = &service.accounts;
    let tenant = accounts.set_tenant_policy(caller, tenant, policy).await?;
    Ok(view::answer(
        StatusCode::OK,
        incoming.media,
        of_tenant(&tenant),
    ))
}

/// The policy of a service account.
pub(super) async fn read_account(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    incoming.query(&[])?;
    let account = service.machine(&incoming, incoming.account()?).await?;
    Ok(view::answer(
        StatusCode::OK,
        incoming.media,
        of_account(&account),
    ))
}

/// Changes it. What is left out stays.
pub(super) async fn change_account(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    let mut fields = Fields::of(incoming.required_object()?);
    let policy = AccountPolicy {
        networks: fields.networks("allowedCidrs"),
        tokens_not_before: fields.time("tokensNotBefore", service.accounts.now()),
    };
    fields.finish()?;
    service.machine(&incoming, id).await?;
    let accounts = &service.accounts;
    let account = accounts
        .set_account_policy(caller, tenant, id, policy)
        .await?;
    Ok(view::answer(
        StatusCode::OK,
        incoming.media,
        of_account(&account),
    ))
}

fn of_tenant(tenant: &TenantRecord) -> Members {
    view::members(json!({
        "tenantId": tenant.id.as_str(),
        "maxPatLifetimeSeconds": tenant.max_pat_lifetime.map(|most| most.as_secs()),
        "tokensNotBefore": tenant.tokens_not_before.map(|at| at.to_string()),
        "maxPats": tenant.max_pats,
        "maxPatsPerAccount": tenant.max_account_pats,
    }))
}

fn of_account(account: &AccountRecord) -> Members {
    view::members(json!({
        "machineUserId": account.id.to_string(),
        "allowedCidrs": view::texts(&account.networks),
        "tokensNotBefore": account.tokens_not_before.map(|at| at.to_string()),
    }))
}

/// A thousand years: longer is none.
const MOST_SECONDS: u64 = 1_000 * 365 * 86_400;

/// What the store keeps.
const MOST_PATS: u64 = u32::MAX as u64;
