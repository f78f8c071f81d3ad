//! The credential of a request (iam 2.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::header::COOKIE;

use crate::iam::bearer_token;
use crate::secret::Secret;

use super::error::Refusal;

/// The bearer token of the `Authorization` header.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Secret, Refusal> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| bearer_token(value.to_str().ok()?))
        .ok_or_else(Refusal::missing_credentials)
}

/// The same; `None` when there is no such header, and the certificate of the connection may do. One that cannot be
/// taken is not made good by a certificate.
pub(super) fn bearer_if_any(headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        bearer(headers).map(Some)
    } else {
        Ok(None)
    }
}

/// The same, or the cookie of a login when there is no such header.
pub(super) fn bearer_or_cookie(headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return bearer(headers).map(Some);
    }
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    Ok(cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, token)| Secret::new(token)))
}

/// The prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis 4.1.3.2).
pub(super) const SESSION_COOKIE: &str = "__Host-tollgate-session";

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn cookie_counts_where_there_is_no_header() {
        let mut headers = headers(COOKIE, "a=b; __Host-tollgate-session=t");
        assert_eq!(bearer_or_cookie(&headers).unwrap().unwrap().expose(), "t");
        headers.insert(AUTHORIZATION, "Basic dTpw".parse().unwrap());
        assert!(bearer_or_cookie(&headers).is_err());
    }
}
