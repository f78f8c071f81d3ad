//! `/distribution/sign-csr`: the vendor's contract, formats, and what is no CSR.

use rcgen::KeyPair;
use serde_json::json;
use tollgate::pki::chain_to_pem;

use super::SIGN;
use super::csr;
use super::csr_of;
use super::enrolled;
use super::send;
use super::sign;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::mtls::VALIDATE;
use crate::mtls::account;

#[tokio::test]
async fn vendors_request_gets_a_certificate_that_works_at_once() {
    let gateway = Gateway::start().await;
    account(&gateway, "streamer-export", "tenant-admin").await;
    let query = "?certduration=2160&format=pem&requestedUsername=streamer-export&\
                 assignedRoles=tenant-admin,tenant-contributor,ug_all_data_access";
    let device = enrolled(&gateway, &gateway.token(), "streamer-export", query).await;
    assert_eq!(device.username, "streamer-export");
    assert_eq!(device.chain.len(), 2, "leaf, then its issuer");
    let answer = device.get(&gateway, VALIDATE, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let identity = tollgate::pki::ClientIdentity::read(&device.chain[0]).unwrap();
    assert_eq!(identity.tenant.as_str(), TENANT);
    assert_eq!(identity.roles, ["tenant-admin", "tenant-contributor"]);
    let life = identity.not_after.since(gateway.clock.now());
    assert_eq!(life.as_secs(), 2_160 * 3_600);
    assert_eq!(
        gateway.clock.now().since(identity.not_before).as_secs(),
        300
    );
}

#[tokio::test]
async fn certificate_comes_in_every_form() {
    let gateway = Gateway::start().await;
    let (token, csr) = (gateway.token(), csr(gateway.account()));
    let pem = sign(&gateway, &token, "", csr.as_bytes()).await;
    assert_eq!(pem.header("content-type"), Some("application/x-pem-file"));
    assert_eq!(pem.header("cache-control"), Some("no-store"));
    let chain = pem.certificates();
    let serial = pem.identity().serial.to_string();
    assert_eq!(pem.header("x-certificate-serial"), Some(serial.as_str()));
    for (format, media) in [
        ("leaf", "application/x-pem-file"),
        ("chain", "application/x-pem-file"),
        ("der", "application/pkix-cert"),
        ("pkcs7", "application/pkcs7-mime; smime-type=certs-only"),
        ("json", "application/json"),
    ] {
        let query = format!("?format={format}");
        let reply = sign(&gateway, &token, &query, csr.as_bytes()).await;
        assert_eq!(reply.header("content-type"), Some(media));
        match format {
            "leaf" => assert_eq!(reply.certificates(), chain[..1]),
            "chain" => assert_eq!(reply.certificates(), chain),
            "der" => assert_eq!(reply.body, chain[0].to_vec()),
            "pkcs7" => assert_eq!(reply.body, tollgate::pki::chain_to_pkcs7(&chain)),
            _ => {
                let document = reply.json();
                assert_eq!(document["certificate"], chain_to_pem(&chain[..1]));
                assert_eq!(document["chain"], chain_to_pem(&chain[1..]));
                assert_eq!(document["serial"], serial);
            }
        }
    }
}

#[tokio::test]
async fn csr_is_taken_as_pem_der_and_json() {
    let gateway = Gateway::start().await;
    let (token, username) = (gateway.token(), gateway.account());
    let key = KeyPair::generate().unwrap();
    let pem = csr_of(&key, Some(username));
    let der = {
        use rustls::pki_types::pem::PemObject as _;
        rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap()
    };
    let first = sign(&gateway, &token, "", pem.as_bytes()).await.identity();
    let second = sign(&gateway, &token, "", &der).await.identity();
    assert_eq!(first.serial, second.serial, "the same CSR");
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json; charset=utf-8"),
    ];
    let body = json!({ "csr": pem, "assignedRoles": ["tenant-user"], "certduration": 24 });
    let body = body.to_string();
    let reply = send(&gateway, ("POST", SIGN), &headers, body.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.json()["certificate"].is_string());
    for (body, code) in [
        (json!([]), "invalid_json"),
        (json!({}), "invalid_json"),
        (json!({ "csr": 1 }), "csr_malformed"),
        (json!({ "csr": pem, "assignedRoles": [1] }), "invalid_json"),
        (json!({ "csr": pem, "roles": "x" }), "invalid_parameter"),
    ] {
        let body = body.to_string();
        let reply = send(&gateway, ("POST", SIGN), &headers, body.as_bytes()).await;
        reply.is(400, code);
    }
}

