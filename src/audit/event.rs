//! One thing that happened (iam A1, A2).

use std::net::IpAddr;

use serde_json::Map;
use serde_json::Value;

use crate::model::TenantId;
use crate::model::Timestamp;

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
    /// Why, as a machine word.
    pub reason: Option<&'static str>,
    /// What changed, for people: roles before and after.
    pub detail: Option<String>,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An account came into being.
    AccountCreated,
    /// An account and its tokens are gone for good.
    AccountDeleted,
    /// An account is refused until it is enabled again.
    AccountDisabled,
    /// A disabled account is back.
    AccountEnabled,
    /// An account has another name or description.
    AccountUpdated,
    /// A credential was refused.
    AuthenticationFailed,
    /// A certificate was issued.
    CertificateIssued,
    /// Somebody asked for a certificate, and did not get it.
    CertificateRefused,
    /// A certificate was withdrawn.
    CertificateRevoked,
    /// A person has a new password.
    PasswordChanged,
    /// A person's password was hashed again, with stronger parameters.
    PasswordRehashed,
    /// A token was issued.
    PatCreated,
    /// A token was withdrawn.
    PatRevoked,
    /// A token was replaced by another.
    PatRotated,
    /// A source of failures is held off.
    RateLimited,
    /// An account has other roles.
    RolesChanged,
    /// Somebody has logged out.
    SessionEnded,
    /// Somebody has logged in.
    SessionOpened,
    /// A tenant came into being.
    TenantCreated,
    /// All of a tenant's accounts are refused.
    TenantDisabled,
    /// A disabled tenant is back.
    TenantEnabled,
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
        /// The token's id; `None` after a login with a password.
        token: Option<String>,
    },
    /// Whoever may write to the local store.
    Operator,
    /// Nobody whose name is known.
    Unknown,
}

/// Where a request came from. All empty for the local operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// The protocol: `gnmi`, `https`.
    pub protocol: Option<&'static str>,
    /// The id by which logs name the request.
    pub request: Option<String>,
    /// What the peer calls itself.
    pub user_agent: Option<String>,
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
            reason: None,
            detail: None,
        }
    }

    /// One line of JSON. Control characters are escaped (iam A5), members without a value left out.
    pub fn to_json(&self) -> String {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), Value::String(value));
            }
        };
        put("at", Some(self.at.to_string()));
        put("event", Some(self.kind.as_str().to_owned()));
        put("outcome", Some(self.outcome.as_str().to_owned()));
        let (actor, id, home, token) = match &self.actor {
            Actor::Account { id, tenant, token } => (
                "account",
                Some(id.clone()),
                Some(tenant.to_string()),
                token.clone(),
            ),
            Actor::Operator => ("operator", None, None, None),
            Actor::Unknown => ("unknown", None, None, None),
        };
        put("actor", Some(actor.to_owned()));
        put("actorId", id);
        put("actorTenant", home);
        put("actorToken", token);
        put("tenant", self.tenant.as_ref().map(ToString::to_string));
        if let Some(subject) = &self.subject {
            put("subject", Some(subject.kind.to_owned()));
            put("subjectId", Some(subject.id.clone()));
            put("subjectName", subject.name.clone());
        }
        put(
            "address",
            self.origin.address.map(|address| address.to_string()),
        );
        put("protocol", self.origin.protocol.map(str::to_owned));
        put("request", self.origin.request.clone());
        put("userAgent", self.origin.user_agent.clone());
        put("reason", self.reason.map(str::to_owned));
        put("detail", self.detail.clone());
        Value::Object(members).to_string()
    }
}

impl Kind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountDeleted => "account.deleted",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::AccountUpdated => "account.updated",
            Self::AuthenticationFailed => "authentication.failed",
            Self::CertificateIssued => "certificate.issued",
            Self::CertificateRefused => "certificate.refused",
            Self::CertificateRevoked => "certificate.revoked",
            Self::PasswordChanged => "account.password_changed",
            Self::PasswordRehashed => "account.password_rehashed",
            Self::PatCreated => "pat.created",
            Self::PatRevoked => "pat.revoked",
            Self::PatRotated => "pat.rotated",
            Self::RateLimited => "authentication.rate_limited",
            Self::RolesChanged => "account.roles_changed",
            Self::SessionEnded => "session.ended",
            Self::SessionOpened => "session.opened",
            Self::TenantCreated => "tenant.created",
            Self::TenantDisabled => "tenant.disabled",
            Self::TenantEnabled => "tenant.enabled",
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
}
