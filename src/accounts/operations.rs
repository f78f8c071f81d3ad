//! What the account API offers (iam 2.4): the router and the OpenAPI description are made from this.

use crate::openapi::Access;
use crate::openapi::Body;
use crate::openapi::Document;
use crate::openapi::Method;
use crate::openapi::Operation;

use super::schemas as s;

/// What holds for all of them.
pub(super) const DOCUMENT: Document = Document {
    failures: &[400, 401, 403, 405, 406, 429, 500, 503],
    failure: &s::FAILURE,
    failure_media: &["application/json", "application/vnd.api+json"],
    media: &["application/json", "application/vnd.api+json"],
};

/// A page of service accounts for who manages them; the rest is filled in.
const MANAGED: Operation = Operation {
    method: Method::Get,
    path: "",
    id: "",
    summary: "",
    access: Access::Tenant,
    query: &[],
    body: Body::None,
    success: 200,
    answer: Some(&s::ACCOUNT),
    failures: &[404, 409],
};

macro_rules! account {
    ($($rest:literal)?) => {
        concat!("/api/v2/auth/serviceaccount/{machineUserId}" $(, $rest)?)
    };
}

pub(super) const CREATE: Operation = Operation {
    method: Method::Post,
    path: "/api/v2/auth/serviceaccount",
    id: "createServiceAccount",
    summary: "Creates a service account, perhaps with a first token.",
    query: &["withPAT", "roles"],
    body: Body::Json(&s::NEW_ACCOUNT),
    success: 201,
    failures: &[408, 409, 413, 415, 422],
    ..MANAGED
};

pub(super) const SEARCH: Operation = Operation {
    method: Method::Post,
    path: "/api/v2/auth/serviceaccount/search",
    id: "searchServiceAccounts",
    summary: "Finds service accounts.",
    query: PAGED,
    body: Body::Optional(&s::SEARCH),
    answer: Some(&s::FOUND),
    failures: BODIED,
    ..MANAGED
};

pub(super) const READ: Operation = Operation {
    path: account!(),
    id: "getServiceAccount",
    summary: "Tells of a service account.",
    ..MANAGED
};

