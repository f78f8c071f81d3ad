//! Personal Access Tokens, version 2 of the API (B10).

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountId;
use crate::iam::PatRecord;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::call::Call;
use super::call::Purpose;
use super::call::USER;
use super::error::Error;
use super::json::ListQuery;
use super::json::Symbol;
use super::json::Uint;
use super::message::NewToken;
use super::pats::existing;
use super::pats::future;
use super::pats::issue;
use super::pats::of_path;
use super::reply::uint64;
use super::users::all_accounts;

/// A token of a service user, or of the caller itself. Here the expiration date is required.
pub(super) async fn add(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Write).await?;
    call.param(USER)?;
    let message: NewToken = call.message().await?;
    let text = message
        .expiration_date
        .ok_or(Error::field("expirationDate", "is missing"))?;
    let issued = issue(&call, &tenant, future(&call, &text)?).await?;
    Ok(json!({
        "creationDate": issued.record.created.to_string(),
        "tokenId": issued.record.id.to_string(),
        "token": issued.token.expose(),
    }))
}

/// Revokes a token. Here one that is not there is no error.
pub(super) async fn remove(call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Write).await?;
    let pat = match of_path(&call, &tenant).await {
        Err(Error::NotFound("token")) => return Ok(json!({})),
        other => other?,
    };
    let revoked = call
        .accounts()
        .revoke_pat(&call.caller, &tenant, pat.id)
        .await?;
    let at = revoked.revoked.unwrap_or_else(|| call.now());
    Ok(json!({ "deletionDate": at.to_string() }))
}

/// Tokens that fit all filters. Who may not manage sees its own.
pub(super) async fn search(mut call: Call) -> Result<Value, Error> {
    let permitted = call.manage().await;
    let own = call.principal.account;
    let (tenant, is_manager) = match permitted {
        Ok(tenant) => (tenant, true),
        Err(Error::Denied(crate::iam::Denied::MissingRole { .. })) => {
            (call.principal.tenant.clone(), false)
        }
        Err(error) => return Err(error),
    };
    let search: Search = call.message().await?;
    let column = Symbol::index(search.sorting_column.as_ref(), &COLUMNS, "sortingColumn")?;
    let pagination = search.pagination.unwrap_or_default();
    let limit = match pagination.limit.map_or(0, |limit| limit.0) {
        0 => LIMIT,
        limit if limit <= MOST => limit,
        _ => return Err(Error::field("pagination.limit", "is above 1000")),
    };
    let filters = search.filters.unwrap_or_default();
    let filters: Vec<Test> = filters
        .into_iter()
        .map(Filter::test)
        .collect::<Result<_, _>>()?;
    let users = match filters.iter().find_map(Test::user) {
        Some(user) => user.parse().ok().into_iter().collect(),
        None if is_manager => all_accounts(&call, &tenant)
            .await?
            .into_iter()
            .map(|account| account.id)
            .collect(),
        None => vec![own],
    };
    let users = users.into_iter().filter(|user| is_manager || *user == own);
    let mut found = tokens_of(&call, &tenant, users).await?;
    found.retain(|pat| filters.iter().all(|test| test.holds(pat)));
    sort(&mut found, column);
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let part = ListQuery {
        limit: Some(Uint(limit)),
        ..pagination
    }
    .part(found);
    Ok(json!({
        "pagination": { "totalResult": uint64(total), "appliedLimit": uint64(limit) },
        "result": part.iter().map(token).collect::<Vec<_>>(),
    }))
}

