//! What is handed to a client: its certificate in the forms that clients ask for.

use rustls::pki_types::CertificateDer;

use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::files;

/// For whom a certificate is to be issued.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The holder's tenant.
    pub tenant: &'a TenantId,
    /// The holder's account, as `iam::AccountId` counts.
    pub account: i64,
    /// The holder's user name.
    pub username: &'a str,
    /// The names of the roles that the certificate is limited to.
    pub roles: &'a [String],
    /// Until when it is to hold. It never holds longer than its issuer.
    pub ends: Timestamp,
    /// Where revocation lists are published. The issuer's key identifier is appended.
    pub crl_url: Option<&'a str>,
}

/// A new certificate, and those above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuance {
    /// Its serial number.
    pub serial: Serial,
    /// Its issuer's key identifier in hexadecimal.
    pub issuer: String,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// The certificate in DER.
    pub certificate: CertificateDer<'static>,
    /// Its issuer's certificate, and those above.
    pub issuers: Vec<CertificateDer<'static>>,
}

/// The chain of a certificate as PEM text, its own first.
pub fn chain_to_pem(chain: &[CertificateDer<'_>]) -> String {
    chain.iter().map(|one| files::to_pem(one)).collect()
}

/// Certificates as a PKCS#7 "certs-only" message in DER: signed data without content or signature (RFC 5652 5, RFC
/// 7030 4.1.3).
pub fn chain_to_pkcs7(chain: &[CertificateDer<'_>]) -> Vec<u8> {
    let oid = |arcs: &[u64]| yasna::models::ObjectIdentifier::from_slice(arcs);
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_oid(&oid(SIGNED_DATA));
            writer
                .next()
                .write_tagged(yasna::Tag::context(0), |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_u8(1);
                        writer.next().write_set(|_| {});
                        writer.next().write_sequence(|writer| {
                            writer.next().write_oid(&oid(DATA));
                        });
                        writer
                            .next()
                            .write_tagged_implicit(yasna::Tag::context(0), |writer| {
                                writer.write_set_of(|writer| {
                                    for certificate in chain {
                                        writer.next().write_der(certificate);
                                    }
                                });
                            });
                        writer.next().write_set(|_| {});
                    });
                });
        });
    })
}

const SIGNED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 2];
const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
