//! Users that fit conditions (B9).

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountRecord;

use super::call::Call;
use super::error::Error;
use super::json::ListQuery;
use super::json::Symbol;
use super::reply::list_details;
use super::users::all_accounts;
use super::users::kind;
use super::users::login_name;
use super::users::state;
use super::users::user;

/// B9: users that fit all conditions.
pub(super) async fn search(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let search: Search = call.message().await?;
    let conditions = search.queries.unwrap_or_default();
    let conditions: Vec<Condition> = conditions
        .into_iter()
        .map(Query::condition)
        .collect::<Result<_, _>>()?;
    let column = Symbol::index(search.sorting_column.as_ref(), &COLUMNS, "sortingColumn")?;
    let mut found = all_accounts(&call, &tenant).await?;
    found.retain(|account| conditions.iter().all(|condition| condition.holds(account)));
    sort(&mut found, column);
    let total = found.len();
    let part = search.query.unwrap_or_default().part(found);
    Ok(json!({
        "details": list_details(total, call.now()),
        "sortingColumn": if column == 0 { "" } else { COLUMNS.get(column).copied().unwrap_or_default() },
        "result": part.iter().map(user).collect::<Vec<_>>(),
    }))
}

/// The list comes in by user name, so equal ones stay in that order.
fn sort(accounts: &mut [AccountRecord], column: usize) {
    match column {
        0 | CREATION_DATE => accounts.sort_by_key(|account| account.created),
        STATE => accounts.sort_by_key(state),
        TYPE => accounts.sort_by_key(kind),
        USER_NAME => {}
        // First, last, nick and display name: the one that we have.
        _ => accounts.sort_by(|a, b| a.name.cmp(&b.name)),
    }
}

/// `ListUsersRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Search {
    query: Option<ListQuery>,
    #[serde(alias = "sorting_column")]
    sorting_column: Option<Symbol>,
    queries: Option<Vec<Query>>,
}

/// `SearchQuery`: exactly one member is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Query {
    #[serde(rename = "userNameQuery", alias = "user_name_query")]
    user_name: Option<Text>,
    #[serde(rename = "displayNameQuery", alias = "display_name_query")]
    display_name: Option<Text>,
    #[serde(rename = "loginNameQuery", alias = "login_name_query")]
    login_name: Option<Text>,
    #[serde(rename = "stateQuery", alias = "state_query")]
    state: Option<OfState>,
    #[serde(rename = "typeQuery", alias = "type_query")]
    kind: Option<OfType>,
    #[serde(rename = "inUserIdsQuery", alias = "in_user_ids_query")]
    ids: Option<Ids>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Text {
    #[serde(
        alias = "user_name",
        alias = "displayName",
        alias = "display_name",
        alias = "loginName",
        alias = "login_name"
    )]
    user_name: Option<String>,
    method: Option<Symbol>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfState {
    state: Option<Symbol>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfType {
    r#type: Option<Symbol>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Ids {
    #[serde(alias = "user_ids")]
    user_ids: Option<Vec<String>>,
}

/// A query that makes sense.
enum Condition {
    Name(fn(&AccountRecord) -> String, usize, String),
    State(usize),
    Type(usize),
    Ids(Vec<String>),
}

impl Query {
    fn condition(self) -> Result<Condition, Error> {
        let set = [
            self.user_name.is_some(),
            self.display_name.is_some(),
            self.login_name.is_some(),
            self.state.is_some(),
            self.kind.is_some(),
            self.ids.is_some(),
        ];
        if set.into_iter().filter(|is_set| *is_set).count() != 1 {
            return Err(Error::field(
                "queries",
                "must each have one condition that is known",
            ));
        }
        if let Some(query) = self.state {
            return Symbol::index(query.state.as_ref(), &STATES, "state").map(Condition::State);
        }
        if let Some(query) = self.kind {
            return Symbol::index(query.r#type.as_ref(), &TYPES, "type").map(Condition::Type);
        }
        if let Some(query) = self.ids {
            return Ok(Condition::Ids(query.user_ids.unwrap_or_default()));
        }
        let (field, query): (fn(&AccountRecord) -> String, _) = if let Some(query) = self.user_name
        {
            (|account| account.username.clone(), query)
        } else if let Some(query) = self.display_name {
            (|account| account.name.clone(), query)
        } else {
            (login_name, self.login_name.unwrap_or_default())
        };
        let method = Symbol::index(query.method.as_ref(), &METHODS, "method")?;
        let mut wanted = query.user_name.unwrap_or_default();
        if ignores_case(method) {
            wanted = wanted.to_lowercase();
        }
        Ok(Condition::Name(field, method, wanted))
    }
}

impl Condition {
    fn holds(&self, account: &AccountRecord) -> bool {
        match self {
            Self::Name(field, method, wanted) => {
                let mut text = field(account);
                if ignores_case(*method) {
                    text = text.to_lowercase();
                }
                match method / 2 {
                    0 => text == *wanted,
                    1 => text.starts_with(wanted.as_str()),
                    2 => text.contains(wanted.as_str()),
                    _ => text.ends_with(wanted.as_str()),
                }
            }
            Self::State(wanted) => STATES.get(*wanted) == Some(&state(account)),
            Self::Type(wanted) => TYPES.get(*wanted) == Some(&kind(account)),
            Self::Ids(ids) => ids.contains(&account.id.to_string()),
        }
    }
}

/// Every other method of [`METHODS`].
const fn ignores_case(method: usize) -> bool {
    method % 2 == 1
}

const METHODS: [&str; 8] = [
    "TEXT_QUERY_METHOD_EQUALS",
    "TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE",
    "TEXT_QUERY_METHOD_STARTS_WITH",
    "TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE",
    "TEXT_QUERY_METHOD_CONTAINS",
    "TEXT_QUERY_METHOD_CONTAINS_IGNORE_CASE",
    "TEXT_QUERY_METHOD_ENDS_WITH",
    "TEXT_QUERY_METHOD_ENDS_WITH_IGNORE_CASE",
];
const STATES: [&str; 7] = [
    "USER_STATE_UNSPECIFIED",
    "USER_STATE_ACTIVE",
    "USER_STATE_INACTIVE",
    "USER_STATE_DELETED",
    "USER_STATE_LOCKED",
    "USER_STATE_SUSPEND",
    "USER_STATE_INITIAL",
];
const TYPES: [&str; 3] = ["TYPE_UNSPECIFIED", "TYPE_HUMAN", "TYPE_MACHINE"];
const COLUMNS: [&str; 10] = [
    "USER_FIELD_NAME_UNSPECIFIED",
    "USER_FIELD_NAME_USER_NAME",
    "USER_FIELD_NAME_FIRST_NAME",
    "USER_FIELD_NAME_LAST_NAME",
    "USER_FIELD_NAME_NICK_NAME",
    "USER_FIELD_NAME_DISPLAY_NAME",
    "USER_FIELD_NAME_EMAIL",
    "USER_FIELD_NAME_STATE",
    "USER_FIELD_NAME_TYPE",
    "USER_FIELD_NAME_CREATION_DATE",
];
const USER_NAME: usize = 1;
const STATE: usize = 7;
const TYPE: usize = 8;
const CREATION_DATE: usize = 9;
