//! Service accounts (iam 2.4: A1, A5-A8).

use axum::extract::Request;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountQuery;
use crate::iam::AccountRecord;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::Standing;
use crate::iam::State;

use super::Service;
use super::error::Refusal;
use super::fields::DESCRIPTION_LENGTH;
use super::fields::Fields;
use super::fields::NAME_LENGTH;
use super::fields::roles_parameter;
use super::idempotency::Begun;
use super::media::Media;
use super::page::Found;
use super::page::PARAMETERS;
use super::page::Page;
use super::page::resource;
use super::request::Incoming;
use super::search::Condition;
use super::search::account_order;
use super::search::conditions;
use super::view;

type Shape = Result<Response, Refusal>;

/// A1.
pub(super) async fn create(Shared(service): Shared<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    let query = incoming.query(&["withPAT", "roles"])?;
    let with_pat = query.flag("withPAT")?;
    let roles = roles_parameter(query.get("roles"))?;
    let mut fields = Fields::of(incoming.required_object()?);
    let new = NewAccount {
        username: fields.username(),
        name: fields.required("name", NAME_LENGTH),
        description: fields
            .text("description", DESCRIPTION_LENGTH)
            .unwrap_or_default(),
        ..NewAccount::machine(tenant.clone(), "", roles)
    };
    fields.token_type();
    let first = with_pat.then(|| new_pat(&mut fields, &service, "patName", "patDescription"));
    fields.finish()?;

    let attempt = match incoming.begin(&service.idempotency, service.accounts.now())? {
        Begun::First(attempt) => attempt,
        Begun::Repeated { location, body } => {
            return Ok(Begun::answer(incoming.media, &location, body));
        }
    };
    let first = first.flatten();
    let (account, issued) = service.accounts.create_account(caller, new, first).await?;
    let mut body = view::account(&account);
    if let Some(issued) = &issued {
        let token = view::issued(issued);
        let kept = [
            "credentialId",
            "expirationDate",
            "scopes",
            "allowedCidrs",
            "pat",
        ];
        body.extend(
            token
                .into_iter()
                .filter(|(name, _)| kept.contains(&name.as_str())),
        );
    }
    attempt.finish(&link(account.id), &body);
    Ok(view::created(incoming.media, &link(account.id), body))
}

/// A5.
pub(super) async fn search(Shared(service): Shared<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::JsonApi).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    let query = incoming.query(PARAMETERS)?;
    let page = Page::of(&query)?;
    let conditions = conditions(incoming.object()?)?;
    let asked = AccountQuery {
        kind: Some(AccountKind::Machine),
        filters: conditions
            .iter()
            .map(Condition::on_accounts)
            .collect::<Result<_, _>>()?,
        sort: account_order(&query)?,
        offset: page.offset(),
        limit: page.size,
    };
    let (found, total) = service.accounts.search(caller, tenant, &asked).await?;
    let data = found.iter().map(|found| {
        let id = found.account.id;
        let attributes = view::summary(found);
        resource("serviceAccounts", &id.to_string(), &link(id), &attributes)
    });
    let found = Found {
        media: incoming.media,
        data: data.collect(),
    };
    Ok(page.answer(incoming.path(), &query, total, &found))
}

