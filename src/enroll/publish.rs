//! What everybody may fetch: the CA's certificates and its revocation lists.

use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::Uri;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::EXPIRES;
use axum::http::header::LAST_MODIFIED;
use axum::response::Response;

use super::Service;
use super::asked::pairs;
use super::error::Refusal;
use super::reply;

/// `/distribution/ca.pem`: what clients should trust, the issuer that signs first.
pub(super) async fn ca(State(service): State<Service>) -> Response {
    let mut response = reply::answer(reply::PEM, service.authority.pem());
    // A rollover is announced for days; an hour is soon enough to learn of it.
    let value = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(CACHE_CONTROL, value);
    response
}

/// `/distribution/crl`: the list of the issuer that signs now, in DER, or with `?pem` in PEM.
pub(super) async fn current_list(
    State(service): State<Service>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let issuer = service.authority.issuer_id();
    list(&service, &issuer, &uri).await
}

/// `/distribution/crl/{issuer}`: that of an issuer by its key identifier, as certificates name it.
pub(super) async fn list_of(
    State(service): State<Service>,
    Path(issuer): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    // Only of issuers that there are: a name that is asked for must not cost memory.
    if service.authority.chain_above(&issuer).is_none() {
        return Err(Refusal::not_found("certificate authority"));
    }
    list(&service, &issuer, &uri).await
}

async fn list(service: &Service, issuer: &str, uri: &Uri) -> Result<Response, Refusal> {
    let crl = service.list(issuer).await?;
    let wants_pem = pairs(uri)?.iter().any(|(name, _)| name == "pem");
    let mut response = if wants_pem {
        reply::answer(reply::PEM, crl.to_pem())
    } else {
        // RFC 5280 4.2.1.13, RFC 2585 4.2.
        reply::answer("application/pkix-crl", crl.der.clone())
    };
    let headers = response.headers_mut();
    for (name, at) in [(EXPIRES, crl.next_update), (LAST_MODIFIED, crl.this_update)] {
        if let Some(Ok(date)) = at.http_date().map(HeaderValue::try_from) {
            headers.insert(name, date);
        }
    }
    // Caches must ask again: a list is replaced as soon as something is revoked.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}