pub(super) const RENAME: Operation = Operation {
    method: Method::Patch,
    path: account!(),
    id: "updateServiceAccount",
    summary: "Gives a service account another name or description.",
    body: Body::Json(&s::RENAMED),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const REMOVE: Operation = Operation {
    method: Method::Delete,
    path: account!(),
    id: "deleteServiceAccount",
    summary: "Deletes a service account and its tokens.",
    ..MANAGED
};

pub(super) const DISABLE: Operation = Operation {
    method: Method::Post,
    path: account!("/disable"),
    id: "disableServiceAccount",
    summary: "Refuses a service account's tokens until it is enabled again.",
    ..MANAGED
};

pub(super) const ENABLE: Operation = Operation {
    method: Method::Post,
    path: account!("/enable"),
    id: "enableServiceAccount",
    summary: "Lets a service account's tokens in again.",
    ..MANAGED
};

pub(super) const SET_ROLES: Operation = Operation {
    method: Method::Put,
    path: account!("/roles"),
    id: "setServiceAccountRoles",
    summary: "Gives a service account other roles.",
    body: Body::Json(&s::ROLES),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const READ_POLICY: Operation = Operation {
    path: account!("/policy"),
    id: "getServiceAccountPolicy",
    summary: "Tells the bounds on a service account's tokens.",
    answer: Some(&s::ACCOUNT_POLICY),
    ..MANAGED
};

pub(super) const CHANGE_POLICY: Operation = Operation {
    method: Method::Patch,
    path: account!("/policy"),
    id: "updateServiceAccountPolicy",
    summary: "Changes the bounds on a service account's tokens.",
    body: Body::Json(&s::NEW_ACCOUNT_POLICY),
    answer: Some(&s::ACCOUNT_POLICY),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const READ_TENANT: Operation = Operation {
    path: "/api/v2/auth/tenant/policy",
    id: "getTenantPolicy",
    summary: "Tells the bounds on a tenant's tokens.",
    answer: Some(&s::TENANT_POLICY),
    ..MANAGED
};

pub(super) const CHANGE_TENANT: Operation = Operation {
    method: Method::Patch,
    path: "/api/v2/auth/tenant/policy",
    id: "updateTenantPolicy",
    summary: "Changes the bounds on a tenant's tokens.",
    body: Body::Json(&s::NEW_TENANT_POLICY),
    answer: Some(&s::TENANT_POLICY),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const SWEEP: Operation = Operation {
    method: Method::Post,
    path: "/api/v2/auth/tenant/pat/revoke-all",
    id: "revokeTenantTokens",
    summary: "Revokes the tokens of a tenant that all conditions name, or with `dryRun` only counts them.",
    query: &["dryRun"],
    body: Body::Json(&s::SWEEP),
    answer: Some(&s::SWEPT),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const AUDIT: Operation = Operation {
    path: "/api/v2/auth/audit",
    id: "listAuditEvents",
    summary: "Tells what happened to accounts and credentials.",
    query: &[
        "after",
        "limit",
        "kind",
        "account",
        "from",
        "to",
        "allTenants",
    ],
    answer: Some(&s::EVENTS),
    ..MANAGED
};

pub(super) const CREATE_PAT: Operation = Operation {
    method: Method::Post,
    path: account!("/pat"),
    id: "createToken",
    summary: "Issues a Personal Access Token, whose secret is shown this once.",
    body: Body::Json(&s::NEW_PAT),
    success: 201,
    answer: Some(&s::PAT),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const SEARCH_PATS: Operation = Operation {
    method: Method::Post,
    path: account!("/pat/search"),
    id: "searchTokens",
    summary: "Finds a service account's tokens.",
    query: PAGED,
    body: Body::Optional(&s::SEARCH),
    answer: Some(&s::FOUND),
    failures: BODIED,
    ..MANAGED
};

pub(super) const REVOKE_ALL: Operation = Operation {
    method: Method::Post,
    path: account!("/pat/revoke-all"),
    id: "revokeTokens",
    summary: "Revokes a service account's tokens: all, or those before or unused since a time.",
    body: Body::Optional(&s::WHICH),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const READ_PAT: Operation = Operation {
    path: account!("/pat/{credentialId}"),
    id: "getToken",
    summary: "Tells of a token; its secret is not told.",
    answer: Some(&s::PAT),
    ..MANAGED
};

pub(super) const REMOVE_PAT: Operation = Operation {
    method: Method::Delete,
    path: account!("/pat/{credentialId}"),
    id: "revokeToken",
    summary: "Revokes a token at once.",
    answer: Some(&s::PAT),
    ..MANAGED
};

pub(super) const ROTATE: Operation = Operation {
    method: Method::Post,
    path: account!("/pat/{credentialId}/rotate"),
    id: "rotateToken",
    summary: "Issues a token in the place of another, which holds on for a while.",
    body: Body::Optional(&s::ROTATION),
    success: 201,
    answer: Some(&s::PAT),
    failures: CHANGED,
    ..MANAGED
};

pub(super) const SELF: Operation = Operation {
    path: "/api/v2/auth/serviceaccount/self",
    id: "getSelf",
    summary: "Tells whose the token is, and until when.",
    answer: Some(&s::PRINCIPAL),
    failures: &[],
    ..MANAGED
};

pub(super) const LOGIN: Operation = Operation {
    method: Method::Post,
    path: "/api/v1/auth/login",
    id: "login",
    summary: "Gives a short-lived bearer token for a user name and a password.",
    access: Access::Open,
    body: Body::Form(&s::LOGIN),
    answer: Some(&s::PRINCIPAL),
    failures: &[408, 413, 415],
    ..MANAGED
};

pub(super) const LOCKED_OUT: Operation = Operation {
    path: "/api/v2/auth/lockouts",
    id: "getLockouts",
    summary: "Tells who is locked out after wrong passwords.",
    answer: Some(&s::LOCKED_OUT),
    failures: &[404],
    ..MANAGED
};

pub(super) const LIFT_LOCKOUT: Operation = Operation {
    method: Method::Delete,
    path: "/api/v2/auth/lockouts/{accountId}",
    id: "liftLockout",
    summary: "Lets a person try passwords again.",
    success: 204,
    answer: None,
    ..MANAGED
};

pub(super) const PASSWORD: Operation = Operation {
    method: Method::Post,
    path: "/api/v1/auth/password",
    id: "changePassword",
    summary: "Replaces a person's own password.",
    access: Access::Open,
    body: Body::Form(&s::CHANGED_PASSWORD),
    success: 204,
    answer: None,
    failures: &[408, 409, 413, 415],
    ..MANAGED
};

pub(super) const LOGOUT: Operation = Operation {
    method: Method::Post,
    path: "/api/v1/auth/logout",
    id: "logout",
    summary: "Ends the session by which the request comes.",
    success: 204,
    ..SESSION_OPERATION
};

pub(super) const SESSION: Operation = Operation {
    path: "/api/v1/auth/session",
    id: "getSession",
    summary: "Tells whose the session is.",
    answer: Some(&s::PRINCIPAL),
    ..SESSION_OPERATION
};

pub(super) const VALIDATE: Operation = Operation {
    path: "/api/v1/auth/validate",
    id: "validate",
    summary: "Tells a proxy in headers who sends a request.",
    ..SESSION_OPERATION
};

pub(super) const VALIDATE_POST: Operation = Operation {
    method: Method::Post,
    id: "validateByPost",
    ..VALIDATE
};

pub(super) const KEYS: Operation = Operation {
    path: "/.well-known/jwks.json",
    id: "getKeys",
    summary: "The keys with which assertions in X-Forwarded-JWT are signed (RFC 7517).",
    access: Access::Open,
    answer: Some(&s::KEYS),
    ..SESSION_OPERATION
};

pub(super) const VALIDATE_CERTIFICATE: Operation = Operation {
    path: "/api/v1/auth/cert/validate/authorization",
    id: "validateCertificate",
    summary: "Tells whose the connection's client certificate is, in headers and a body.",
    access: Access::Certificate,
    answer: Some(&s::HOLDER),
    ..SESSION_OPERATION
};

pub(super) const REVOKE: Operation = Operation {
    method: Method::Post,
    path: "/oauth2/revoke",
    id: "revokeByValue",
    summary: "Revokes the token that is shown (RFC 7009).",
    access: Access::Open,
    body: Body::Form(&s::SHOWN),
    answer: None,
    failures: &[408, 413, 415],
    ..MANAGED
};

const SESSION_OPERATION: Operation = Operation {
    access: Access::Bearer,
    answer: None,
    failures: &[],
    ..MANAGED
};

/// What can be wrong with a body.
const BODIED: &[u16] = &[404, 408, 413, 415];

/// The same, and with a change.
const CHANGED: &[u16] = &[404, 408, 409, 413, 415, 422];

const PAGED: &[&str] = &["page", "pageSize", "page[number]", "page[size]", "sort"];
