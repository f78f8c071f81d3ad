//! The members of a flat body, read so that everything wrong with them is said at once.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Map;
use serde_json::Value;

use crate::iam::Limit;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::Scope;
use crate::model::Expiry;
use crate::model::Timestamp;

use super::error::Problem;
use super::error::Refusal;

/// A body that is being read. Members that nobody asks for are let pass.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    members: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    pub(super) const fn of(members: Map<String, Value>) -> Self {
        Self {
            members,
            problems: Vec::new(),
        }
    }

    /// A text of 1 to `most` characters; what is around it is trimmed.
    pub(super) fn required(&mut self, name: &str, most: usize) -> String {
        match self.members.get(name) {
            None | Some(Value::Null) => {
                self.complain(name, "missing_field", "is required");
                String::new()
            }
            Some(_) => self.changed(name, most).unwrap_or_default(),
        }
    }

    /// A text that may be left out, but not be blank: `None` when it is left out, or wrong.
    pub(super) fn changed(&mut self, name: &str, most: usize) -> Option<String> {
        let text = self.text(name, most)?;
        if text.is_empty() {
            self.complain(name, "missing_field", "is blank");
            return None;
        }
        Some(text)
    }

    /// A text that may be left out or empty. Null is neither.
    pub(super) fn text(&mut self, name: &str, most: usize) -> Option<String> {
        let Value::String(text) = self.members.get(name)? else {
            self.complain(name, "invalid_field", "is not a string");
            return None;
        };
        let text = text.trim().to_owned();
        if text.chars().count() > most {
            self.complain(name, "too_long", "is too long");
            return None;
        }
        let is_allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        if !text.chars().all(is_allowed) {
            self.complain(name, "invalid_field", "has control characters");
            return None;
        }
        Some(text)
    }

    /// A user name: no white space, no control characters.
    pub(super) fn username(&mut self) -> String {
        let username = self.required("username", NAME_LENGTH);
        if username
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
        {
            self.complain("username", "invalid_field", "has white space");
        }
        username
    }

    /// `Bearer`, in any case.
    pub(super) fn token_type(&mut self) {
        let name = "accessTokenType";
        let given = self.required(name, NAME_LENGTH);
        if given.eq_ignore_ascii_case("jwt") {
            let detail = "JWT is not offered; use Bearer";
            self.complain(name, "unsupported_access_token_type", detail);
        } else if !given.is_empty() && !given.eq_ignore_ascii_case("bearer") {
            self.complain(name, "invalid_field", "is not Bearer");
        }
    }

    /// When a token ends: an RFC 3339 time after `now`, or one of a few lifetimes. A first token needs one, the rest may
    /// do without.
    pub(super) fn expiration(&mut self, now: Timestamp, is_required: bool) -> Option<Expiry> {
        let name = "expirationDate";
        if !matches!(self.members.get(VALIDITY), None | Some(Value::Null)) {
            return self.validity(now);
        }
        let given = match self.members.get(name) {
            None | Some(Value::Null) => {
                if is_required {
                    self.complain(name, "expiration_required", "is required for a token");
                }
                return None;
            }
            Some(Value::String(text)) => Expiry::parse_rfc3339(text),
            Some(_) => {
                self.complain(name, "invalid_field", "is not a string");
                return None;
            }
        };
        match given {
            Err(_) => self.complain(name, "invalid_field", "is not an RFC 3339 time"),
            Ok(expiry) if expiry.is_over(now) => {
                self.complain(name, "expiration_in_past", "is not in the future");
            }
            Ok(expiry) => return Some(expiry),
        }
        None
    }

    fn validity(&mut self, now: Timestamp) -> Option<Expiry> {
        if !matches!(self.members.get("expirationDate"), None | Some(Value::Null)) {
            let problem = "and expirationDate exclude each other";
            self.complain(VALIDITY, "invalid_field", problem);
            return None;
        }
        let given = self.members.get(VALIDITY).and_then(Value::as_str);
        let days = PRESETS.iter().find(|(word, _)| Some(*word) == given);
        let Some((_, days)) = days else {
            self.complain(VALIDITY, "invalid_field", "is none of 30d, 90d, 180d, 365d");
            return None;
        };
        Some(Expiry::from_secs(now.secs().saturating_add(days * DAY)))
    }

    /// An RFC 3339 time that is not after `now`, or the word "now".
    pub(super) fn time(&mut self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let text = match self.members.get(name) {
            None | Some(Value::Null) => return None,
            Some(value) => value.as_str(),
        };
        match text {
            Some("now") => return Some(now),
            Some(text) => match Timestamp::parse_rfc3339(text) {
                Ok(at) if at <= now => return Some(at),
                Ok(_) => self.complain(name, "invalid_field", "is in the future"),
                Err(_) => self.complain(name, "invalid_field", "is not an RFC 3339 time"),
            },
            None => self.complain(name, "invalid_field", "is not a string"),
        }
        None
    }

    /// An RFC 3339 time, whenever it is.
    pub(super) fn end(&mut self, name: &str) -> Option<Expiry> {
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let end = value.as_str().map(Expiry::parse_rfc3339);
                let Some(Ok(end)) = end else {
                    self.complain(name, "invalid_field", "is not an RFC 3339 time");
                    return None;
                };
                Some(end)
            }
        }
    }

    /// A whole number up to `most`; null is no limit.
    pub(super) fn limit(&mut self, name: &str, most: u64) -> Limit<u64> {
        match self.members.get(name) {
            None => Limit::Kept,
            Some(Value::Null) => Limit::Lifted,
            Some(value) => {
                if let Some(number) = value.as_u64().filter(|number| *number <= most) {
                    return Limit::Set(number);
                }
                let detail = format!("is neither null nor a whole number up to {most}");
                self.complain(name, "invalid_field", &detail);
                Limit::Kept
            }
        }
    }

    /// What a token is narrowed to.
    pub(super) fn scopes(&mut self, name: &str) -> Option<Vec<Scope>> {
        self.list(name, |text| {
            text.parse::<Scope>().map_err(|error| error.to_string())
        })
    }

    /// Networks, each as address and prefix length, or one address.
    pub(super) fn networks(&mut self, name: &str) -> Option<Vec<IpNet>> {
        self.list(name, |text| {
            let network = text.parse::<IpNet>().ok();
            let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
            network
                .or_else(one)
                .ok_or_else(|| "is no network, such as 192.0.2.0/24".to_owned())
        })
    }

    /// A list of texts, each of which must be understood.
    fn list<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let given = self.members.get(name).filter(|value| !value.is_null())?;
        let Some(items) = given.as_array().filter(|items| items.len() <= MOST_ITEMS) else {
            self.complain(name, "invalid_field", "is not a list of at most 64 strings");
            return None;
        };
        let mut found = Vec::with_capacity(items.len());
        let mut wrong = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item.as_str().map(&read) {
                Some(Ok(item)) => found.push(item),
                Some(Err(problem)) => wrong.push((index, problem)),
                None => wrong.push((index, "is not a string".to_owned())),
            }
        }
        for (index, problem) in &wrong {
            self.complain(&format!("{name}/{index}"), "invalid_field", problem);
        }
        wrong.is_empty().then_some(found)
    }

    /// Whole seconds.
    pub(super) fn seconds(&mut self, name: &str, most: u64) -> Option<u64> {
        let given = self.members.get(name)?.as_u64();
        if given.is_none_or(|seconds| seconds > most) {
            let detail = format!("is not a whole number of seconds up to {most}");
            self.complain(name, "invalid_field", &detail);
            return None;
        }
        given
    }

    /// A list of role names, not empty.
    pub(super) fn roles(&mut self, name: &str) -> Roles {
        let roles = self.members.get(name).and_then(|value| {
            let names = value.as_array().filter(|names| !names.is_empty())?;
            names
                .iter()
                .map(|name| api_role(name.as_str()?))
                .collect::<Option<Roles>>()
        });
        if roles.is_none() {
            self.complain(name, "invalid_role", ALLOWED_ROLES);
        }
        roles.unwrap_or_default()
    }

    /// A member that may only say what is so already.
    pub(super) fn immutable(&mut self, name: &str, current: &str) {
        if self
            .members
            .get(name)
            .is_some_and(|given| given.as_str() != Some(current))
        {
            self.complain(name, "immutable_field", "cannot be changed");
        }
    }

    /// Nothing was wrong, or all that was.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal::all_malformed(self.problems))
        }
    }

    fn complain(&mut self, name: &str, code: &'static str, problem: &str) {
        let problem = Problem::new(code, format!("{name} {problem}")).at(format!("/{name}"));
        self.problems.push(problem);
    }
}

