//! Tokens of service accounts (iam 2.4: A2-A4, rotation).

use std::time::Duration;

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::iam::AccountId;
use crate::iam::PatId;
use crate::iam::PatView;
use crate::iam::Rotation;
use crate::iam::Standing;
use crate::iam::port::Which;

use super::Service;
use super::account::link;
use super::account::new_pat;
use super::error::Refusal;
use super::fields::Fields;
use super::fields::NAME_LENGTH;
use super::idempotency::Begun;
use super::media::Media;
use super::page::Found;
use super::page::PARAMETERS;
use super::page::Page;
use super::page::resource;
use super::request::Incoming;
use super::search::Condition;
use super::search::PatFilter;
use super::search::conditions;
use super::search::sort_pats;
use super::view;

type Shape = Result<Response, Refusal>;

/// A2.
pub(super) async fn create(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let account = incoming.account()?;
    let mut fields = Fields::of(incoming.required_object()?);
    let new = new_pat(&mut fields, &service, "name", "description");
    fields.finish()?;
    let new = new.ok_or_else(super::error::internal)?;
    service.machine(&incoming, account).await?;
    let attempt = match incoming.begin(&service.idempotency, service.accounts.now())? {
        Begun::First(attempt) => attempt,
        Begun::Repeated { location, body } => {
            return Ok(Begun::answer(incoming.media, &location, body));
        }
    };
    let issued = service
        .accounts
        .create_pat(caller, tenant, account, new)
        .await?;
    let location = pat_link(account, issued.record.id);
    let body = view::issued(&issued);
    attempt.finish(&location, &body);
    Ok(view::created(incoming.media, &location, body))
}

/// A3. Tokens that were revoked are shown to who asks for them by state.
pub(super) async fn search(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::JsonApi).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    let query = incoming.query(PARAMETERS)?;
    let page = Page::of(&query)?;
    let account = incoming.account()?;
    let filters: Vec<PatFilter> = conditions(incoming.object()?)?
        .iter()
        .map(Condition::on_pats)
        .collect::<Result<_, _>>()?;
    sort_pats(&query, &mut [])?;
    service.machine(&incoming, account).await?;
    let mut found = service.accounts.pats(caller, tenant, account).await?;
    let asks_for_state = filters
        .iter()
        .any(|filter| matches!(filter, PatFilter::State(_)));
    found.retain(|view| {
        let is_shown = asks_for_state || view.standing != Standing::Revoked;
        is_shown && filters.iter().all(|filter| filter.holds(view))
    });
    sort_pats(&query, &mut found)?;
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let shown = found.iter().skip(offset).take(size);
    let found = Found {
        media: incoming.media,
        data: shown.map(as_resource).collect(),
    };
    Ok(page.answer(incoming.path(), &query, total, &found))
}

/// One token, as the search lists it: where its link leads.
pub(super) async fn read(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    incoming.query(&[])?;
    let (account, pat) = (incoming.account()?, incoming.pat()?);
    service.machine(&incoming, account).await?;
    let found = service.pat_of(&incoming, account, pat).await?;
    Ok(view::answer(
        StatusCode::OK,
        incoming.media,
        view::listed(&found),
    ))
}

/// A4. A second time it is not there.
pub(super) async fn remove(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let (account, pat) = (incoming.account()?, incoming.pat()?);
    service.machine(&incoming, account).await?;
    service.pat_of(&incoming, account, pat).await?;
    let revoked = service.accounts.revoke_pat(caller, tenant, pat).await?;
    let mut body = view::pat(&revoked);
    let at = revoked.revoked.map(|at| at.to_string());
    body.insert("revokedAt".to_owned(), at.into());
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

/// Revokes all tokens of an account, or those that were created or used too long ago.
pub(super) async fn revoke_all(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let account = incoming.account()?;
    let mut fields = Fields::of(incoming.object()?.unwrap_or_default());
    let now = service.accounts.now();
    let which = Which::All {
        created_before: fields.time("createdBefore", now),
        unused_since: fields.time("unusedSince", now),
    };
    fields.finish()?;
    let record = service.machine(&incoming, account).await?;
    let revoked = service
        .accounts
        .revoke_pats(caller, tenant, account, which)
        .await?;
    let mut body = view::account(&record);
    body.insert("revokedPats".to_owned(), revoked.into());
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

/// A new token for an old one, which holds on for a while.
pub(super) async fn rotate(State(service): State<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let (account, old) = (incoming.account()?, incoming.pat()?);
    let mut fields = Fields::of(incoming.object()?.unwrap_or_default());
    let overlap = fields.seconds("overlapSeconds", MOST_OVERLAP);
    let rotation = Rotation {
        overlap: overlap.map_or(DEFAULT_OVERLAP, Duration::from_secs),
        expires: fields.expiration(service.accounts.now(), false),
        name: fields.text("name", NAME_LENGTH).unwrap_or_default(),
        scopes: fields.scopes("scopes"),
        networks: fields.networks("allowedCidrs"),
    };
    fields.finish()?;
    service.machine(&incoming, account).await?;
    let (issued, old_ends) = service
        .accounts
        .rotate_pat(caller, tenant, account, old, rotation)
        .await?;
    let mut body = view::issued(&issued);
    body.insert("replaces".to_owned(), old.to_string().into());
    body.insert(
        "replacedExpirationDate".to_owned(),
        old_ends.to_string().into(),
    );
    let location = pat_link(account, issued.record.id);
    Ok(view::created(incoming.media, &location, body))
}

impl Service {
    /// The token of another account is not this one's.
    async fn pat_of(
        &self,
        incoming: &Incoming,
        account: AccountId,
        pat: PatId,
    ) -> Result<PatView, Refusal> {
        let (caller, tenant) = incoming.on_behalf()?;
        let pats = self.accounts.pats(caller, tenant, account).await?;
        pats.into_iter()
            .find(|view| view.record.id == pat)
            .ok_or_else(|| Refusal::not_found("token"))
    }
}

fn as_resource(found: &PatView) -> serde_json::Value {
    let pat = &found.record;
    let (id, link) = (pat.id.to_string(), pat_link(pat.account, pat.id));
    resource("personalAccessTokens", &id, &link, &view::listed(found))
}

fn pat_link(account: AccountId, pat: PatId) -> String {
    format!("{}/pat/{pat}", link(account))
}

/// Seven days.
const MOST_OVERLAP: u64 = 7 * 24 * 3_600;

/// A working day to switch in.
const DEFAULT_OVERLAP: Duration = Duration::from_hours(24);
