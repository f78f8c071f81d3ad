//! From one issuer to the next.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rcgen::CertificateParams;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;

use super::csr;
use super::open;
use super::start;
use crate::model::TenantId;
use crate::pki::Authority;
use crate::pki::Error;
use crate::pki::Grant;
use crate::pki::Issuance;
use crate::pki::IssuerRole;

fn roles(authority: &Authority) -> Vec<IssuerRole> {
    authority
        .issuers()
        .into_iter()
        .map(|(role, _)| role)
        .collect()
}

fn issue(authority: &Authority) -> Issuance {
    let grant = Grant {
        tenant: &TenantId::new("pca"),
        account: 1,
        username: "device-7",
        roles: &[],
        ends: authority
            .clock
            .now()
            .saturating_add(Duration::from_hours(1)),
        crl_url: None,
    };
    authority.issue(&csr("p256"), &grant).unwrap()
}

#[test]
fn next_issuer_is_announced_then_signs_and_the_old_one_stays_trusted() {
    let (dir, clock) = start();
    let running = open(&dir, &clock).unwrap();
    let old = issue(&running);
    // A command beside the gateway.
    let command = open(&dir, &clock).unwrap();
    command.prepare().unwrap();
    assert!(running.reload().unwrap());
    assert!(!running.reload().unwrap());
    assert_eq!(roles(&running), [IssuerRole::Current, IssuerRole::Next]);
    assert_eq!(running.pem().matches("BEGIN").count(), 2);
    assert_eq!(issue(&running).issuer, old.issuer);

    command.rotate().unwrap();
    assert!(running.reload().unwrap());
    assert_eq!(roles(&running), [IssuerRole::Current, IssuerRole::Retired]);
    let new = issue(&running);
    assert_ne!(new.issuer, old.issuer);
    for issued in [&old, &new] {
        assert!(running.has_issued(&issued.certificate));
        running
            .crl(&issued.issuer, &[], 1, Duration::from_hours(1))
            .unwrap();
        assert_eq!(
            running.chain_above(&issued.issuer),
            Some(issued.issuers.clone())
        );
    }
    let pki = dir.path().join("pki");
    let retired = pki.join("retired").join(format!("{}.key", old.issuer));
    for key in [retired, pki.join("ca.key")] {
        let mode = fs::metadata(key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!pki.join("next.pem").exists() && !pki.join("next.key").exists());
    clock.advance(Duration::from_hours(24 * 3_651));
    let late = open(&dir, &clock);
    assert!(late.is_ok() || matches!(late, Err(Error::Expired { .. })));
}

#[test]
fn rotation_that_was_cut_off_is_completed_by_the_next_reader() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    authority.prepare().unwrap();
    let pki = dir.path().join("pki");
    let next = fs::read(pki.join("next.pem")).unwrap();
    fs::rename(pki.join("next.key"), pki.join("ca.key")).unwrap();
    let reopened = open(&dir, &clock).unwrap();
    assert_eq!(fs::read(pki.join("ca.pem")).unwrap(), next);
    assert_eq!(roles(&reopened), [IssuerRole::Current]);
}

#[test]
fn intermediate_is_imported_with_the_chain_above_it() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let ca = |name: &str| {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    };
    let root_key = KeyPair::generate().unwrap();
    let root = ca("Root").self_signed(&root_key).unwrap();
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let above = Issuer::from_ca_cert_der(root.der(), root_key).unwrap();
    let below = ca("Below").signed_by(&key, &above).unwrap();
    let (certificate_file, key_file) = (dir.path().join("below.pem"), dir.path().join("below.key"));
    let write = |chain: String| {
        fs::write(&certificate_file, chain).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(format!("{}{}", root.pem(), below.pem()));
    let wrong = authority.import(&certificate_file, &key_file);
    assert!(matches!(wrong, Err(Error::KeyMismatch { .. })), "{wrong:?}");
    write(format!("{}{}", below.pem(), root.pem()));
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = authority.import(&certificate_file, &key_file);
    assert!(matches!(exposed, Err(Error::KeyExposed { .. })));

    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    authority.import(&certificate_file, &key_file).unwrap();
    authority.rotate().unwrap();
    let issued = issue(&authority);
    assert_eq!(issued.issuers, [below.der().clone(), root.der().clone()]);
    assert!(authority.has_issued(&issued.certificate));
    assert_eq!(authority.bundle().len(), 3);
}
