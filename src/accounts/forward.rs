//! The headers by which a proxy learns who sends the request that it has asked about (restconf-pki 2.1).

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;

use crate::iam::Principal;
use crate::iam::TENANT_HEADER;
use crate::model::TenantId;

use super::admission::EXPIRES_AT;

use super::error::Refusal;
use super::error::internal;

/// Puts who it is, and in which tenant, into the headers of an answer, and the signed `assertion` of it.
pub(super) fn forward(
    headers: &mut HeaderMap,
    principal: &Principal,
    tenant: &TenantId,
    assertion: HeaderValue,
) -> Result<(), Refusal> {
    headers.insert(ASSERTION, assertion);
    let mut put = |name: HeaderName, value: &str| -> Result<(), Refusal> {
        let value = HeaderValue::from_str(value).map_err(|_| internal())?;
        headers.insert(name, value);
        Ok(())
    };
    let roles = principal.roles.to_string();
    put(TENANT_HEADER, tenant.as_str())?;
    put(USER_ID, &principal.account.to_string())?;
    // Names may have characters that headers cannot; the id always fits.
    let _ = put(USERNAME, &principal.username);
    put(USER_ROLES, &roles)?;
    put(USER_GROUPS, &roles)?;
    put(EXPIRES_AT, &principal.expires.to_string())
}

const USER_ID: HeaderName = HeaderName::from_static("x-forwarded-user-id");
const USERNAME: HeaderName = HeaderName::from_static("x-forwarded-user-username");
const USER_ROLES: HeaderName = HeaderName::from_static("x-forwarded-user-roles");
const ASSERTION: HeaderName = HeaderName::from_static("x-forwarded-jwt");
const USER_GROUPS: HeaderName = HeaderName::from_static("x-forwarded-usergroups");
