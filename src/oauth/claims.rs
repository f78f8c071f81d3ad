//! What an introspection answer says, as this gateway understands it (RFC 7662 2.2).

use serde_json::Map;
use serde_json::Value;

use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::Scope;
use crate::iam::Told;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

/// Which members say what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The tenant's name.
    pub tenant: String,
    /// Who it is, for good.
    pub subject: String,
    /// The same, for people.
    pub username: String,
    /// Role names: an object's keys, an array, or words.
    pub roles: String,
    /// One of the parties that `aud` must name; `None` asks for nobody in it.
    pub audience: Option<String>,
}

/// The answer makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("answer has no usable {0}")]
pub(super) struct Unusable(&'static str);

/// The names that Zitadel gives them.
impl Default for Claims {
    fn default() -> Self {
        Self {
            tenant: TENANT.to_owned(),
            subject: "sub".to_owned(),
            username: "username".to_owned(),
            roles: ROLES.to_owned(),
            audience: None,
        }
    }
}

impl Claims {
    /// Reads an answer. What narrows a token and is not understood makes it unusable, never wider.
    pub(super) fn read(&self, body: &[u8], now: Timestamp) -> Result<Option<Told>, Unusable> {
        let body: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| Unusable("JSON object"))?;
        match body.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(None),
            _ => return Err(Unusable("`active`")),
        }
        if let Some(not_before) = body.get("nbf") {
            let not_before = not_before.as_i64().ok_or(Unusable("`nbf`"))?;
            if now.secs() < not_before {
                return Ok(None);
            }
        }
        let is_meant = |audience: &String| is_among(audience, body.get("aud"));
        // A token for somebody else is none here (RFC 7662 4).
        if !self.audience.as_ref().is_none_or(is_meant) {
            return Ok(None);
        }
        let text = |name: &str| {
            let text = body.get(name).and_then(Value::as_str);
            text.filter(|text| (1..=LONGEST).contains(&text.len()))
        };
        let tenant = text(&self.tenant).ok_or(Unusable("tenant"))?;
        let subject = text(&self.subject).ok_or(Unusable("subject"))?;
        let username = text(&self.username).unwrap_or(subject);
        Ok(Some(Told {
            tenant: TenantId::new(tenant),
            subject: subject.to_owned(),
            username: username.to_owned(),
            roles: roles(body.get(&self.roles))?,
            scopes: scopes(&body)?,
            networks: list(body.get(NETWORKS))?,
            account_networks: list(body.get(ACCOUNT_NETWORKS))?,
            expires: expires(body.get("exp"))?,
        }))
    }
}

/// `aud` is one name or a list of them (RFC 7662 2.2).
fn is_among(audience: &str, named: Option<&Value>) -> bool {
    match named {
        Some(Value::String(name)) => name == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

/// Roles of other applications mean nothing here. Without any, the holder may do nothing.
fn roles(value: Option<&Value>) -> Result<Roles, Unusable> {
    let names: Vec<&str> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(roles)) => roles.keys().map(String::as_str).collect(),
        Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(roles)) => roles.split([' ', ',']).collect(),
        Some(_) => return Err(Unusable("roles")),
    };
    Ok(names
        .into_iter()
        .filter_map(|name| name.parse::<Role>().ok())
        .collect())
}

fn scopes(body: &Map<String, Value>) -> Result<Vec<Scope>, Unusable> {
    if let Some(scopes) = body.get(SCOPES) {
        return list(Some(scopes));
    }
    let words = body
        .get("scope")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut scopes = Vec::new();
    for word in words.split(' ') {
        match word.parse() {
            Ok(scope) => scopes.push(scope),
            Err(_) if NARROWING.iter().any(|prefix| word.starts_with(prefix)) => {
                return Err(Unusable("scope"));
            }
            Err(_) => {}
        }
    }
    Ok(scopes)
}

fn list<T: std::str::FromStr>(value: Option<&Value>) -> Result<Vec<T>, Unusable> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or(Unusable("list"))?,
    };
    items
        .iter()
        .map(|item| item.as_str().and_then(|item| item.parse().ok()))
        .collect::<Option<_>>()
        .ok_or(Unusable("list"))
}

