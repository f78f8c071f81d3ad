//! Authorizations (B7, B8): which roles of the one project a user has.
//!
//! Zitadel keeps a grant per user and project. We have one project and keep roles with the account, so an account with
//! roles has exactly one grant, whose id is derived: it is the account's own.

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountId;
use crate::iam::AccountRecord;
use crate::iam::Role;
use crate::iam::Roles;
use crate::model::TenantId;

use super::call::Call;
use super::error::Error;
use super::json::ListQuery;
use super::json::Symbol;
use super::message::Grant;
use super::message::Grants;
use super::reply::account_details;
use super::reply::changed;
use super::reply::created;
use super::reply::list_details;
use super::reply::sequence;
use super::users::all_accounts;
use super::users::kind;
use super::users::login_name;

/// B7: authorizes a user that has no role yet.
pub(super) async fn add(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let user = call.user();
    let message: Grant = call.message().await?;
    let roles = roles(&message)?;
    check_project(&message)?;
    let user = user?;
    let account = call.accounts().account(&call.caller, &tenant, user).await?;
    if !account.held().is_empty() {
        return Err(Error::GrantExists);
    }
    call.accounts()
        .set_roles(&call.caller, &tenant, user, roles)
        .await?;
    Ok(json!({
        "userGrantId": user.to_string(),
        "details": created(call.now(), &tenant),
    }))
}

/// B8: one authorization.
pub(super) async fn get(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let account = of_path(&call, &tenant).await?;
    Ok(json!({ "userGrant": grant(&account) }))
}

/// B8: other roles. An authorization that is inactive stays so.
pub(super) async fn update(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    call.param(GRANT)?;
    let message: Grant = call.message().await?;
    let roles = roles(&message)?;
    let account = of_path(&call, &tenant).await?;
    call.accounts()
        .replace_roles(&call.caller, &tenant, account.id, roles)
        .await?;
    Ok(json!({ "details": details(&call, &account, &tenant) }))
}

/// B8: the user has no role until the authorization is reactivated. Its open streams end.
pub(super) async fn deactivate(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let account = of_path(&call, &tenant).await?;
    if !account.suspended.is_empty() {
        return Err(INACTIVE);
    }
    let is_done = call
        .accounts()
        .suspend_roles(&call.caller, &tenant, account.id)
        .await?;
    if is_done {
        Ok(json!({ "details": details(&call, &account, &tenant) }))
    } else {
        Err(INACTIVE)
    }
}

/// B8: the user has its roles again.
pub(super) async fn reactivate(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let account = of_path(&call, &tenant).await?;
    if account.suspended.is_empty() {
        return Err(ACTIVE);
    }
    let is_done = call
        .accounts()
        .resume_roles(&call.caller, &tenant, account.id)
        .await?;
    if is_done {
        Ok(json!({ "details": details(&call, &account, &tenant) }))
    } else {
        Err(ACTIVE)
    }
}

/// B8: the user keeps no role. Its open streams end.
pub(super) async fn remove(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let account = of_path(&call, &tenant).await?;
    call.accounts()
        .withdraw_roles(&call.caller, &tenant, account.id)
        .await?;
    Ok(json!({ "details": details(&call, &account, &tenant) }))
}

/// B8: several at once. All ids are looked at before the first is removed.
pub(super) async fn remove_many(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let message: Grants = call.message().await?;
    let ids = message.grant_id.unwrap_or_default();
    if ids.is_empty() || ids.len() > MOST_AT_ONCE {
        return Err(Error::field("grantId", "must name 1 to 100 grants"));
    }
    let mut accounts = Vec::with_capacity(ids.len());
    for id in &ids {
        accounts.push(with_roles(&call, &tenant, id).await?);
    }
    accounts.sort_by_key(|account| account.id);
    accounts.dedup_by_key(|account| account.id);
    for account in accounts {
        call.accounts()
            .withdraw_roles(&call.caller, &tenant, account.id)
            .await?;
    }
    Ok(json!({}))
}

/// B8: authorizations that fit all conditions, by creation date of their users.
pub(super) async fn search(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let search: Search = call.message().await?;
    let conditions = search.queries.unwrap_or_default();
    let conditions: Vec<Condition> = conditions
        .into_iter()
        .map(Query::condition)
        .collect::<Result<_, _>>()?;
    let mut found = all_accounts(&call, &tenant).await?;
    found.retain(|account| {
        !account.held().is_empty() && conditions.iter().all(|condition| condition.holds(account))
    });
    found.sort_by_key(|account| account.created);
    let total = found.len();
    let part = search.query.unwrap_or_default().part(found);
    Ok(json!({
        "details": list_details(total, call.now()),
        "result": part.iter().map(grant).collect::<Vec<_>>(),
    }))
}

