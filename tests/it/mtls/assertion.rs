//! `X-Forwarded-JWT`, and the keys by which a service behind a proxy verifies it.

use std::time::Duration;

use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::VALIDATE;
use super::connect;
use super::device;
use super::get;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const KEYS: &str = "/.well-known/jwks.json";
const BEARER_VALIDATE: &str = "/api/v1/auth/validate";

#[tokio::test(flavor = "multi_thread")]
async fn assertion_says_what_the_other_headers_say_and_is_signed() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let answer = device.get(&gateway, VALIDATE, "").await;
    let claims = verified(&gateway, &answer).await;
    let now = gateway.clock.now().secs();
    assert_eq!(claims["iss"], "tollgate");
    assert_eq!(claims["sub"], device.account.to_string());
    assert_eq!(claims["iat"], now);
    assert_eq!(claims["exp"], now + 60);
    assert_eq!(claims["tenant"], TENANT);
    assert_eq!(claims["username"], "probe");
    assert_eq!(claims["roles"], json!(["tenant-user"]));
    assert_eq!(claims["cnf"]["x5t#S256"], answer.body["x5t#S256"]);
    assert!(claims.get("scope").is_none());

    // By a token: bound to no certificate.
    let bearer = format!("authorization: Bearer {}\r\n", gateway.token());
    let answer = plain(&gateway, BEARER_VALIDATE, &bearer).await;
    let claims = verified(&gateway, &answer).await;
    assert_eq!(claims["sub"], answer.header("x-forwarded-user-id").unwrap());
    assert_eq!(claims["roles"], json!(["tenant-admin"]));
    assert!(claims.get("cnf").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn assertion_is_made_anew_at_half_its_life_and_when_rights_change() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let id = async || {
        let answer = device.get(&gateway, VALIDATE, "").await;
        verified(&gateway, &answer).await["jti"].clone()
    };
    let first = id().await;
    gateway.clock.advance(Duration::from_secs(29));
    assert_eq!(id().await, first);
    gateway.clock.advance(Duration::from_secs(1));
    let second = id().await;
    assert_ne!(second, first);
    let roles = ["tenant-user", "tenant-contributor"];
    gateway.set_roles(TENANT, &device.account, &roles).await;
    let answer = device.get(&gateway, VALIDATE, "").await;
    let claims = verified(&gateway, &answer).await;
    assert_eq!(
        claims["roles"].as_array().unwrap().len(),
        1,
        "the certificate's: {claims}"
    );
    gateway
        .clock
        .advance(Duration::from_hours(24) - Duration::from_secs(50));
    let answer = device.get(&gateway, VALIDATE, "").await;
    let claims = verified(&gateway, &answer).await;
    // No longer than what it rests on, whose last second still counts.
    let left = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(left, answer.body["remainingSeconds"].as_i64().unwrap() + 1);
    assert!(left < 60, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn assertion_is_no_credential_here() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let answer = device.get(&gateway, VALIDATE, "").await;
    let assertion = answer.header("x-forwarded-jwt").unwrap();
    let bearer = format!("authorization: Bearer {assertion}\r\n");
    let refused = plain(&gateway, BEARER_VALIDATE, &bearer).await;
    let unknown = plain(&gateway, BEARER_VALIDATE, "authorization: Bearer x\r\n").await;
    assert_eq!(refused.status, 401, "{refused:?}");
    let code = |answer: &Answer| answer.body["errors"][0]["code"].clone();
    assert_eq!(code(&refused), code(&unknown));
    let asserted = format!("x-forwarded-jwt: {assertion}\r\n");
    let refused = plain(&gateway, BEARER_VALIDATE, &asserted).await;
    refused.is(401, "missing_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_public_and_follow_the_period() {
    let gateway = Gateway::start().await;
    let before = plain(&gateway, KEYS, "").await;
    assert_eq!(before.status, 200, "{before:?}");
    assert_eq!(
        before.header("content-type"),
        Some("application/jwk-set+json")
    );
    assert_eq!(
        before.header("cache-control"),
        Some("public, max-age=86400")
    );
    for key in before.body["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none(), "private: {key}");
    }
    gateway.clock.advance(Duration::from_hours(30 * 24));
    // What was cached in the last period has the key that signs in this one.
    let bearer = format!("authorization: Bearer {}\r\n", gateway.token());
    let answer = plain(&gateway, BEARER_VALIDATE, &bearer).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let assertion = answer.header("x-forwarded-jwt").unwrap();
    claims_of(assertion, &before.body);
    assert_ne!(plain(&gateway, KEYS, "").await.body, before.body);
}

async fn plain(gateway: &Gateway, path: &str, headers: &str) -> Answer {
    let trust = tollgate::transport::Trust::from_pem_file(gateway.ca_file()).unwrap();
    let config = trust.client_config(&[b"http/1.1"]).unwrap();
    let stream = connect(gateway, config).await.unwrap();
    get(stream, path, headers).await
}

/// The claims of an answer's assertion, after its signature was found good by a published key.
async fn verified(gateway: &Gateway, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    let keys = plain(gateway, KEYS, "").await;
    claims_of(answer.header("x-forwarded-jwt").unwrap(), &keys.body)
}

#[track_caller]
fn claims_of(assertion: &str, keys: &Value) -> Value {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(header["alg"], "ES256");
    let mut all = keys["keys"].as_array().unwrap().iter();
    let key = all.find(|key| key["kid"] == header["kid"]).unwrap();
    let [x, y] = ["x", "y"].map(|name| decode(key[name].as_str().unwrap()));
    let point = [&[4], &*x, &*y].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    serde_json::from_slice(&decode(claims)).unwrap()
}
