//! Keys that sign statements for services behind a proxy, as JSON Web Signatures (RFC 7515, RFC 7518 3.4).

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;
use yasna::models::ObjectIdentifier;
use zeroize::Zeroizing;

use super::Error;

/// An EC P-256 key of one period. Whoever has the secret has the same key: nodes agree without speaking to each other.
pub struct StatementKey {
    pair: EcdsaKeyPair,
    /// The header of all that it signs, encoded.
    header: String,
    public: Value,
}

impl StatementKey {
    /// The key of a period. The secret cannot be told from it, nor from that of any other period.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`] when the library takes no key of this kind.
    pub fn derive(secret: &[u8; 32], period: i64) -> Result<Self, Error> {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, secret);
        for attempt in 0..ATTEMPTS {
            let mut context = hmac::Context::with_key(&mac);
            context.update(PURPOSE);
            context.update(&period.to_be_bytes());
            context.update(&[attempt]);
            let tag = context.sign();
            let key = Zeroizing::new(to_der(tag.as_ref()));
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &key);
            // A number beyond the order of the curve is none: one in four thousand million.
            if let Ok(pair) = pair {
                return Self::of(pair);
            }
        }
        Err(Error::Statement)
    }

    fn of(pair: EcdsaKeyPair) -> Result<Self, Error> {
        // SEC 1 2.3.3: 4, then both coordinates.
        let point = pair.public_key().as_ref();
        let half = |range| point.get(range).map(|part| URL_SAFE_NO_PAD.encode(part));
        let (x, y) = half(1..33).zip(half(33..65)).ok_or(Error::Statement)?;
        // RFC 7638 3.2: exactly this text.
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(&text));
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": id });
        Ok(Self {
            pair,
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            public: json!({
                "kty": "EC", "crv": "P-256", "x": x, "y": y,
                "kid": id, "use": "sig", "alg": "ES256",
            }),
        })
    }

    /// The public key as a JWK (RFC 7517), named by its thumbprint (RFC 7638).
    pub const fn public(&self) -> &Value {
        &self.public
    }

    /// The claims with a signature, in the compact form.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`] when there are no random numbers.
    pub fn sign(&self, claims: &Value) -> Result<String, Error> {
        let mut text = self.header.clone();
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        let signature = signature.map_err(|_| Error::Statement)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }
}

/// A private key as RFC 5915 writes it, without the public one.
fn to_der(number: &[u8]) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_i64(1);
            writer.next().write_bytes(number);
            writer
                .next()
                .write_tagged(yasna::Tag::context(0), |writer| {
                    writer.write_oid(&ObjectIdentifier::from_slice(PRIME256V1));
                });
        });
    })
}

impl fmt::Debug for StatementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Nothing else is derived from a secret under this name.
const PURPOSE: &[u8] = b"es256 statement key";

/// Four in a row that are no key: one in 2^128.
const ATTEMPTS: u8 = 4;

/// RFC 5480 2.1.1.1.
const PRIME256V1: &[u64] = &[1, 2, 840, 10045, 3, 1, 7];

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
    use aws_lc_rs::signature::UnparsedPublicKey;

    use super::*;

    #[test]
    fn same_secret_and_period_give_the_same_key_and_others_another() {
        let id = |secret: u8, period| {
            let key = StatementKey::derive(&[secret; 32], period).unwrap();
            key.public()["kid"].clone()
        };
        assert_eq!(id(1, 7), id(1, 7));
        assert_ne!(id(1, 7), id(1, 8));
        assert_ne!(id(1, 7), id(2, 7));
    }

    #[test]
    fn signature_is_good_for_the_public_key_and_no_other() {
        let key = StatementKey::derive(&[1; 32], 7).unwrap();
        let text = key.sign(&json!({ "sub": "x" })).unwrap();
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let is_good = |key: &StatementKey, signed: &str| {
            let decoded = ["x", "y"].map(|name| {
                URL_SAFE_NO_PAD
                    .decode(key.public()[name].as_str().unwrap())
                    .unwrap()
            });
            let point = [&[4], &*decoded[0], &*decoded[1]].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
                .is_ok()
        };
        assert!(is_good(&key, signed));
        assert!(!is_good(&key, &format!("{signed}x")));
        assert!(!is_good(
            &StatementKey::derive(&[2; 32], 7).unwrap(),
            signed
        ));
    }

    #[test]
    fn key_does_not_show() {
        let key = StatementKey::derive(&[1; 32], 7).unwrap();
        assert_eq!(format!("{key:?}"), "<redacted>");
        assert!(key.public().get("d").is_none());
    }
}
