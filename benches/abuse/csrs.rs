//! Requests for certificates.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::Full;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::KeyPair;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tollgate::secret::Secret;
use tonic::transport::Channel;
use tower::Service as _;
use tower::ServiceExt as _;

use crate::ATTACKERS;
use crate::streams::Flood;

/// Somebody who has one key certified ten times a second, each time by another CSR: all of them ask for ten times what the
/// gateway signs, and leave it a processor to refuse with.
pub fn applicant(
    number: usize,
    channel: &Channel,
    admin: &Secret,
    flood: &Flood,
) -> JoinHandle<()> {
    let (mut channel, admin, flood) = (channel.clone(), admin.clone(), flood.clone());
    tokio::spawn(async move {
        let key = KeyPair::generate().unwrap();
        // One after the other, as people are.
        let turn = Duration::from_millis(100);
        let first = Instant::now() + turn.mul_f64(number as f64 / ATTACKERS as f64);
        let mut ticks = tokio::time::interval_at(first, turn);
        for turn in 0_u64.. {
            ticks.tick().await;
            if flood.stop.load(Ordering::Relaxed) {
                return;
            }
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            params
                .distinguished_name
                .push(DnType::OrganizationName, format!("{number}-{turn}"));
            let csr = params.serialize_request(&key).unwrap();
            let request = http::Request::post("/distribution/sign-csr?certduration=24&format=pem")
                .header("authorization", format!("Bearer {}", admin.expose()))
                .header("content-type", "application/octet-stream")
                .body(tonic::body::Body::new(Full::from(csr.der().to_vec())))
                .unwrap();
            // A connection on which too many requests were refused before their bodies had come is ended by the
            // gateway; the channel dials again.
            let Ok(ready) = channel.ready().await else {
                continue;
            };
            let Ok(answer) = ready.call(request).await else {
                continue;
            };
            let status = answer.status();
            assert!(
                status.is_success() || status == http::StatusCode::TOO_MANY_REQUESTS,
                "{status}"
            );
            flood.sent.fetch_add(1, Ordering::Relaxed);
        }
    })
}