/// The account of the path, where it has the grant of the path.
async fn of_path(call: &Call, tenant: &TenantId) -> Result<AccountRecord, Error> {
    let user = call.user();
    let grant = call.param(GRANT)?;
    let user: AccountId = user?;
    if grant != user.to_string() {
        return Err(NO_GRANT);
    }
    with_roles(call, tenant, grant).await
}

async fn with_roles(call: &Call, tenant: &TenantId, grant: &str) -> Result<AccountRecord, Error> {
    let id = grant.parse().map_err(|_| NO_GRANT)?;
    let account = call.accounts().account(&call.caller, tenant, id).await?;
    if account.held().is_empty() {
        return Err(NO_GRANT);
    }
    Ok(account)
}

fn check_project(message: &Grant) -> Result<(), Error> {
    match message.project_id.as_deref() {
        None | Some("") => return Err(Error::field("projectId", "is missing")),
        Some(PROJECT_ID) => {}
        Some(_) => return Err(Error::precondition("GW-Project", "project does not exist")),
    }
    match message.project_grant_id.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(Error::precondition(
            "GW-ProjectGrant",
            "project grant does not exist",
        )),
    }
}

fn roles(message: &Grant) -> Result<Roles, Error> {
    let keys = message.role_keys.as_deref().unwrap_or_default();
    if keys.is_empty() {
        return Err(Error::field("roleKeys", "are missing"));
    }
    keys.iter()
        .map(|key| key.parse::<Role>())
        .collect::<Result<_, _>>()
        .map_err(|_| Error::precondition("GW-RoleKey", "role key does not exist in the project"))
}

fn details(call: &Call, before: &AccountRecord, tenant: &TenantId) -> Value {
    changed(sequence(before).saturating_add(1), call.now(), tenant)
}

/// `UserGrant`.
fn grant(account: &AccountRecord) -> Value {
    let state = if account.suspended.is_empty() {
        "USER_GRANT_STATE_ACTIVE"
    } else {
        "USER_GRANT_STATE_INACTIVE"
    };
    json!({
        "id": account.id.to_string(),
        "details": account_details(account),
        "roleKeys": account.held().iter().map(Role::as_str).collect::<Vec<_>>(),
        "state": state,
        "userId": account.id.to_string(),
        "userName": account.username,
        "displayName": account.name,
        "orgId": account.tenant.as_str(),
        "orgName": account.tenant.as_str(),
        "orgDomain": account.tenant.as_str(),
        "projectId": PROJECT_ID,
        "projectName": PROJECT_NAME,
        "preferredLoginName": login_name(account),
        "userType": kind(account),
    })
}

/// `ListUserGrantRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Search {
    query: Option<ListQuery>,
    queries: Option<Vec<Query>>,
}

/// `UserGrantQuery`: exactly one member is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Query {
    #[serde(rename = "userIdQuery", alias = "user_id_query")]
    user_id: Option<ById>,
    #[serde(rename = "projectIdQuery", alias = "project_id_query")]
    project_id: Option<ById>,
    #[serde(rename = "roleKeyQuery", alias = "role_key_query")]
    role_key: Option<ByRole>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ById {
    #[serde(alias = "user_id", alias = "projectId", alias = "project_id")]
    user_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ByRole {
    #[serde(alias = "role_key")]
    role_key: Option<String>,
    method: Option<Symbol>,
}

/// A query that makes sense.
enum Condition {
    Project(String),
    Role(String),
    User(String),
}

impl Query {
    fn condition(self) -> Result<Condition, Error> {
        match (self.user_id, self.project_id, self.role_key) {
            (Some(query), None, None) => Ok(Condition::User(query.user_id.unwrap_or_default())),
            (None, Some(query), None) => Ok(Condition::Project(query.user_id.unwrap_or_default())),
            (None, None, Some(query)) => {
                // Role keys are few and known: there is no need to search for parts of them.
                Symbol::index(
                    query.method.as_ref(),
                    &["TEXT_QUERY_METHOD_EQUALS"],
                    "method",
                )?;
                Ok(Condition::Role(query.role_key.unwrap_or_default()))
            }
            _ => Err(Error::field(
                "queries",
                "must each have one condition that is known",
            )),
        }
    }
}

impl Condition {
    fn holds(&self, account: &AccountRecord) -> bool {
        match self {
            Self::Project(id) => id == PROJECT_ID,
            Self::Role(key) => account.held().iter().any(|role| role.as_str() == key),
            Self::User(id) => account.id.to_string() == *id,
        }
    }
}

/// The project of the seed's console, and its id, which is the same in every gateway.
const PROJECT_NAME: &str = "Analytics";
const PROJECT_ID: &str = "analytics";

/// The name of the grant in every path.
const GRANT: &str = "grant";

const NO_GRANT: Error = Error::NotFound("user grant");
const ACTIVE: Error = Error::precondition("GW-GrantActive", "user grant is active");
const INACTIVE: Error = Error::precondition("GW-GrantInactive", "user grant is inactive");

/// Each costs a look and a write.
const MOST_AT_ONCE: usize = 100;
