//! What is answered when it is not what was asked for: statuses and stable codes (iam 2.3, 2.4).

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountKind;
use crate::iam::AccountsError;
use crate::iam::Action;
use crate::iam::AuthError;
use crate::iam::Denied;
use crate::iam::NotPermitted;
use crate::iam::port::RecordsError;
use crate::model::Class;

pub(super) use super::problem::Problem;
pub(super) use super::problem::Source;

/// A refusal. `frame` writes its body, because it knows the request's id and what the client accepts.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    problems: Vec<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, problem: Problem) -> Self {
        Self {
            status,
            problems: vec![problem],
            headers: Vec::new(),
        }
    }

    /// 400 for what the request alone shows.
    pub(super) fn malformed(problem: Problem) -> Self {
        Self::new(StatusCode::BAD_REQUEST, problem)
    }

    /// The same for several things at once.
    pub(super) fn all_malformed(problems: Vec<Problem>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            problems,
            headers: Vec::new(),
        }
    }

    /// Why somebody known may not, where that is what it says.
    pub(super) fn denial(&self) -> Option<&'static str> {
        let is_denial = self.status == StatusCode::FORBIDDEN;
        let problem = self.problems.first().filter(|_| is_denial)?;
        Some(problem.code)
    }

    /// What another tenant has is not there either (iam X4).
    pub(super) fn not_found(what: &str) -> Self {
        let problem = Problem::new("not_found", format!("no such {what}"));
        Self::new(StatusCode::NOT_FOUND, problem)
    }

    pub(super) fn wrong_method() -> Self {
        let problem = Problem::new("method_not_allowed", "this page does not take that method");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, problem)
    }

    /// No credential was shown.
    pub(super) fn missing_credentials() -> Self {
        let detail = "send `Authorization: Bearer <token>`, or show a client certificate";
        let problem =
            Problem::new("missing_credentials", detail).from(Source::Header("Authorization"));
        Self::new(StatusCode::UNAUTHORIZED, problem).with(WWW_AUTHENTICATE, CHALLENGE)
    }

    /// A user name and password that are not right, without a word about which (iam T5).
    pub(super) fn bad_login() -> Self {
        let problem = Problem::new("invalid_credentials", "user name or password is wrong");
        Self::new(StatusCode::UNAUTHORIZED, problem)
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.headers
            .push((RETRY_AFTER, HeaderValue::from(seconds.max(1))));
        self
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The same, with the status that an expired token is to have, if it is one (iam 2.3).
    pub(super) fn if_expired(mut self, status: StatusCode) -> Self {
        if self.problems.iter().any(|problem| problem.code == EXPIRED) {
            self.status = status;
        }
        self
    }

    /// The JSON:API error document.
    pub(super) fn document(&self, request: &str) -> Value {
        let status = self.status.as_str();
        let title = self.status.canonical_reason().unwrap_or_default();
        let entry = |problem: &Problem| {
            let mut entry = json!({
                "id": request,
                "status": status,
                "code": problem.code,
                "title": title,
                "detail": problem.detail,
            });
            let source = problem.source.as_ref().map(|source| match source {
                Source::Header(name) => json!({ "header": name }),
                Source::Parameter(name) => json!({ "parameter": name }),
                Source::Pointer(pointer) => json!({ "pointer": pointer }),
            });
            if let (Some(members), Some(source)) = (entry.as_object_mut(), source) {
                members.insert("source".to_owned(), source);
            }
            entry
        };
        let errors: Vec<Value> = self.problems.iter().map(entry).collect();
        json!({ "errors": errors, "jsonapi": { "version": "1.1" } })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

/// A refused token. Unknown, revoked and garbled ones are told apart in the audit trail alone (iam T5); an expired one
/// is 403, as the vendor documents, still with the challenge (iam 2.3).
impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let (status, code, challenge) = match error {
            AuthError::PatExpired { .. } => (StatusCode::FORBIDDEN, EXPIRED, EXPIRED_CHALLENGE),
            AuthError::AccountDisabled { .. } => (
                StatusCode::UNAUTHORIZED,
                "account_disabled",
                INVALID_CHALLENGE,
            ),
            // Whoever shows it may know, and another credential would be as right (iam 3.7).
            AuthError::PasswordProvisional { .. } => {
                let detail = format!("{error}, by POST /api/v1/auth/password");
                return Self::new(StatusCode::FORBIDDEN, Problem::new(error.reason(), detail));
            }
            AuthError::AddressNotAllowed { .. } => {
                let problem = Problem::new("ip_not_allowed", error.to_string());
                return Self::new(StatusCode::FORBIDDEN, problem);
            }
            AuthError::CertificateMismatch => {
                let problem = Problem::new(error.reason(), error.to_string());
                return Self::new(StatusCode::FORBIDDEN, problem);
            }
            other if other.serial().is_some() => {
                let problem = Problem::new(other.reason(), other.to_string());
                return Self::new(StatusCode::UNAUTHORIZED, problem)
                    .with(WWW_AUTHENTICATE, CHALLENGE);
            }
            AuthError::Throttled { retry_after } => {
                let problem = Problem::new("rate_limited", error.to_string());
                return Self::new(StatusCode::TOO_MANY_REQUESTS, problem)
                    .retry_after(retry_after.as_secs());
            }
            other if other.class() == Class::Unavailable => return unavailable(),
            other if other.class() == Class::Unauthenticated => {
                let problem = Problem::new("invalid_token", "token is not valid");
                return Self::new(StatusCode::UNAUTHORIZED, problem)
                    .with(WWW_AUTHENTICATE, INVALID_CHALLENGE);
            }
            _ => return internal(),
        };
        Self::new(status, Problem::new(code, error.to_string())).with(WWW_AUTHENTICATE, challenge)
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let problem = match denied {
            Denied::ForeignTenant => Problem::new(denied.reason(), denied.to_string()).from(TENANT),
            Denied::MissingRole {
                action: Action::SetPolicy,
            } => Problem::new(denied.reason(), POLICY_ROLES),
            Denied::MissingRole { .. } => Problem::new(denied.reason(), NEEDED_ROLES),
            _ => Problem::new(denied.reason(), denied.to_string()),
        };
        Self::new(StatusCode::FORBIDDEN, problem)
    }
}

