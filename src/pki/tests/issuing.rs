//! What is in an issued certificate, and in a list of revoked ones.

use std::time::Duration;

use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::extensions::DistributionPointName;
use x509_parser::extensions::GeneralName;
use x509_parser::extensions::ParsedExtension;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::ACCEPTED;
use super::csr;
use super::open;
use super::start;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Authority;
use crate::pki::ClientIdentity;
use crate::pki::CsrError;
use crate::pki::Error;
use crate::pki::Grant;
use crate::pki::Issuance;
use crate::pki::KeyError;
use crate::pki::NotAClient;
use crate::pki::Reason;
use crate::pki::chain_to_pkcs7;
use crate::pki::port::RevokedCertificate;

const HOUR: Duration = Duration::from_hours(1);

fn issue(authority: &Authority, name: &str, username: &str, ends: Timestamp) -> Issuance {
    let roles = ["tenant-admin".to_owned(), "tenant-user".to_owned()];
    let grant = Grant {
        tenant: &TenantId::new("pca"),
        account: 123_456_789_012_345_678,
        username,
        roles: &roles,
        ends,
        crl_url: Some("http://pki.example/distribution/crl/"),
    };
    authority.issue(&csr(name), &grant).unwrap()
}

#[test]
fn issued_key_is_the_requests_bit_for_bit() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let ends = clock.now().saturating_add(HOUR);
    for name in ACCEPTED {
        let issued = issue(&authority, name, "device-7", ends);
        let (rest, certificate) = parse_x509_certificate(&issued.certificate).unwrap();
        assert!(rest.is_empty());
        assert_eq!(
            certificate.public_key().raw,
            csr(name).key().spki(),
            "{name}"
        );
        let ca = authority.certificate();
        let (_, ca) = parse_x509_certificate(&ca).unwrap();
        certificate.verify_signature(Some(ca.public_key())).unwrap();
    }
}

#[test]
fn issued_certificate_has_the_documented_profile_whatever_was_asked_for() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let ends = clock.now().saturating_add(HOUR);
    let issued = issue(&authority, "greedy", "device-7", ends);
    let (_, certificate) = parse_x509_certificate(&issued.certificate).unwrap();
    assert_eq!(certificate.subject().to_string(), "O=pca, CN=device-7");
    let constraints = certificate.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && !constraints.value.ca);
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.flags == 1, "{usage:?}");
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.code_signing && !usage.any);
    assert!(usage.other.is_empty());
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert!(matches!(
        names.value.general_names[..],
        [GeneralName::URI("urn:tollgate:tenant:pca:user:device-7")]
    ));
    let critical: Vec<bool> = certificate
        .extensions()
        .iter()
        .map(|extension| extension.critical)
        .collect();
    assert_eq!(critical.len(), 8, "{:?}", certificate.extensions());
    assert_eq!(critical.iter().filter(|critical| **critical).count(), 2);
    let mut key_ids = (false, false);
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(_) => key_ids.0 = true,
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                let id = id.key_identifier.as_ref().unwrap().0;
                assert_eq!(crate::pki::hex(id), authority.issuer_id());
                key_ids.1 = true;
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                let Some(DistributionPointName::FullName(names)) = &points[0].distribution_point
                else {
                    panic!("{points:?}");
                };
                let url = format!("http://pki.example/distribution/crl/{}", issued.issuer);
                assert!(matches!(names[..], [GeneralName::URI(uri)] if uri == url));
            }
            _ => {}
        }
    }
    assert_eq!(key_ids, (true, true));
    for asked in [&b"gateway.example"[..], b"hunter2", b"Evil", b"root"] {
        let der = &issued.certificate;
        assert!(!der.windows(asked.len()).any(|part| part == asked));
    }
}

#[test]
fn identity_comes_back_from_its_certificate() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let ends = clock.now().saturating_add(HOUR);
    let long = "d".repeat(128);
    for username in ["device-7", &long, "a.b_c"] {
        let issued = issue(&authority, "p256", username, ends);
        let identity = ClientIdentity::read(&issued.certificate).unwrap();
        assert_eq!(identity.serial, issued.serial);
        assert_eq!(identity.tenant.as_str(), "pca");
        assert_eq!(identity.username, username);
        assert_eq!(identity.account, 123_456_789_012_345_678);
        assert_eq!(identity.roles, ["tenant-admin", "tenant-user"]);
        assert_eq!(identity.key_hash, csr("p256").key().hash());
        assert!(identity.holds_at(clock.now()) && identity.holds_at(ends));
        assert!(!identity.holds_at(ends.saturating_add(HOUR)));
        assert!(authority.has_issued(&issued.certificate));
        let der = &issued.certificate;
        for end in 0..der.len() {
            assert_eq!(ClientIdentity::read(&der[..end]), Err(NotAClient));
        }
    }
    let other = tempfile::tempdir().unwrap();
    let foreign = open(&other, &clock).unwrap();
    assert!(!authority.has_issued(&issue(&foreign, "p256", "device-7", ends).certificate));
}

