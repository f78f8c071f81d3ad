//! What every implementation must do with issued certificates.

use std::time::Duration;

use super::sample::NOW;
use super::sample::Store;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::handle;
use super::sample::pat;
use super::sample::with_tenants;
use crate::audit;
use crate::audit::Event;
use crate::audit::Kind;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::PatId;
use crate::iam::port::Mutation;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Reason;
use crate::pki::port::CertificateQuery;
use crate::pki::port::CertificateRecord;
use crate::pki::port::CertificatesError;
use crate::pki::port::Kept;
use crate::pki::port::Revoke;
use crate::pki::port::Which;

const HOUR: Duration = Duration::from_hours(1);

fn certificate(number: u8, account: &AccountRecord, token: Option<PatId>) -> CertificateRecord {
    CertificateRecord {
        serial: serial(number),
        issuer: "aa".to_owned(),
        tenant: account.tenant.clone(),
        account: account.id.raw(),
        username: account.username.clone(),
        roles: vec!["tenant-user".to_owned()],
        token: token.map(PatId::raw),
        requester: account.id.raw(),
        renews: (number > 1).then(|| serial(number - 1)),
        request: [number; 32],
        csr: [number; 32],
        key: [number; 32],
        not_before: NOW,
        not_after: NOW.saturating_add(HOUR),
        issued: NOW,
        revoked: None,
        der: vec![0x30, number],
    }
}

fn serial(number: u8) -> Serial {
    Serial::from_octets(&[0x40, number]).unwrap()
}

fn event(kind: Kind) -> Event {
    Event::new(NOW, kind, audit::Actor::Operator)
}

async fn keep(
    store: &impl Store,
    certificate: &CertificateRecord,
) -> Result<Kept, CertificatesError> {
    store
        .keep(certificate, HOUR, &event(Kind::CertificateIssued))
        .await
}

async fn revoke(store: &impl Store, which: Which, reason: Reason) -> Vec<Serial> {
    let revocation = Revoke {
        which,
        tenant: None,
        reason,
    };
    store
        .revoke(&revocation, NOW, &event(Kind::CertificateRevoked))
        .await
        .unwrap()
}

/// Two machines of one tenant, the first with two tokens.
async fn machines(store: &impl Store) -> (AccountRecord, AccountRecord, PatId, PatId) {
    with_tenants(store).await;
    let machine = |name| account("pca", name, AccountKind::Machine);
    let (one, two) = (machine("one"), machine("two"));
    let (first, digest) = pat(&one, "a");
    let (second, other) = pat(&one, "b");
    let (first_id, second_id) = (first.id, second.id);
    apply(store, creation(&one, Some((first, digest))))
        .await
        .unwrap();
    let create = Mutation::CreatePat {
        pat: second,
        digest: other,
        version: 0,
    };
    apply(store, create).await.unwrap();
    apply(store, creation(&two, None)).await.unwrap();
    (one, two, first_id, second_id)
}

pub(super) async fn certificates_come_back_and_repeat(store: &impl Store) {
    let (one, _, token, _) = machines(store).await;
    let first = certificate(1, &one, Some(token));
    let second = certificate(2, &one, None);
    for record in [&first, &second] {
        assert_eq!(keep(store, record).await, Ok(Kept::New));
        let found = store.certificate(record.serial).await.unwrap();
        assert_eq!(found.as_ref(), Some(record));
    }
    let again = CertificateRecord {
        serial: serial(9),
        ..first.clone()
    };
    let kept = keep(store, &again).await.unwrap();
    assert_eq!(kept, Kept::Another(Box::new(first.clone())));
    assert_eq!(store.certificate(serial(9)).await, Ok(None));
    let given = store.given(&first.request, NOW).await;
    assert_eq!(given, Ok(Some(first.clone())));
    let later = NOW.saturating_add(HOUR);
    assert_eq!(store.given(&first.request, later).await, Ok(None));

    let query = CertificateQuery {
        tenant: Some(TenantId::new("pca")),
        token: Some(token.raw()),
        active_at: Some(NOW),
        limit: 10,
        ..CertificateQuery::default()
    };
    assert_eq!(store.certificates(&query).await, Ok(vec![first]));
    let foreign = CertificateQuery {
        tenant: Some(TenantId::new("other")),
        limit: 10,
        ..CertificateQuery::default()
    };
    assert_eq!(store.certificates(&foreign).await, Ok(Vec::new()));
    let kinds = store.links(0, 100).await.unwrap();
    let issued = |body: &str| body.contains("certificate.issued");
    assert_eq!(kinds.iter().filter(|link| issued(&link.body)).count(), 2);
}