/// The `roles` parameter of a creation: names with commas between; the vendor's default when it is not given.
pub(super) fn roles_parameter(given: Option<&str>) -> Result<Roles, Refusal> {
    let Some(given) = given else {
        return Ok(Role::TenantAdmin.into());
    };
    let roles: Option<Roles> = given.split(',').map(|name| api_role(name.trim())).collect();
    roles.ok_or_else(|| {
        let problem = Problem::new("invalid_role", format!("roles {ALLOWED_ROLES}")).of("roles");
        Refusal::malformed(problem)
    })
}

/// The vendor's API gives three roles alone (iam 2.3).
fn api_role(name: &str) -> Option<Role> {
    let role = name.parse().ok()?;
    matches!(
        role,
        Role::SkylightAdmin | Role::TenantAdmin | Role::ServiceAccountManager
    )
    .then_some(role)
}

const ALLOWED_ROLES: &str = "may be skylight-admin, tenant-admin and service-account-manager";

/// The lifetimes that have a name (iam 1), in days.
const PRESETS: [(&str, i64); 4] = [("30d", 30), ("90d", 90), ("180d", 180), ("365d", 365)];
const VALIDITY: &str = "validity";
const DAY: i64 = 86_400;

/// As many networks as a token may have, twice as many scopes.
const MOST_ITEMS: usize = 64;

/// Characters.
pub(super) const NAME_LENGTH: usize = 200;

/// Characters, as the vendor documents; stricter than the store.
pub(super) const DESCRIPTION_LENGTH: usize = 400;
