//! One thing that happened (iam A1, A2).

use serde_json::Map;
use serde_json::Value;

use crate::model::TenantId;
use crate::model::Timestamp;
use crate::redact::mask;

use super::Kind;
use super::Origin;

/// What happened, to whom, by whom. Holds no secret, digest or password: a token is named by its id alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: Kind,
    /// Whether it worked.
    pub outcome: Outcome,
    /// By whom.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// In which tenant, where that is known.
    pub tenant: Option<TenantId>,
    /// To what.
    pub subject: Option<Subject>,
    /// Whose token it is, where the subject is one.
    pub account: Option<String>,
    /// Why, as a machine word.
    pub reason: Option<&'static str>,
    /// What changed, for people: roles before and after.
    pub detail: Option<String>,
    /// The ids of the tokens that ended along with it, other than the subject. The first `MOST_TOKENS` are told one by one.
    pub tokens: Vec<String>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was refused or did not work.
    Failure,
    /// It was done.
    Success,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An account, and the token it used.
    Account {
        /// The account's id.
        id: String,
        /// The account's own tenant, which is another than the event's when skylight-admin acts (iam X6).
        tenant: TenantId,
        /// The token's id; `None` after a login with a password or a certificate.
        token: Option<String>,
        /// The certificate's serial number, where that was its credential.
        certificate: Option<String>,
    },
    /// The gateway, by itself: because it was time, or because something else happened.
    Gateway,
    /// Whoever may write to the local store.
    Operator,
    /// Nobody whose name is known.
    Unknown,
}

/// What was acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `account`, `certificate`, `pat`, `tenant`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its name, told now because the row may be gone later.
    pub name: Option<String>,
}

impl Event {
    /// A success without a subject; the caller fills in the rest.
    pub fn new(at: Timestamp, kind: Kind, actor: Actor) -> Self {
        Self {
            at,
            kind,
            outcome: Outcome::Success,
            actor,
            origin: Origin::default(),
            tenant: None,
            subject: None,
            account: None,
            reason: None,
            detail: None,
            tokens: Vec::new(),
        }
    }

    /// The account that it is about: of the token, or itself.
    pub fn about(&self) -> Option<&str> {
        let subject = self.subject.as_ref();
        let itself = subject.filter(|subject| subject.kind == ACCOUNT);
        self.account
            .as_deref()
            .or(itself.map(|subject| subject.id.as_str()))
    }

    /// The tenants that may read of it: where it happened, and where its actor is at home (iam X6).
    pub fn tenants(&self) -> impl Iterator<Item = &TenantId> {
        let home = match &self.actor {
            Actor::Account { tenant, .. } => Some(tenant),
            Actor::Gateway | Actor::Operator | Actor::Unknown => None,
        };
        let other = home.filter(|home| self.tenant.as_ref() != Some(home));
        self.tenant.iter().chain(other)
    }

    /// One line of JSON. Control characters are escaped (iam A5), what looks like a secret is masked (A3), members without a value left out.
    pub fn to_json(&self) -> String {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), mask(&value).into());
            }
        };
        put("at", Some(self.at.to_string()));
        put("event", Some(self.kind.as_str().to_owned()));
        put("outcome", Some(self.outcome.as_str().to_owned()));
        put("severity", self.kind.severity().map(str::to_owned));
        put("actor", Some(self.actor.kind().to_owned()));
        if let Actor::Account {
            id,
            tenant,
            token,
            certificate,
        } = &self.actor
        {
            put("actorId", Some(id.clone()));
            put("actorTenant", Some(tenant.to_string()));
            put("actorToken", token.clone());
            put("actorCertificate", certificate.clone());
        }
        put("tenant", self.tenant.as_ref().map(ToString::to_string));
        if let Some(subject) = &self.subject {
            put("subject", Some(subject.kind.to_owned()));
            put("subjectId", Some(subject.id.clone()));
            put("subjectName", subject.name.clone());
        }
        put("account", self.account.clone());
        put(
            "address",
            self.origin.address.map(|address| address.to_string()),
        );
        put("protocol", self.origin.protocol.map(str::to_owned));
        put("request", self.origin.request.clone());
        put("userAgent", self.origin.user_agent.clone());
        put("reason", self.reason.map(str::to_owned));
        put("detail", self.detail.clone());
        if !self.tokens.is_empty() {
            let told = self.tokens.iter().take(MOST_TOKENS);
            let told: Vec<_> = told.map(|id| Value::from(mask(id).into_owned())).collect();
            let untold = self.tokens.len() - told.len();
            members.insert("tokens".to_owned(), told.into());
            if untold > 0 {
                members.insert("moreTokens".to_owned(), untold.into());
            }
        }
        Value::Object(members).to_string()
    }
}

impl Actor {
    /// The stored word.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Account { .. } => "account",
            Self::Gateway => "gateway",
            Self::Operator => "operator",
            Self::Unknown => "unknown",
        }
    }
}

impl Outcome {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Success => "success",
        }
    }
}

/// What an account is called among subjects.
const ACCOUNT: &str = "account";

/// Tokens that one event names, so that syslog takes the list whole; how many more there were is a number. All of them
/// are listed as revoked at the time of the event.
const MOST_TOKENS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_json_is_one_line_whatever_a_peer_says() {
        let mut event = Event::new(Timestamp::EPOCH, Kind::AuthenticationFailed, Actor::Unknown);
        event.outcome = Outcome::Failure;
        event.origin.user_agent = Some("evil\r\n{\"event\":\"x\"}\u{7}".to_owned());
        let json = event.to_json();
        assert!(!json.contains(['\r', '\n', '\u{7}']), "{json}");
        assert!(
            json.starts_with(r#"{"at":"1970-01-01T00:00:00Z","event":"authentication.failed""#)
        );
    }

    #[test]
    fn tokens_are_named_up_to_a_limit_and_counted_beyond() {
        let mut event = Event::new(Timestamp::EPOCH, Kind::AccountDeleted, Actor::Gateway);
        assert!(!event.to_json().contains("okens"));
        event.tokens = (0..MOST_TOKENS).map(|id| id.to_string()).collect();
        let json: Value = serde_json::from_str(&event.to_json()).unwrap();
        assert_eq!(json["tokens"].as_array().unwrap().len(), MOST_TOKENS);
        assert!(json.get("moreTokens").is_none());
        event.tokens.push("last".to_owned());
        let json: Value = serde_json::from_str(&event.to_json()).unwrap();
        assert_eq!(json["tokens"].as_array().unwrap().len(), MOST_TOKENS);
        assert_eq!(
            (&json["tokens"][0], &json["moreTokens"]),
            (&"0".into(), &1.into())
        );
    }
}
