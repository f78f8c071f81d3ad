//! Certificates of the gateway's own authority, as its enrolment would issue them, and of others.

use std::time::Duration;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertificateRevocationListParams;
use rcgen::CertifiedIssuer;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyIdMethod;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::RevokedCertParams;
use rcgen::SerialNumber;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use time::OffsetDateTime;
use tollgate::audit::Actor;
use tollgate::audit::Event;
use tollgate::audit::Kind;
use tollgate::iam::AccountId;
use tollgate::model::Serial;
use tollgate::model::TenantId;
use tollgate::pki::Authority;
use tollgate::pki::Csr;
use tollgate::pki::Grant;
use tollgate::pki::Issuance;
use tollgate::pki::Reason;
use tollgate::pki::port::CertificateRecord;
use tollgate::pki::port::Certificates as _;
use tollgate::pki::port::Revoke;
use tollgate::pki::port::Which;
use tollgate::store::Store;

use super::Device;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

/// Another process on the gateway's store and authority.
pub async fn store(gateway: &Gateway) -> Store {
    let database = gateway.data_dir().join("tollgate.db");
    Store::open_sqlite(&database).await.unwrap()
}

pub fn authority(gateway: &Gateway) -> Authority {
    let dir = gateway.data_dir().join("pki");
    Authority::open_or_create(&dir, &gateway.clock).unwrap()
}

/// A certificate of the gateway's own authority, known to its store.
pub async fn issue(
    gateway: &Gateway,
    account: AccountId,
    username: &str,
    roles: &[&str],
    lifetime: Duration,
) -> Device {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let csr = Csr::parse(csr.der()).unwrap();
    let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    let tenant = TenantId::new(TENANT);
    let grant = Grant {
        tenant: &tenant,
        account: account.raw(),
        username,
        roles: &roles,
        ends: gateway.clock.now().saturating_add(lifetime),
        crl_url: None,
    };
    let issuance = authority(gateway).issue(&csr, &grant).unwrap();
    let record = record(gateway, &issuance, &grant);
    let event = Event::new(
        gateway.clock.now(),
        Kind::CertificateIssued,
        Actor::Operator,
    );
    let kept = store(gateway)
        .await
        .keep(&record, Duration::ZERO, &event)
        .await;
    kept.unwrap();
    Device {
        account,
        username: username.to_owned(),
        serial: issuance.serial,
        chain: vec![issuance.certificate],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

fn record(gateway: &Gateway, issuance: &Issuance, grant: &Grant<'_>) -> CertificateRecord {
    let unique = |part: u8| {
        let mut hash = [part; 32];
        hash[..16].copy_from_slice(&issuance.serial.octets()[..16]);
        hash
    };
    CertificateRecord {
        serial: issuance.serial,
        issuer: issuance.issuer.clone(),
        tenant: grant.tenant.clone(),
        account: grant.account,
        username: grant.username.to_owned(),
        roles: grant.roles.to_vec(),
        token: None,
        requester: grant.account,
        renews: None,
        request: unique(1),
        csr: unique(2),
        key: unique(3),
        not_before: issuance.not_before,
        not_after: issuance.not_after,
        issued: gateway.clock.now(),
        revoked: None,
        der: issuance.certificate.to_vec(),
    }
}

/// Revokes it as another node would: the gateway learns of it by the revocation log alone.
pub async fn revoke(gateway: &Gateway, serial: Serial) {
    let now = gateway.clock.now();
    let revocation = Revoke {
        which: Which::Serial(serial),
        tenant: None,
        reason: Reason::KeyCompromise,
    };
    let event = Event::new(now, Kind::CertificateRevoked, Actor::Operator);
    let revoked = store(gateway).await.revoke(&revocation, now, &event).await;
    assert_eq!(revoked.unwrap(), [serial]);
}

/// An authority that is not the gateway's.
pub struct Foreign(pub CertifiedIssuer<'static, KeyPair>);

impl Foreign {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(issuing(name), key).unwrap())
    }

    /// An authority below this one, touched by `change`.
    pub fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = issuing(name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A client's certificate, touched by `change`.
    pub fn client(
        &self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "proxy");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from_slice(&[7]));
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (certificate.der().clone(), key)
    }

    /// A revocation list with these serial numbers (PEM), out of date from `next` on.
    pub fn crl(&self, serials: &[u8], next: OffsetDateTime) -> String {
        let revoked = |serial: &u8| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[*serial]),
            revocation_time: rcgen::date_time_ymd(2026, 2, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 2, 1),
            next_update: next,
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

fn issuing(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    params
}
