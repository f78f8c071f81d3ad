//! What a search asks for: a filter document, and the order (iam 2.4).

use serde_json::Map;
use serde_json::Value;

use crate::iam::AccountSort;
use crate::iam::Filter;
use crate::iam::PatView;
use crate::iam::Role;
use crate::iam::State;
use crate::iam::TextField;
use crate::iam::TextTest;
use crate::iam::TimeField;
use crate::model::Expiry;
use crate::model::Timestamp;

use super::error::Problem;
use super::error::Refusal;
use super::request::Query;
use super::request::bad_parameter;

/// One attribute of a filter document.
#[derive(Debug)]
pub(super) struct Condition {
    name: String,
    operator: Operator,
    value: Value,
}

/// A condition on tokens.
#[derive(Debug)]
pub(super) enum PatFilter {
    Before(PatTime, Timestamp),
    After(PatTime, Timestamp),
    Id(Vec<String>),
    Name(TextTest),
    State(Vec<String>),
    UnusedSince(Timestamp),
}

/// The times of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatTime {
    Created,
    Expires,
    LastUsed,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    After,
    Among,
    Before,
    Contains,
    Equals,
    StartsWith,
}

/// The conditions of a body, all of which must hold. No body, and a body without attributes, has none.
pub(super) fn conditions(body: Option<Map<String, Value>>) -> Result<Vec<Condition>, Refusal> {
    let Some(mut body) = body else {
        return Ok(Vec::new());
    };
    let mut data = match body.remove("data") {
        None => return Ok(Vec::new()),
        Some(Value::Object(data)) => data,
        Some(_) => return Err(bad("invalid_field", "data is not an object", "/data")),
    };
    match data.remove("attributes") {
        None => Ok(Vec::new()),
        Some(Value::Object(attributes)) => attributes
            .into_iter()
            .map(|(name, value)| Condition::read(name, value))
            .collect(),
        Some(_) => Err(bad(
            "invalid_field",
            "attributes is not an object",
            "/data/attributes",
        )),
    }
}

impl Condition {
    fn read(name: String, value: Value) -> Result<Self, Refusal> {
        let pointer = format!("/data/attributes/{name}");
        let Value::Object(mut object) = value else {
            return Err(bad(
                "invalid_field",
                "is not an object with a value",
                pointer,
            ));
        };
        let operator = match object.get("op") {
            None => Some(Operator::Equals),
            Some(Value::String(text)) => match text.as_str() {
                "contains" => Some(Operator::Contains),
                "eq" => Some(Operator::Equals),
                "gt" => Some(Operator::After),
                "in" => Some(Operator::Among),
                "lt" => Some(Operator::Before),
                "startsWith" => Some(Operator::StartsWith),
                _ => None,
            },
            Some(_) => None,
        };
        let operator = operator
            .ok_or_else(|| bad("invalid_field", "op is not known", format!("{pointer}/op")))?;
        let value = object
            .remove("value")
            .ok_or_else(|| bad("missing_field", "value is required", pointer))?;
        Ok(Self {
            name,
            operator,
            value,
        })
    }

    /// A condition on accounts.
    pub(super) fn on_accounts(&self) -> Result<Filter, Refusal> {
        match self.name.as_str() {
            "username" => Ok(Filter::Text(TextField::Username, self.text_test()?)),
            "name" => Ok(Filter::Text(TextField::Name, self.text_test()?)),
            "description" => Ok(Filter::Text(TextField::Description, self.text_test()?)),
            "role" => {
                let roles: Option<Vec<Role>> =
                    self.texts()?.iter().map(|text| text.parse().ok()).collect();
                roles
                    .map(Filter::Role)
                    .ok_or_else(|| self.wrong("invalid_role", "is not a role"))
            }
            "state" => match self.text()? {
                "active" => Ok(Filter::State(State::Active)),
                "disabled" => Ok(Filter::State(State::Disabled)),
                _ => Err(self.wrong("invalid_field", "is neither active nor disabled")),
            },
            "createdBefore" => Ok(Filter::Before(TimeField::Created, self.time()?)),
            "createdAfter" => Ok(Filter::After(TimeField::Created, self.time()?)),
            "createdAt" => self.on_account_time(TimeField::Created),
            "expiresBefore" => Ok(Filter::Before(TimeField::NextExpiry, self.time()?)),
            "lastUsedBefore" => Ok(Filter::Before(TimeField::LastUsed, self.time()?)),
            "lastUsedAt" => self.on_account_time(TimeField::LastUsed),
            "unusedSince" => Ok(Filter::UnusedSince(self.time()?)),
            _ => Err(self.unknown()),
        }
    }