/// A6.
pub(super) async fn read(Shared(service): Shared<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    let account = service.machine(&incoming, id).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    let pats = service.accounts.pats(caller, tenant, id).await?;
    let counts = |standing: &Standing| matches!(standing, Standing::Active(_) | Standing::Disabled);
    let count = pats.iter().filter(|pat| counts(&pat.standing)).count();
    let mut body = view::account(&account);
    body.insert("patCount".to_owned(), count.into());
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

/// A7.
pub(super) async fn rename(Shared(service): Shared<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    let mut fields = Fields::of(incoming.required_object()?);
    let name = fields.changed("name", NAME_LENGTH);
    let description = fields.text("description", DESCRIPTION_LENGTH);
    let problems = fields.clone().finish();
    // Only the account itself says whether the user name is another one; what the request alone shows comes first.
    problems?;
    let account = service.machine(&incoming, id).await?;
    fields.immutable("username", &account.username);
    fields.finish()?;
    let account = service
        .accounts
        .rename(caller, tenant, id, name, description)
        .await?;
    Ok(view::answer(
        StatusCode::OK,
        incoming.media,
        view::account(&account),
    ))
}

/// A8.
pub(super) async fn remove(Shared(service): Shared<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    service.machine(&incoming, id).await?;
    let (account, revoked) = service.accounts.delete(caller, tenant, id).await?;
    let mut body = view::account(&account);
    body.insert("state".to_owned(), "deleted".into());
    body.insert("revokedPats".to_owned(), revoked.into());
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

/// Refuses an account's tokens until it is enabled again.
pub(super) async fn disable(Shared(service): Shared<Service>, request: Request) -> Shape {
    set_state(&service, request, State::Disabled).await
}

/// Lets a disabled account's tokens in again.
pub(super) async fn enable(Shared(service): Shared<Service>, request: Request) -> Shape {
    set_state(&service, request, State::Active).await
}

/// Gives an account other roles.
pub(super) async fn set_roles(Shared(service): Shared<Service>, request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    let mut fields = Fields::of(incoming.required_object()?);
    let roles = fields.roles("roles");
    fields.finish()?;
    service.machine(&incoming, id).await?;
    service
        .accounts
        .set_roles(caller, tenant, id, roles)
        .await?;
    service.shown(&incoming, id).await
}

/// Whom the token belongs to, and until when: for every holder of one.
pub(super) async fn myself(request: Request) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    incoming.query(&[])?;
    let body = view::principal(&incoming.admitted()?.principal);
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

async fn set_state(service: &Service, request: Request, state: State) -> Shape {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    service.machine(&incoming, id).await?;
    service
        .accounts
        .set_state(caller, tenant, id, state)
        .await?;
    service.shown(&incoming, id).await
}

impl Service {
    /// The service account of that id. People are not on this face.
    pub(super) async fn machine(
        &self,
        incoming: &Incoming,
        id: AccountId,
    ) -> Result<AccountRecord, Refusal> {
        let (caller, tenant) = incoming.on_behalf()?;
        let account = self.accounts.account(caller, tenant, id).await?;
        if account.kind == AccountKind::Machine {
            Ok(account)
        } else {
            Err(Refusal::not_found("account"))
        }
    }

    /// The account as it is now.
    async fn shown(&self, incoming: &Incoming, id: AccountId) -> Shape {
        // A caller that has taken its own rights away is told that it is done, and no more.
        let body = match self.machine(incoming, id).await {
            Ok(account) => view::account(&account),
            Err(_) => view::members(json!({ "machineUserId": id.to_string() })),
        };
        Ok(view::answer(StatusCode::OK, incoming.media, body))
    }
}

/// A token as a body describes it; `None` when the body is wrong, which is noted.
pub(super) fn new_pat(
    fields: &mut Fields,
    service: &Service,
    name: &str,
    description: &str,
) -> Option<NewPat> {
    let expires = fields.expiration(service.accounts.now(), true);
    let name = fields.text(name, NAME_LENGTH).unwrap_or_default();
    let description = fields
        .text(description, DESCRIPTION_LENGTH)
        .unwrap_or_default();
    let (scopes, networks) = (fields.scopes("scopes"), fields.networks("allowedCidrs"));
    Some(NewPat {
        name,
        description,
        scopes: scopes.unwrap_or_default(),
        networks: networks.unwrap_or_default(),
        ..NewPat::until(expires?)
    })
}

/// Where an account is.
pub(super) fn link(id: AccountId) -> String {
    format!("/api/v2/auth/serviceaccount/{id}")
}