impl From<NotPermitted> for Refusal {
    fn from(error: NotPermitted) -> Self {
        match error {
            NotPermitted::Denied(denied) => denied.into(),
            NotPermitted::Auth(error) => error.into(),
        }
    }
}

impl From<AccountsError> for Refusal {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Denied(denied) => denied.into(),
            AccountsError::InvalidField { field, problem } => {
                let problem = Problem::new("invalid_field", format!("{field} {problem}"));
                Self::malformed(problem)
            }
            AccountsError::LifetimeExceeds => {
                let problem = Problem::new("lifetime_exceeds_policy", error.to_string())
                    .at("/expirationDate");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, problem)
            }
            AccountsError::Records(error) => error.into(),
            AccountsError::Throttled { retry_after } => {
                let problem = Problem::new("rate_limited", error.to_string());
                Self::new(StatusCode::TOO_MANY_REQUESTS, problem).retry_after(retry_after.as_secs())
            }
            other if other.class() == Class::Unavailable => unavailable(),
            _ => internal(),
        }
    }
}

impl From<RecordsError> for Refusal {
    fn from(error: RecordsError) -> Self {
        let conflict = |code, pointer: &str| {
            Self::new(
                StatusCode::CONFLICT,
                Problem::new(code, error.to_string()).at(pointer),
            )
        };
        match error {
            RecordsError::NotFound("tenant") => Denied::ForeignTenant.into(),
            RecordsError::NotFound(what) => Self::not_found(what),
            RecordsError::UsernameTaken(AccountKind::Machine) => {
                conflict("username_conflict", "/username")
            }
            RecordsError::UsernameTaken(AccountKind::Person) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Problem::new("username_conflicts_with_human", error.to_string()).at("/username"),
            ),
            RecordsError::QuotaExceeded(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Problem::new("quota_exceeded", error.to_string()),
            ),
            RecordsError::PatNameTaken => conflict("pat_name_conflict", "/name"),
            RecordsError::Changed | RecordsError::TenantExists => Self::new(
                StatusCode::CONFLICT,
                Problem::new("changed_meanwhile", "changed by another writer; try again"),
            ),
            _ => unavailable(),
        }
    }
}