pub(super) async fn key_is_one_accounts_for_good(store: &impl Store) {
    let (one, two, ..) = machines(store).await;
    let first = certificate(1, &one, None);
    keep(store, &first).await.unwrap();
    let same_key = |number, account| CertificateRecord {
        key: first.key,
        ..certificate(number, account, None)
    };
    assert_eq!(
        keep(store, &same_key(2, &two)).await,
        Err(CertificatesError::KeyOfAnother)
    );
    assert_eq!(keep(store, &same_key(3, &one)).await, Ok(Kept::New));
    assert_eq!(
        revoke(store, Which::Serial(serial(1)), Reason::Superseded).await,
        [serial(1)]
    );
    assert!(
        revoke(store, Which::Serial(serial(1)), Reason::KeyCompromise)
            .await
            .is_empty()
    );
    for account in [&one, &two] {
        assert_eq!(
            keep(store, &same_key(4, account)).await,
            Err(CertificatesError::KeyCompromised)
        );
    }
    let kinds = store.links(0, 100).await.unwrap();
    let issued = |body: &str| body.contains("certificate.issued");
    assert_eq!(kinds.iter().filter(|link| issued(&link.body)).count(), 2);
}

pub(super) async fn revocation_is_logged_once_for_each(store: &impl Store) {
    let (one, two, token, other) = machines(store).await;
    for record in [
        certificate(1, &one, Some(token)),
        certificate(2, &one, Some(other)),
        certificate(3, &two, None),
        CertificateRecord {
            not_after: Timestamp::from_secs(1),
            ..certificate(4, &two, None)
        },
    ] {
        keep(store, &record).await.unwrap();
    }
    let start = store.newest_revocation().await.unwrap();
    let by_token = Which::Token(token.raw());
    assert_eq!(
        revoke(store, by_token, Reason::Unspecified).await,
        [serial(1)]
    );
    assert!(
        revoke(store, by_token, Reason::Unspecified)
            .await
            .is_empty()
    );
    let before = Which::IssuedBefore(NOW.saturating_add(HOUR));
    let mut all = revoke(store, before, Reason::Superseded).await;
    all.sort();
    assert_eq!(all, [serial(2), serial(3)], "what is over stays");
    let log = store.revocations(start, 100).await.unwrap();
    assert_eq!(log.len(), 3);
    assert_eq!(log[0].subject, Affected::Certificate(serial(1)));
    assert_eq!(log[0].change, Change::Revoked);

    let listed = store.revoked(Some("aa"), NOW).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0].at, NOW);
    assert_eq!(store.revoked(Some("bb"), NOW).await, Ok(Vec::new()));
    let over = NOW.saturating_add(HOUR * 2);
    assert_eq!(store.revoked(None, over).await, Ok(Vec::new()));

    let foreign = Revoke {
        which: Which::Serial(serial(3)),
        tenant: Some(TenantId::new("other")),
        reason: Reason::Unspecified,
    };
    let kind = event(Kind::CertificateRevoked);
    assert_eq!(
        store.revoke(&foreign, NOW, &kind).await,
        Err(CertificatesError::NotFound)
    );
}

pub(super) async fn certificates_go_with_their_token_and_account(store: &impl Store) {
    let (one, two, token, other) = machines(store).await;
    for record in [
        certificate(1, &one, Some(token)),
        certificate(2, &one, Some(other)),
        certificate(3, &two, None),
    ] {
        keep(store, &record).await.unwrap();
    }
    let active = async || {
        let query = CertificateQuery {
            active_at: Some(NOW),
            limit: 10,
            ..CertificateQuery::default()
        };
        let found = store.certificates(&query).await.unwrap();
        let mut serials: Vec<_> = found.iter().map(|record| record.serial).collect();
        serials.sort();
        serials
    };
    let revoke = Mutation::RevokePats {
        account: handle(&one, 0),
        which: crate::iam::port::Which::One(token),
    };
    let log = apply(store, revoke).await.unwrap();
    assert!(
        log.iter()
            .any(|entry| entry.subject == Affected::Certificate(serial(1)))
    );
    assert_eq!(active().await, [serial(2), serial(3)]);
    store.set_cascade(false).await.unwrap();
    apply(store, Mutation::DeleteAccount(handle(&one, 0)))
        .await
        .unwrap();
    assert_eq!(active().await, [serial(2), serial(3)]);
    store.set_cascade(true).await.unwrap();
    apply(store, Mutation::DeleteAccount(handle(&two, 0)))
        .await
        .unwrap();
    assert_eq!(active().await, [serial(2)]);
    let listed = store.revoked(None, NOW).await.unwrap();
    let reasons: Vec<_> = listed.iter().map(|one| one.reason).collect();
    assert!(reasons.contains(&Reason::CessationOfOperation));
    assert!(reasons.contains(&Reason::PrivilegeWithdrawn));
    let links = store.links(0, 100).await.unwrap();
    let told = |body: &str| body.contains("certificate.revoked");
    assert_eq!(links.iter().filter(|link| told(&link.body)).count(), 2);
}

pub(super) async fn crl_numbers_grow(store: &impl Store) {
    let first = store.next_crl_number().await.unwrap();
    let second = store.next_crl_number().await.unwrap();
    assert!(first < second);
}