    /// A condition on tokens.
    pub(super) fn on_pats(&self) -> Result<PatFilter, Refusal> {
        match self.name.as_str() {
            "credentialId" => Ok(PatFilter::Id(self.texts()?)),
            "name" => Ok(PatFilter::Name(self.text_test()?)),
            "state" => {
                let states = self.texts()?;
                if states.iter().all(|state| STATES.contains(&state.as_str())) {
                    Ok(PatFilter::State(states))
                } else {
                    Err(self.wrong("invalid_field", "is not a state of tokens"))
                }
            }
            "createdBefore" => Ok(PatFilter::Before(PatTime::Created, self.time()?)),
            "createdAfter" => Ok(PatFilter::After(PatTime::Created, self.time()?)),
            "creationDate" => self.on_pat_time(PatTime::Created),
            "expiresBefore" => Ok(PatFilter::Before(PatTime::Expires, self.time()?)),
            "expirationDate" => self.on_pat_time(PatTime::Expires),
            "lastUsedBefore" => Ok(PatFilter::Before(PatTime::LastUsed, self.time()?)),
            "lastUsedAt" => self.on_pat_time(PatTime::LastUsed),
            "unusedSince" => Ok(PatFilter::UnusedSince(self.time()?)),
            _ => Err(self.unknown()),
        }
    }

    fn on_account_time(&self, field: TimeField) -> Result<Filter, Refusal> {
        match self.operator {
            Operator::After => Ok(Filter::After(field, self.time()?)),
            Operator::Before => Ok(Filter::Before(field, self.time()?)),
            _ => Err(self.wrong("invalid_field", "takes the operators lt and gt")),
        }
    }

    fn on_pat_time(&self, field: PatTime) -> Result<PatFilter, Refusal> {
        match self.operator {
            Operator::After => Ok(PatFilter::After(field, self.time()?)),
            Operator::Before => Ok(PatFilter::Before(field, self.time()?)),
            _ => Err(self.wrong("invalid_field", "takes the operators lt and gt")),
        }
    }

    fn text_test(&self) -> Result<TextTest, Refusal> {
        match self.operator {
            Operator::Among | Operator::Equals => self.texts().map(TextTest::Among),
            Operator::Contains => Ok(TextTest::Contains(self.text()?.to_owned())),
            Operator::StartsWith => Ok(TextTest::StartsWith(self.text()?.to_owned())),
            Operator::After | Operator::Before => {
                Err(self.wrong("invalid_field", "is a text, which has no order"))
            }
        }
    }

    /// One text for "equals", a list for "in".
    fn texts(&self) -> Result<Vec<String>, Refusal> {
        let wrong = || self.wrong("invalid_field", "is not a list of strings");
        match (self.operator, &self.value) {
            (Operator::Among, Value::Array(items)) if items.len() <= MOST_CHOICES => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            (Operator::Among, _) => Err(wrong()),
            (Operator::Equals, _) => Ok(vec![self.text()?.to_owned()]),
            _ => Err(self.wrong("invalid_field", "takes the operators eq and in")),
        }
    }

    fn text(&self) -> Result<&str, Refusal> {
        let wrong = || self.wrong("invalid_field", "is not a string");
        self.value.as_str().ok_or_else(wrong)
    }

    fn time(&self) -> Result<Timestamp, Refusal> {
        let wrong = || self.wrong("invalid_field", "is not an RFC 3339 time");
        let expiry = Expiry::parse_rfc3339(self.text()?).map_err(|_| wrong())?;
        // The far future of expiries has no timestamp; the end of time is after it.
        Ok(Timestamp::from_secs(expiry.secs()))
    }

    fn wrong(&self, code: &'static str, problem: &str) -> Refusal {
        let pointer = format!("/data/attributes/{}/value", self.name);
        bad(code, format!("{} {problem}", self.name), pointer)
    }