fn unavailable() -> Refusal {
    let problem = Problem::new("unavailable", "the account store does not answer now");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, problem).retry_after(1)
}

pub(super) fn internal() -> Refusal {
    let problem = Problem::new("internal", "the gateway could not do it");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, problem)
}

/// The header that names the tenant.
pub(super) const TENANT: Source = Source::Header("X-Forwarded-Tenant-Id");

const NEEDED_ROLES: &str = "needs the role skylight-admin, tenant-admin or service-account-manager, \
                            and a token that is not narrowed";

/// The code of an expired token.
const EXPIRED: &str = "token_expired";

const POLICY_ROLES: &str =
    "needs the role skylight-admin or tenant-admin, and a token that is not narrowed";

/// RFC 6750 3: no error is named when no token was shown.
const CHALLENGE: &str = r#"Bearer realm="tollgate""#;
const INVALID_CHALLENGE: &str = concat!(
    r#"Bearer realm="tollgate", error="invalid_token", "#,
    r#"error_description="the token is not valid""#
);
const EXPIRED_CHALLENGE: &str = concat!(
    r#"Bearer realm="tollgate", error="invalid_token", "#,
    r#"error_description="the token has expired""#
);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::iam::port::Fault;

    use super::*;

    #[track_caller]
    fn check(refusal: impl Into<Refusal>, status: u16, code: &str) -> Refusal {
        let refusal = refusal.into();
        assert_eq!(refusal.status.as_u16(), status);
        let document = refusal.document("id");
        let error = &document["errors"][0];
        assert_eq!((&error["code"], &error["id"]), (&json!(code), &json!("id")));
        assert_eq!(error["status"], status.to_string());
        refusal
    }

    #[test]
    fn store_that_does_not_answer_is_never_the_callers_fault() {
        let down = RecordsError::Unavailable(Fault::Other);
        for refusal in [
            check(AuthError::Unavailable, 503, "unavailable"),
            check(down, 503, "unavailable"),
            check(AccountsError::Records(down), 503, "unavailable"),
            check(
                AccountsError::Password(AuthError::Unavailable),
                503,
                "unavailable",
            ),
        ] {
            let names: Vec<_> = refusal.headers.iter().map(|(name, _)| name).collect();
            assert_eq!(names, [RETRY_AFTER]);
        }
    }

    #[test]
    fn rows_that_no_request_reaches_alone() {
        let retry_after = Duration::from_millis(300);
        let throttled = check(AuthError::Throttled { retry_after }, 429, "rate_limited");
        assert_eq!(throttled.headers, [(RETRY_AFTER, HeaderValue::from(1))]);
        check(AuthError::Internal, 500, "internal");
        check(AccountsError::NoRandomness, 500, "internal");
        check(
            AuthError::AddressNotAllowed { token: None },
            403,
            "ip_not_allowed",
        );
        check(
            AccountsError::LifetimeExceeds,
            422,
            "lifetime_exceeds_policy",
        );
        check(RecordsError::QuotaExceeded("tenant"), 422, "quota_exceeded");
        check(RecordsError::Changed, 409, "changed_meanwhile");
        check(RecordsError::NotFound("tenant"), 403, "tenant_mismatch");
    }
}