#[tokio::test]
async fn media_types_and_sizes_have_their_statuses() {
    let gateway = Gateway::start().await;
    let bearer = format!("Bearer {}", gateway.token());
    let csr = csr(gateway.account());
    for (media, status) in [
        ("application/pkcs10", 200),
        ("application/x-pem-file", 200),
        ("APPLICATION/OCTET-STREAM; x=y", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
    ] {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", media)];
        let reply = send(&gateway, ("POST", SIGN), &headers, csr.as_bytes()).await;
        assert_eq!(reply.status, status, "{media} {}", reply.text());
    }
    let untyped = [("Authorization", bearer.as_str())];
    let reply = send(&gateway, ("POST", SIGN), &untyped, csr.as_bytes()).await;
    assert_eq!(reply.status, 200);
    let large = sign(&gateway, &gateway.token(), "", &vec![b' '; (16 << 10) + 1]).await;
    large.is(413, "too_large");
    let get = send(&gateway, ("GET", SIGN), &untyped, b"").await;
    get.is(405, "method_not_allowed");
    assert_eq!(get.header("allow"), Some("POST"));
}

#[tokio::test]
async fn what_is_no_csr_is_refused_and_nothing_of_it_kept() {
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let key = KeyPair::generate().unwrap();
    let secret = key.serialize_pem();
    let certificate = std::fs::read(gateway.ca_file()).unwrap();
    let good = csr(gateway.account());
    let twice = format!("{good}{good}");
    let trailing = format!("{good}trailing");
    for (body, code) in [
        (secret.as_bytes(), "private_key_sent"),
        (&certificate, "certificate_sent"),
        (twice.as_bytes(), "csr_malformed"),
        (trailing.as_bytes(), "csr_malformed"),
        (b"", "csr_missing"),
        (b"garbage", "csr_malformed"),
    ] {
        let reply = sign(&gateway, &token, "", body).await;
        reply.is(400, code);
    }
    let line = secret.lines().nth(1).unwrap();
    let refused = super::events(&gateway, "certificate.refused").await;
    assert_eq!(refused.len(), 6);
    assert!(
        refused
            .iter()
            .all(|event| !event.to_string().contains(line))
    );
    let crlf = sign(&gateway, &token, "", good.replace('\n', "\r\n").as_bytes()).await;
    assert_eq!(crlf.status, 200);
    let text = format!("Certificate Request:\n    Data:\n{good}");
    assert_eq!(
        sign(&gateway, &token, "", text.as_bytes()).await.status,
        200
    );
}

#[tokio::test]
async fn weak_keys_and_old_hashes_are_refused_with_a_reason() {
    let gateway = Gateway::start().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pki/tests/csr");
    for (name, code) in [
        ("rsa-1024", "key_not_accepted"),
        ("rsa-exponent-3", "key_not_accepted"),
        ("p521", "key_not_accepted"),
        ("dsa", "key_not_accepted"),
        ("explicit-curve", "key_not_accepted"),
        ("p256-sha1", "csr_signature_algorithm"),
        ("rsa-2048-md5", "csr_signature_algorithm"),
        ("two-names", "csr_name"),
    ] {
        let csr = std::fs::read(folder.join(format!("{name}.csr"))).unwrap();
        sign(&gateway, &gateway.token(), "", &csr)
            .await
            .is(400, code);
    }
    let mut forged = {
        use rustls::pki_types::pem::PemObject as _;
        let good = csr(gateway.account());
        rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(good.as_bytes())
            .unwrap()
            .to_vec()
    };
    *forged.last_mut().unwrap() ^= 1;
    let reply = sign(&gateway, &gateway.token(), "", &forged).await;
    reply.is(400, "csr_signature");
    // The gateway's own key.
    let own = std::fs::read_to_string(gateway.data_dir().join("pki/ca.key")).unwrap();
    let own = csr_of(&KeyPair::from_pem(&own).unwrap(), Some(gateway.account()));
    let reply = sign(&gateway, &gateway.token(), "", own.as_bytes()).await;
    reply.is(400, "key_blocked");
    let server = std::fs::read_to_string(gateway.data_dir().join("pki/server.pem")).unwrap();
    let server = csr_of(
        &KeyPair::from_pem(&server).unwrap(),
        Some(gateway.account()),
    );
    let reply = sign(&gateway, &gateway.token(), "", server.as_bytes()).await;
    reply.is(400, "key_blocked");
}
