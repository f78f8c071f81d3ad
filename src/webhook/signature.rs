//! Proof of where a message comes from, and when it was sent.

use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::Timestamp;

use super::Error;

/// Signs messages: HMAC-SHA-256 under a secret that both sides have.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// With the secret in a file; a line end after it does not belong to it.
    pub(super) fn from_file(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map(Zeroizing::new);
        let text = text.map_err(|source| Error::Secret {
            path: path.to_owned(),
            source,
        })?;
        let secret = text.trim_ascii_end();
        if secret.len() < SHORTEST {
            return Err(Error::ShortSecret(path.to_owned()));
        }
        Hmac::new_from_slice(secret)
            .map(Self)
            .map_err(|_| Error::ShortSecret(path.to_owned()))
    }

    /// `t=<seconds>,v1=<hex>`, over the seconds, a dot and the body: an old message cannot be passed off as new.
    pub(super) fn sign(&self, at: Timestamp, body: &str) -> String {
        let mac = self.0.clone().chain_update(at.secs().to_string());
        let mac = mac.chain_update(".").chain_update(body).finalize();
        let mut text = format!("t={},v1=", at.secs());
        for byte in mac.into_bytes() {
            // Writing to a String cannot fail.
            let _ok = write!(text, "{byte:02x}");
        }
        text
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Bytes: 128 bits, if they are random.
const SHORTEST: usize = 16;
