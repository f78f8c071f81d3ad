//! The authority on disk, and what it makes of requests. `csr/` holds requests that openssl made; their keys are gone.

mod authority;
mod issuing;
mod requests;
mod rollover;

use std::path::Path;

use tempfile::TempDir;

use crate::clock::Clock;
use crate::model::Timestamp;
use crate::pki::Authority;
use crate::pki::Csr;
use crate::pki::Error;

fn start() -> (TempDir, Clock) {
    let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    (tempfile::tempdir().unwrap(), Clock::fixed(now))
}

fn open(dir: &TempDir, clock: &Clock) -> Result<Authority, Error> {
    Authority::open_or_create(&dir.path().join("pki"), clock)
}

/// The PEM text of a stored request.
fn stored(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pki/tests/csr");
    std::fs::read(root.join(format!("{name}.csr"))).unwrap()
}

fn csr(name: &str) -> Csr {
    Csr::parse(&stored(name)).unwrap()
}

/// The DER of a PEM text.
fn der(pem: &[u8]) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(pem)
        .unwrap()
        .to_vec()
}

/// Everything that is certified.
const ACCEPTED: [&str; 11] = [
    "ed25519",
    "greedy",
    "no-name",
    "p256",
    "p256-sha384",
    "p384",
    "p384-sha256",
    "rsa-2048",
    "rsa-2048-pss",
    "rsa-3072",
    "rsa-4096",
];
