//! The forms in which a certificate is handed out (restconf-pki 3.2.13).

use std::str::FromStr;

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::pki::Issuance;
use crate::pki::chain_to_pem;
use crate::pki::chain_to_pkcs7;

/// A form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// PEM: the certificate, then all above it.
    Chain,
    /// DER of the certificate alone.
    Der,
    /// Base64 PKCS#7 of the chain, as EST wants it (RFC 8951 3.2).
    Est,
    /// A JSON document with the certificate and what it says.
    Json,
    /// PEM of the certificate alone.
    Leaf,
    /// PEM: the certificate, then its issuer's.
    Pem,
    /// PKCS#7 of the chain in DER.
    Pkcs7,
}

/// No such form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAFormat;

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        match text {
            "chain" | "pem-chain" => Ok(Self::Chain),
            "der" => Ok(Self::Der),
            "json" => Ok(Self::Json),
            "leaf" => Ok(Self::Leaf),
            "pem" => Ok(Self::Pem),
            "pkcs7" | "p7b" => Ok(Self::Pkcs7),
            _ => Err(NotAFormat),
        }
    }
}

/// The answer with a certificate.
pub(super) fn certificate(issuance: &Issuance, format: Format) -> Response {
    let leaf = std::slice::from_ref(&issuance.certificate);
    let chain: Vec<_> = leaf.iter().chain(&issuance.issuers).cloned().collect();
    let pem = |count: usize| chain_to_pem(chain.get(..count).unwrap_or(&chain)).into_bytes();
    let (media, body) = match format {
        Format::Chain => (PEM, pem(chain.len())),
        Format::Der => (DER, issuance.certificate.to_vec()),
        Format::Est => (PKCS7, base64_lines(&chain_to_pkcs7(&chain)).into_bytes()),
        Format::Json => (JSON, json_of(issuance).into_bytes()),
        Format::Leaf => (PEM, pem(1)),
        Format::Pem => (PEM, pem(2)),
        Format::Pkcs7 => (PKCS7, chain_to_pkcs7(&chain)),
    };
    let mut response = answer(media, body);
    let headers = response.headers_mut();
    if format == Format::Est {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("base64"));
    }
    for (name, value) in [
        (SERIAL, issuance.serial.to_string()),
        (NOT_AFTER, issuance.not_after.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// 200 with a body of this type.
pub(super) fn answer(media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Base64 in lines, which old EST clients insist on (RFC 8951 3.1 lets them).
pub(super) fn base64_lines(der: &[u8]) -> String {
    let digits = STANDARD.encode(der);
    let mut text = String::with_capacity(digits.len() + digits.len() / LINE + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(digit);
    }
    text.push('\n');
    text
}

fn json_of(issuance: &Issuance) -> String {
    json!({
        "certificate": chain_to_pem(std::slice::from_ref(&issuance.certificate)),
        "chain": chain_to_pem(&issuance.issuers),
        "serial": issuance.serial.to_string(),
        "issuer": issuance.issuer,
        "notBefore": issuance.not_before.to_string(),
        "notAfter": issuance.not_after.to_string(),
    })
    .to_string()
}

pub(super) const PEM: &str = "application/x-pem-file";
pub(super) const DER: &str = "application/pkix-cert";
pub(super) const JSON: &str = "application/json";
/// RFC 7030 4.2.3.
pub(super) const PKCS7: &str = "application/pkcs7-mime; smime-type=certs-only";

/// RFC 8951 makes it superfluous; clients of RFC 7030 look for it.
pub(super) const TRANSFER_ENCODING: HeaderName =
    HeaderName::from_static("content-transfer-encoding");

const SERIAL: HeaderName = HeaderName::from_static("x-certificate-serial");
const NOT_AFTER: HeaderName = HeaderName::from_static("x-certificate-not-after");

/// Characters of a line.
const LINE: usize = 64;