    fn unknown(&self) -> Refusal {
        let pointer = format!("/data/attributes/{}", self.name);
        bad("invalid_field", "is not an attribute to search by", pointer)
    }
}

impl PatFilter {
    /// Whether a token is meant.
    pub(super) fn holds(&self, view: &PatView) -> bool {
        let pat = &view.record;
        // Expiries beyond the end of timestamps compare by their seconds.
        let secs = |field: PatTime| match field {
            PatTime::Created => Some(pat.created.secs()),
            PatTime::Expires => Some(pat.expires.secs()),
            PatTime::LastUsed => pat.last_used.map(|used| used.at.secs()),
        };
        match self {
            Self::Before(field, at) => secs(*field).is_some_and(|secs| secs < at.secs()),
            Self::After(field, at) => secs(*field).is_some_and(|secs| secs > at.secs()),
            Self::Id(ids) => ids.contains(&pat.id.to_string()),
            Self::Name(TextTest::Among(names)) => names.contains(&pat.name),
            Self::Name(TextTest::Contains(text)) => pat.name.contains(text.as_str()),
            Self::Name(TextTest::StartsWith(text)) => pat.name.starts_with(text.as_str()),
            Self::UnusedSince(at) => {
                let used = pat.last_used.map_or(pat.created, |used| used.at);
                pat.created < *at && used < *at
            }
            Self::State(states) => states.iter().any(|state| state == view.standing.as_str()),
        }
    }
}

/// The order of accounts; the newest first where nothing is said.
pub(super) fn account_order(query: &Query) -> Result<Vec<(AccountSort, bool)>, Refusal> {
    order(query, |name| match name {
        "createdAt" => Some(AccountSort::Created),
        "expirationDate" => Some(AccountSort::NextExpiry),
        "lastUsedAt" => Some(AccountSort::LastUsed),
        "name" => Some(AccountSort::Name),
        "username" => Some(AccountSort::Username),
        _ => None,
    })
}

/// Puts tokens in order; they come with the newest first.
pub(super) fn sort_pats(query: &Query, views: &mut [PatView]) -> Result<(), Refusal> {
    type Key = fn(&PatView) -> (i64, String);
    let keys = order(query, |name| -> Option<Key> {
        match name {
            "createdAt" | "creationDate" => {
                Some(|view| (view.record.created.nanos(), String::new()))
            }
            "expirationDate" => Some(|view| (view.record.expires.secs(), String::new())),
            "lastUsedAt" => Some(|view| {
                let used = view.record.last_used;
                (used.map_or(0, |used| used.at.nanos()), String::new())
            }),
            "name" => Some(|view| (0, view.record.name.clone())),
            _ => None,
        }
    })?;
    // Sorting keeps what is equal in place, so the last key goes first.
    for (key, descending) in keys.into_iter().rev() {
        if descending {
            views.sort_by_key(|view| std::cmp::Reverse(key(view)));
        } else {
            views.sort_by_key(key);
        }
    }
    Ok(())
}

/// `sort=a,-b`: the keys, and whether each goes downwards. One that is not offered must be refused (JSON:API 1.1).
fn order<T>(query: &Query, key: impl Fn(&str) -> Option<T>) -> Result<Vec<(T, bool)>, Refusal> {
    let Some(text) = query.get("sort") else {
        return Ok(Vec::new());
    };
    let keys = text.split(',').map(|name| {
        let plain = name.strip_prefix('-');
        let descending = plain.is_some();
        key(plain.unwrap_or(name)).map(|key| (key, descending))
    });
    let keys: Option<Vec<_>> = keys.take(MOST_KEYS).collect();
    keys.ok_or_else(|| bad_parameter("sort", "is not by what can be sorted"))
}

fn bad(code: &'static str, detail: impl Into<String>, pointer: impl Into<String>) -> Refusal {
    Refusal::malformed(Problem::new(code, detail.into()).at(pointer))
}

/// The states of tokens, as lists name them.
const STATES: [&str; 4] = ["active", "disabled", "expired", "revoked"];

/// Alternatives of one condition: SQLite binds some thousands.
const MOST_CHOICES: usize = 500;

/// There are no more to sort by.
const MOST_KEYS: usize = 8;
