//! What is offered around certificates: the router and the OpenAPI description are made from this.

use crate::openapi::Access;
use crate::openapi::Body;
use crate::openapi::Document;
use crate::openapi::Kind::Int;
use crate::openapi::Kind::List;
use crate::openapi::Kind::Object;
use crate::openapi::Kind::Text;
use crate::openapi::Kind::Time;
use crate::openapi::Method;
use crate::openapi::Operation;
use crate::openapi::Schema;
use crate::openapi::may;
use crate::openapi::must;
use crate::openapi::nullable;

/// What holds for all of them.
pub(super) const DOCUMENT: Document = Document {
    failures: &[400, 403, 405, 500, 503],
    failure: &FAILURE,
    failure_media: &["application/problem+json"],
    media: &["application/json"],
};

/// A certificate for who asks.
const SIGNED: Operation = Operation {
    method: Method::Post,
    access: Access::Bearer,
    failures: &[401, 404, 408, 409, 413, 415, 429],
    ..Operation::OPEN_PAGE
};

/// A page for operators.
const MANAGED: Operation = Operation {
    access: Access::Bearer,
    failures: &[401, 404, 408, 413, 415, 429],
    ..Operation::OPEN_PAGE
};

pub(super) const SIGN: Operation = Operation {
    path: "/distribution/sign-csr",
    id: "signCsr",
    summary: "Signs a CSR; the answer is PEM, DER, PKCS#7 or JSON, as `format` says.",
    query: &[
        "certduration",
        "format",
        "requestedUsername",
        "assignedRoles",
    ],
    body: Body::Raw(&[
        "application/octet-stream",
        "application/pkcs10",
        "application/json",
    ]),
    ..SIGNED
};

pub(super) const CA: Operation = Operation {
    path: "/distribution/ca.pem",
    id: "caCertificates",
    summary: "The authorities that clients should trust, in PEM.",
    ..Operation::OPEN_PAGE
};

pub(super) const LIST: Operation = Operation {
    path: "/distribution/crl",
    id: "revocationList",
    summary: "The revocation list of the issuer that signs now, in DER, or with `pem` in PEM.",
    query: &["pem"],
    ..Operation::OPEN_PAGE
};

pub(super) const LIST_OF: Operation = Operation {
    path: "/distribution/crl/{issuer}",
    id: "revocationListOf",
    summary: "The revocation list of an issuer, by its key identifier.",
    query: &["pem"],
    failures: &[404],
    ..Operation::OPEN_PAGE
};

pub(super) const EST_CA: Operation = Operation {
    path: "/.well-known/est/cacerts",
    id: "estCaCertificates",
    summary: "The authorities that clients should trust, in PKCS#7 (RFC 7030 4.1).",
    ..Operation::OPEN_PAGE
};

pub(super) const EST_ATTRIBUTES: Operation = Operation {
    path: "/.well-known/est/csrattrs",
    id: "estCsrAttributes",
    summary: "What a CSR should be like (RFC 7030 4.5).",
    ..Operation::OPEN_PAGE
};

pub(super) const EST_ENROLL: Operation = Operation {
    path: "/.well-known/est/simpleenroll",
    id: "estEnroll",
    summary: "A first certificate, in PKCS#7 (RFC 7030 4.2.1).",
    body: Body::Raw(&["application/pkcs10"]),
    ..SIGNED
};

pub(super) const EST_REENROLL: Operation = Operation {
    path: "/.well-known/est/simplereenroll",
    id: "estReenroll",
    summary: "The next certificate, in PKCS#7 (RFC 7030 4.2.2).",
    body: Body::Raw(&["application/pkcs10"]),
    ..SIGNED
};

pub(super) const CERTIFICATES: Operation = Operation {
    path: "/api/v2/auth/certificates",
    id: "searchCertificates",
    summary: "Lists certificates of a tenant, the newest first.",
    query: &["username", "tokenId", "active", "offset", "limit"],
    answer: Some(&CERTIFICATE_LIST),
    ..MANAGED
};

pub(super) const CERTIFICATE: Operation = Operation {
    path: "/api/v2/auth/certificates/{serial}",
    id: "getCertificate",
    summary: "Tells of a certificate.",
    answer: Some(&ISSUED),
    ..MANAGED
};

pub(super) const REVOKE_MANY: Operation = Operation {
    method: Method::Post,
    path: "/api/v2/auth/certificates/revoke",
    id: "revokeCertificates",
    summary: "Revokes certificates by exactly one of serial, user name, token and time of issue.",
    body: Body::Json(&WHICH),
    answer: Some(&REVOKED),
    ..MANAGED
};

pub(super) const REVOKE_ONE: Operation = Operation {
    method: Method::Post,
    path: "/api/v2/auth/certificates/{serial}/revoke",
    id: "revokeCertificate",
    summary: "Revokes a certificate.",
    body: Body::Optional(&WHY),
    answer: Some(&REVOKED),
    ..MANAGED
};

const ISSUED: Schema = Schema {
    name: "IssuedCertificate",
    members: &[
        must("serial", Text),
        must("issuer", Text),
        must("tenant", Text),
        must("accountId", Text),
        must("username", Text),
        must("roles", List(&Text)),
        nullable("tokenId", Text),
        must("requestedBy", Text),
        nullable("renews", Text),
        must("keySha256", Text),
        must("issuedAt", Time),
        must("notBefore", Time),
        must("notAfter", Time),
        must("state", Text),
        may("revokedAt", Time),
        may("reason", Text),
    ],
};

const CERTIFICATE_LIST: Schema = Schema {
    name: "IssuedCertificates",
    members: &[must("certificates", List(&Object(&ISSUED)))],
};

const WHICH: Schema = Schema {
    name: "WhichCertificates",
    members: &[
        may("serial", Text),
        may("username", Text),
        may("tokenId", Text),
        may("issuedBefore", Time),
        may("reason", Text),
    ],
};

const WHY: Schema = Schema {
    name: "WhyRevoked",
    members: &[may("reason", Text)],
};

const REVOKED: Schema = Schema {
    name: "RevokedCertificates",
    members: &[must("revoked", List(&Text))],
};

/// RFC 9457 3.
const FAILURE: Schema = Schema {
    name: "CertificateProblem",
    members: &[
        must("type", Text),
        must("title", Text),
        must("status", Int),
        must("code", Text),
        must("detail", Text),
        must("request", Text),
    ],
};
