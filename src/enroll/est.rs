//! Enrollment over Secure Transport (RFC 7030, RFC 8951): `cacerts`, `csrattrs`, `simpleenroll`, `simplereenroll`.
//!
//! Nobody has to approve anything here, so 202 is never answered. Server-side keys and full CMC are not offered.

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::response::Response;
use yasna::models::ObjectIdentifier;

use crate::pki::Csr;
use crate::pki::MAX_CSR_BYTES;
use crate::pki::chain_to_pkcs7;

use super::Service;
use super::admission::Schemes;
use super::asked::Asked;
use super::attempt::Attempt;
use super::body::collect;
use super::body::media_type;
use super::body::unsupported;
use super::error::EST_CHALLENGE;
use super::error::Refusal;
use super::reply;
use super::reply::Format;

/// The trusted certificates (RFC 7030 4.1). Asks nobody who they are.
pub(super) async fn ca_certificates(State(service): State<Service>) -> Response {
    let bundle = service.authority.bundle();
    base64(CERTIFICATES, &chain_to_pkcs7(&bundle))
}

/// What a CSR should be like (RFC 7030 4.5): a P-256 key and SHA-256. Others are taken too.
pub(super) async fn csr_attributes() -> Response {
    let oid = |arcs: &[u64]| ObjectIdentifier::from_slice(arcs);
    let attributes = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&oid(EC_PUBLIC_KEY));
                writer.next().write_set(|writer| {
                    writer.next().write_oid(&oid(P256));
                });
            });
            writer.next().write_oid(&oid(ECDSA_WITH_SHA256));
        });
    });
    base64("application/csrattrs", &attributes)
}

/// A first certificate, for who shows a token, or a password (RFC 7030 4.2.1).
pub(super) async fn enroll(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    run(service, request, false).await
}

/// The next certificate, for who shows one, or a token (RFC 7030 4.2.2).
pub(super) async fn reenroll(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    run(service, request, true).await
}

async fn run(service: Service, request: Request, is_again: bool) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let asker = service.asker(&parts, Schemes::BearerOrBasic).await;
    let asker = asker.map_err(|refusal| match refusal.status {
        StatusCode::UNAUTHORIZED => refusal.challenge(EST_CHALLENGE),
        _ => refusal,
    })?;
    let attempt = Attempt::new(asker);
    if let Err(refusal) = service.may_ask(&attempt.asker, &parts).await {
        return Err(service.refuse(&attempt, refusal).await);
    }
    service.charge(&attempt.asker)?;
    let read = async {
        if media_type(&parts.headers) != "application/pkcs10" {
            return Err(unsupported("send application/pkcs10 in base64"));
        }
        collect(body, MAX_CSR_BYTES).await
    };
    let body = match read.await {
        Ok(body) => body.to_vec(),
        Err(refusal) => return Err(service.refuse(&attempt, refusal).await),
    };
    let wish = Asked::plain(&service.config);
    if is_again && attempt.asker.principal.certificate.is_none() {
        tracing::debug!("certificate asked for again with a token");
    }
    let issuance = service
        .enroll(attempt, &wish, body, Csr::parse_base64)
        .await?;
    Ok(reply::certificate(&issuance, Format::Est))
}

fn base64(media: &'static str, der: &[u8]) -> Response {
    let mut response = reply::answer(media, reply::base64_lines(der));
    let encoding = HeaderValue::from_static("base64");
    response
        .headers_mut()
        .insert(reply::TRANSFER_ENCODING, encoding);
    response
}

/// RFC 7030 4.1.3.
const CERTIFICATES: &str = "application/pkcs7-mime";

const EC_PUBLIC_KEY: &[u64] = &[1, 2, 840, 10_045, 2, 1];
const P256: &[u64] = &[1, 2, 840, 10_045, 3, 1, 7];
const ECDSA_WITH_SHA256: &[u64] = &[1, 2, 840, 10_045, 4, 3, 2];