#[test]
fn validity_is_clipped_to_the_issuer_and_begins_a_little_earlier() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let ends = clock.now().saturating_add(HOUR * 24 * 365 * 20);
    let issued = issue(&authority, "p256", "device-7", ends);
    let issuer_ends = authority.issuers()[0].1.not_after;
    assert_eq!(issued.not_after, issuer_ends);
    assert_eq!(clock.now().since(issued.not_before), Duration::from_mins(5));
    clock.set(issuer_ends.saturating_sub(Duration::from_secs(30)));
    let grant = Grant {
        tenant: &TenantId::new("pca"),
        account: 1,
        username: "device-7",
        roles: &[],
        ends,
        crl_url: None,
    };
    let late = authority.issue(&csr("p256"), &grant);
    assert!(matches!(late, Err(Error::NoIssuer)), "{late:?}");
}

#[test]
fn keys_of_the_gateway_itself_are_not_certified() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let key = std::fs::read_to_string(dir.path().join("pki/ca.key")).unwrap();
    let key = KeyPair::from_pem(&key).unwrap();
    let own = rcgen::CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let own = crate::pki::Csr::parse(own.der()).unwrap();
    assert_eq!(authority.admit(&own), Err(CsrError::Key(KeyError::Blocked)));
    authority.admit(&csr("p256")).unwrap();
    authority.block(csr("p256").key().hash());
    assert!(authority.admit(&csr("p256")).is_err());
}

#[test]
fn crl_lists_what_is_revoked_and_is_signed() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let now = clock.now();
    let revoked: Vec<_> = Reason::ALL
        .iter()
        .enumerate()
        .map(|(index, reason)| RevokedCertificate {
            serial: Serial::from_octets(&[0x40, u8::try_from(index).unwrap()]).unwrap(),
            at: now.saturating_sub(HOUR),
            reason: *reason,
        })
        .collect();
    let crl = authority
        .crl(&authority.issuer_id(), &revoked, 258, HOUR)
        .unwrap();
    let (rest, parsed) = CertificateRevocationList::from_der(&crl.der).unwrap();
    assert!(rest.is_empty());
    let issuer = authority.certificate();
    let (_, issuer) = parse_x509_certificate(&issuer).unwrap();
    parsed.verify_signature(issuer.public_key()).unwrap();
    assert_eq!(parsed.crl_number().unwrap().to_string(), "258");
    assert_eq!(parsed.last_update().timestamp(), now.secs());
    assert_eq!(
        parsed.next_update().unwrap().timestamp(),
        now.saturating_add(HOUR).secs()
    );
    let listed: Vec<_> = parsed
        .iter_revoked_certificates()
        .map(|one| Serial::from_octets(one.raw_serial()).unwrap())
        .collect();
    let serials: Vec<_> = revoked.iter().map(|one| one.serial).collect();
    assert_eq!(listed, serials);
    assert!(crl.to_pem().starts_with("-----BEGIN X509 CRL-----\n"));
    let unknown = authority.crl("00", &[], 1, HOUR);
    assert!(matches!(unknown, Err(Error::NoSuchIssuer)));
}

#[test]
fn pkcs7_holds_the_certificates_and_nothing_else() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let message = chain_to_pkcs7(&authority.bundle());
    let certificate = authority.certificate();
    let at = message
        .windows(certificate.len())
        .position(|part| part == &certificate[..]);
    assert!(at.is_some());
    let outer = yasna::parse_der(&message, |reader| {
        reader.read_sequence(|reader| {
            let oid = reader.next().read_oid()?;
            reader.next().read_der()?;
            Ok(oid)
        })
    });
    assert_eq!(outer.unwrap().to_string(), "1.2.840.113549.1.7.2");
}

#[test]
fn keys_are_written_as_everybody_reads_them() {
    for algorithm in [
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let pem = crate::pki::key_to_pem(&key);
        let again = KeyPair::from_pem(&pem).unwrap();
        assert_eq!(again.public_key_raw(), key.public_key_raw());
        let der: PrivateKeyDer<'_> = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let version = yasna::parse_der(der.secret_der(), |reader| {
            reader.read_sequence(|reader| {
                let version = reader.next().read_u8()?;
                reader.next().read_der()?;
                reader.next().read_der()?;
                Ok(version)
            })
        });
        assert_eq!(version, Ok(0), "and no public key behind it");
    }
}
