//! The CA and the identity on disk: what a start finds, and what it makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rcgen::CertificateParams;
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use super::open;
use super::start;
use crate::pki::Error;
use crate::pki::Name;
use crate::pki::ServerIdentity;

const DAY: Duration = Duration::from_hours(24);

fn names() -> Vec<Name> {
    ["gateway.example", "127.0.0.1", "::1"]
        .map(|name| name.parse().unwrap())
        .to_vec()
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    parse_x509_certificate(der).unwrap().1
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn authority_has_the_documented_profile() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let certificate = authority.certificate();
    let certificate = parse(&certificate);
    let constraints = certificate.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert!(!usage.value.digital_signature());
    assert!((14..=17).contains(&certificate.raw_serial().len()));
    let years = (certificate.validity().not_after.timestamp() - clock.now().secs()) / 31_557_600;
    assert!((9..=10).contains(&years), "{years}");
    certificate.verify_signature(None).unwrap();
}

#[test]
fn authority_files_have_safe_modes_and_survive_a_restart() {
    let (dir, clock) = start();
    let first = open(&dir, &clock).unwrap();
    first.server_identity(&names()).unwrap();
    let pki = dir.path().join("pki");
    assert_eq!(mode(&pki), 0o700);
    assert_eq!(mode(&pki.join("ca.key")), 0o600);
    assert_eq!(mode(&pki.join("server.pem")), 0o600);
    assert_eq!(mode(&pki.join("ca.pem")), 0o644);
    assert_eq!(
        fs::read_dir(&pki).unwrap().count(),
        3,
        "nothing else is left behind"
    );
    assert_eq!(open(&dir, &clock).unwrap().pem(), first.pem());
}

#[test]
fn authority_completes_what_an_interrupted_start_left() {
    let (dir, clock) = start();
    let first = open(&dir, &clock).unwrap();
    fs::remove_file(first.certificate_file()).unwrap();
    let second = open(&dir, &clock).unwrap();
    let (old, new) = (first.certificate(), second.certificate());
    let (old, new) = (parse(&old), parse(&new));
    assert_eq!(old.public_key().raw, new.public_key().raw);
    assert_eq!(old.subject().to_string(), new.subject().to_string());
}

#[test]
fn authorities_that_start_at_once_are_the_same() {
    let (dir, clock) = start();
    let pems: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| open(&dir, &clock).unwrap().pem()))
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    assert!(pems.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn authority_refuses_what_is_unsafe_or_does_not_fit() {
    let (dir, clock) = start();
    open(&dir, &clock).unwrap();
    let pki = dir.path().join("pki");
    let (key, certificate) = (pki.join("ca.key"), pki.join("ca.pem"));

    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        open(&dir, &clock),
        Err(Error::KeyExposed { mode: 0o640, .. })
    ));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let good = fs::read(&key).unwrap();
    fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(open(&dir, &clock), Err(Error::KeyMismatch { .. })));
    fs::write(&key, "garbage").unwrap();
    assert!(matches!(open(&dir, &clock), Err(Error::NotAKey { .. })));
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(&dir, &clock), Err(Error::KeyMissing { .. })));
    fs::write(&key, &good).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    clock.advance(DAY * 3_700);
    assert!(matches!(open(&dir, &clock), Err(Error::Expired { .. })));
    let own = KeyPair::from_pem(&String::from_utf8(good).unwrap()).unwrap();
    let leaf = CertificateParams::default().self_signed(&own).unwrap();
    fs::write(&certificate, leaf.pem()).unwrap();
    assert!(matches!(open(&dir, &clock), Err(Error::NotAnIssuer { .. })));
    fs::write(&certificate, "garbage").unwrap();
    assert!(matches!(
        open(&dir, &clock),
        Err(Error::NotACertificate { .. })
    ));
}

#[test]
fn server_certificate_has_the_documented_profile() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let identity = authority.server_identity(&names()).unwrap();
    assert_eq!(identity.chain().last(), Some(&authority.certificate()));
    let leaf = parse(&identity.chain()[0]);
    leaf.verify_signature(Some(parse(&authority.certificate()).public_key()))
        .unwrap();
    assert!(!leaf.is_ca());
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    assert_eq!(leaf.subject().to_string(), "O=Tollgate, CN=gateway.example");
    assert_eq!(
        leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp(),
        397 * 86_400
    );
    assert_eq!(
        leaf.subject_alternative_name()
            .unwrap()
            .unwrap()
            .value
            .general_names
            .len(),
        3
    );
    assert!(matches!(
        authority.server_identity(&[]),
        Err(Error::NoNames)
    ));
}

#[test]
fn server_certificate_is_kept_until_it_must_change() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let issue = |names: &[Name]| authority.server_identity(names).unwrap().chain()[0].clone();
    let first = issue(&names());
    clock.advance(DAY * 365);
    assert_eq!(issue(&names()), first);
    clock.advance(DAY * 2);
    let renewed = issue(&names());
    assert_ne!(renewed, first);
    let fewer = issue(&names()[..2]);
    assert_ne!(fewer, renewed);
    fs::write(dir.path().join("pki/server.pem"), "garbage").unwrap();
    assert_ne!(issue(&names()[..2]), fewer);
}

#[test]
fn server_certificate_from_files_must_match_its_key() {
    let (dir, clock) = start();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["a.example".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let (certificate_file, key_file) = (dir.path().join("a.pem"), dir.path().join("a.key"));
    fs::write(&certificate_file, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o640)).unwrap();
    let load = || ServerIdentity::from_files(&certificate_file, &key_file, &clock);
    assert_eq!(load().unwrap().chain(), [certificate.der().clone()]);

    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(load(), Err(Error::KeyExposed { .. })));
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key_file, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(load(), Err(Error::KeyMismatch { .. })));
    fs::write(&key_file, certificate.pem()).unwrap();
    assert!(matches!(load(), Err(Error::NotAKey { .. })));
    fs::write(&certificate_file, key.serialize_pem()).unwrap();
    assert!(matches!(load(), Err(Error::NotACertificate { .. })));
    fs::remove_file(&certificate_file).unwrap();
    assert!(matches!(load(), Err(Error::File { .. })));
}