fn expires(value: Option<&Value>) -> Result<Expiry, Unusable> {
    match value {
        None | Some(Value::Null) => Ok(Expiry::NEVER),
        Some(value) => value
            .as_i64()
            .map(Expiry::from_secs)
            .ok_or(Unusable("`exp`")),
    }
}

/// The name of the user's organization.
pub(super) const TENANT: &str = "urn:zitadel:iam:user:resourceowner:name";

/// The user's roles in the project, each with the organizations in which it holds.
pub(super) const ROLES: &str = "urn:zitadel:iam:org:project:roles";

/// What a token of ours is narrowed to: `scope` cannot say it all, because its words have no spaces.
pub(super) const SCOPES: &str = "tollgate:scopes";

/// Where a token of ours may be used from.
pub(super) const NETWORKS: &str = "tollgate:networks";

/// Where any token of its account may be used from.
pub(super) const ACCOUNT_NETWORKS: &str = "tollgate:account_networks";

/// How words begin that narrow a token: such a word that is not understood is no word to pass over.
pub(super) const NARROWING: &[&str] = &["path:", "target:"];

/// Bytes of a name.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Option<Told>, Unusable> {
        let now = Timestamp::from_secs(1_000);
        Claims::default().read(body.to_string().as_bytes(), now)
    }

    fn zitadel() -> Value {
        json!({
            "active": true, "scope": "openid profile", "client_id": "c", "exp": 2_000,
            "sub": "163840776835432705", "username": "streamer",
            (TENANT): "pca", (ROLES): { "tenant-user": { "1": "pca.example" }, "other": {} },
        })
    }

    #[test]
    fn zitadels_answer_is_understood_as_it_is() {
        let told = read(&zitadel()).unwrap().unwrap();
        assert_eq!(told.tenant.as_str(), "pca");
        assert_eq!(told.username, "streamer");
        assert_eq!(told.roles, Role::TenantUser.into());
        assert!(told.scopes.is_empty());
        assert_eq!(told.expires, Expiry::from_secs(2_000));
    }

    #[test]
    fn what_is_not_understood_never_widens() {
        for (name, value) in [
            (TENANT, Value::Null),
            ("sub", json!(7)),
            ("exp", json!("soon")),
            ("nbf", json!("later")),
            ("active", json!("true")),
            (ROLES, json!(true)),
            ("scope", json!("read-only path:/a[")),
            (SCOPES, json!(["read-only", "new-narrowing"])),
            (NETWORKS, json!(["everywhere"])),
            (ACCOUNT_NETWORKS, json!("192.0.2.0/24")),
        ] {
            let mut body = zitadel();
            body[name] = value;
            assert!(read(&body).is_err(), "{name}");
        }
        for body in [json!({ "active": false }), {
            let mut body = zitadel();
            body["nbf"] = json!(1_001);
            body
        }] {
            assert_eq!(read(&body), Ok(None));
        }
        assert!(read(&json!([])).is_err());
    }

    #[test]
    fn audience_is_named_alone_or_among_others() {
        let claims = Claims {
            audience: Some("edge".to_owned()),
            ..Claims::default()
        };
        for (audience, expected) in [
            (json!("edge"), true),
            (json!(["other", "edge"]), true),
            (json!("Edge"), false),
            (json!(["other"]), false),
            (json!([]), false),
            (json!({ "edge": true }), false),
            (Value::Null, false),
        ] {
            let mut body = zitadel();
            body["aud"] = audience;
            let now = Timestamp::from_secs(1_000);
            let told = claims.read(body.to_string().as_bytes(), now).unwrap();
            assert_eq!(told.is_some(), expected, "{body}");
            assert!(read(&body).unwrap().is_some());
        }
    }

    #[test]
    fn roles_come_in_three_forms() {
        for value in [
            json!({ "tenant-user": {}, "x": {} }),
            json!(["tenant-user", "x", 7]),
            json!("x tenant-user"),
        ] {
            assert_eq!(roles(Some(&value)), Ok(Role::TenantUser.into()), "{value}");
        }
    }
}