async fn tokens_of(
    call: &Call,
    tenant: &TenantId,
    users: impl Iterator<Item = AccountId>,
) -> Result<Vec<PatRecord>, Error> {
    let mut all = Vec::new();
    for user in users {
        match existing(call, tenant, user).await {
            Ok(pats) => all.extend(pats),
            // A user that was deleted in the meantime, or that a filter names and nobody has.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn sort(pats: &mut [PatRecord], column: usize) {
    match column {
        ID => pats.sort_by_key(|pat| pat.id),
        EXPIRATION_DATE => pats.sort_by_key(|pat| (pat.expires, pat.id)),
        USER_ID => pats.sort_by_key(|pat| (pat.account, pat.id)),
        // Changed is as created; all are of one organization.
        _ => pats.sort_by_key(|pat| (pat.created, pat.id)),
    }
}

/// `PersonalAccessToken` of version 2.
fn token(pat: &PatRecord) -> Value {
    json!({
        "creationDate": pat.created.to_string(),
        "changeDate": pat.created.to_string(),
        "id": pat.id.to_string(),
        "userId": pat.account.to_string(),
        "organizationId": pat.tenant.as_str(),
        "expirationDate": pat.expires.to_string(),
    })
}

/// `ListPersonalAccessTokensRequest` of version 2.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Search {
    pagination: Option<ListQuery>,
    #[serde(alias = "sorting_column")]
    sorting_column: Option<Symbol>,
    filters: Option<Vec<Filter>>,
}

/// `PersonalAccessTokensSearchFilter`: exactly one member is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Filter {
    #[serde(rename = "tokenIdFilter", alias = "token_id_filter")]
    token_id: Option<ById>,
    #[serde(rename = "userIdFilter", alias = "user_id_filter")]
    user_id: Option<ById>,
    #[serde(rename = "organizationIdFilter", alias = "organization_id_filter")]
    organization_id: Option<ById>,
    #[serde(rename = "createdDateFilter", alias = "created_date_filter")]
    created_date: Option<ByDate>,
    #[serde(rename = "expirationDateFilter", alias = "expiration_date_filter")]
    expiration_date: Option<ByDate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ById {
    id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ByDate {
    timestamp: Option<String>,
    method: Option<Symbol>,
}

/// A filter that makes sense.
enum Test {
    Created(i64, usize),
    Expires(i64, usize),
    Organization(String),
    Token(String),
    User(String),
}

impl Filter {
    fn test(self) -> Result<Test, Error> {
        let id = |by: ById| by.id.unwrap_or_default();
        let mut tests = Vec::new();
        tests.extend(self.token_id.map(|by| Test::Token(id(by))));
        tests.extend(self.user_id.map(|by| Test::User(id(by))));
        tests.extend(self.organization_id.map(|by| Test::Organization(id(by))));
        if let Some(by) = self.created_date {
            let (at, method) = by.read()?;
            tests.push(Test::Created(at, method));
        }
        if let Some(by) = self.expiration_date {
            let (at, method) = by.read()?;
            tests.push(Test::Expires(at, method));
        }
        match (tests.pop(), tests.pop()) {
            (Some(test), None) => Ok(test),
            _ => Err(Error::field(
                "filters",
                "must each have one filter that is known",
            )),
        }
    }
}

impl ByDate {
    fn read(self) -> Result<(i64, usize), Error> {
        let method = Symbol::index(self.method.as_ref(), &METHODS, "method")?;
        let text = self.timestamp.unwrap_or_default();
        let at = crate::model::Expiry::parse_rfc3339(&text)
            .map_err(|_| Error::field("timestamp", "is not an RFC 3339 time"))?;
        Ok((at.secs(), method))
    }
}

impl Test {
    fn user(&self) -> Option<&str> {
        match self {
            Self::User(id) => Some(id),
            _ => None,
        }
    }

    fn holds(&self, pat: &PatRecord) -> bool {
        match self {
            Self::Created(at, method) => compare(Timestamp::secs(pat.created), *method, *at),
            Self::Expires(at, method) => compare(pat.expires.secs(), *method, *at),
            Self::Organization(id) => pat.tenant.as_str() == id,
            Self::Token(id) => pat.id.to_string() == *id,
            Self::User(id) => pat.account.to_string() == *id,
        }
    }
}

/// `method` is a place in [`METHODS`].
const fn compare(value: i64, method: usize, with: i64) -> bool {
    match method {
        0 => value == with,
        1 => value > with,
        2 => value >= with,
        3 => value < with,
        _ => value <= with,
    }
}

const METHODS: [&str; 5] = [
    "TIMESTAMP_FILTER_METHOD_EQUALS",
    "TIMESTAMP_FILTER_METHOD_AFTER",
    "TIMESTAMP_FILTER_METHOD_AFTER_OR_EQUALS",
    "TIMESTAMP_FILTER_METHOD_BEFORE",
    "TIMESTAMP_FILTER_METHOD_BEFORE_OR_EQUALS",
];
const COLUMNS: [&str; 6] = [
    "PERSONAL_ACCESS_TOKEN_FIELD_NAME_UNSPECIFIED",
    "PERSONAL_ACCESS_TOKEN_FIELD_NAME_ID",
    "PERSONAL_ACCESS_TOKEN_FIELD_NAME_USER_ID",
    "PERSONAL_ACCESS_TOKEN_FIELD_NAME_EXPIRATION_DATE",
    "PERSONAL_ACCESS_TOKEN_FIELD_NAME_ORGANIZATION_ID",
    "PERSONAL_ACCESS_TOKEN_FIELD_NAME_CREATED_DATE",
];
const ID: usize = 1;
const USER_ID: usize = 2;
const EXPIRATION_DATE: usize = 3;

/// As Zitadel's: what is given without a limit, and the most that may be asked for.
const LIMIT: u64 = 100;
const MOST: u64 = 1_000;
