//! `/distribution/sign-csr`, and what it has in common with EST: check, decide, sign, keep, answer.

use axum::extract::Request;
use axum::extract::State;
use axum::response::Response;
use rustls::pki_types::CertificateDer;
use sha2::Digest as _;
use sha2::Sha256;

use crate::model::Timestamp;
use crate::pki;
use crate::pki::Csr;
use crate::pki::CsrError;
use crate::pki::Grant;
use crate::pki::Issuance;
use crate::pki::MAX_CSR_BYTES;
use crate::pki::port::CertificateRecord;
use crate::pki::port::Kept;

use super::Service;
use super::admission::Asker;
use super::admission::Schemes;
use super::asked::Asked;
use super::attempt::Attempt;
use super::body::collect;
use super::body::media_type;
use super::body::unsupported;
use super::decision::Decision;
use super::decision::role_names;
use super::error::Refusal;
use super::reply;
use super::service::count;

/// Signs a CSR: raw in the body, or as a member of a JSON document.
pub(super) async fn sign_csr(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let asker = service.asker(&parts, Schemes::Bearer).await?;
    let attempt = Attempt::new(asker);
    if let Err(refusal) = service.may_ask(&attempt.asker, &parts).await {
        return Err(service.refuse(&attempt, refusal).await);
    }
    service.charge(&attempt.asker)?;
    let read = async {
        let media = media_type(&parts.headers);
        let is_json = media == reply::JSON;
        // A type that is not said is unknown bytes (RFC 9110 8.3), which is what the vendor's is.
        if !is_json && !CSR_TYPES.contains(&media.as_str()) && !media.is_empty() {
            return Err(unsupported(
                "send application/octet-stream with the raw CSR",
            ));
        }
        let limit = if is_json {
            2 * MAX_CSR_BYTES
        } else {
            MAX_CSR_BYTES
        };
        let body = collect(body, limit).await?;
        if is_json {
            let (wish, csr) = Asked::from_json(&parts.uri, &body, &service.config)?;
            return Ok((wish, csr.into_bytes()));
        }
        Ok((Asked::from_uri(&parts.uri, &service.config)?, body.to_vec()))
    };
    let (wish, csr) = match read.await {
        Ok(read) => read,
        Err(refusal) => return Err(service.refuse(&attempt, refusal).await),
    };
    let issuance = service.enroll(attempt, &wish, csr, Csr::parse).await?;
    Ok(reply::certificate(&issuance, wish.format))
}

impl Service {
    /// Charges a request to its asker, before anything is computed for it.
    pub(super) fn charge(&self, asker: &Asker) -> Result<(), Refusal> {
        let charged = self.throttle.charge(asker.principal.account.raw());
        charged.map_err(|retry_after| {
            count("throttled");
            Refusal::throttled(retry_after)
        })
    }

    /// From the bytes of a CSR to a certificate. Every outcome is in the audit trail before this returns.
    pub(super) async fn enroll(
        &self,
        mut attempt: Attempt,
        wish: &Asked,
        body: Vec<u8>,
        parse: fn(&[u8]) -> Result<Csr, CsrError>,
    ) -> Result<Issuance, Refusal> {
        match self.try_enroll(&mut attempt, wish, body, parse).await {
            Ok(issuance) => Ok(issuance),
            Err(refusal) => Err(self.refuse(&attempt, refusal).await),
        }
    }

    async fn try_enroll(
        &self,
        attempt: &mut Attempt,
        wish: &Asked,
        body: Vec<u8>,
        parse: fn(&[u8]) -> Result<Csr, CsrError>,
    ) -> Result<Issuance, Refusal> {
        let csr = self.on_signer(move || parse(&body)).await??;
        attempt.note_csr(&csr);
        self.authority.admit(&csr)?;
        let decision = self.decide(attempt, wish, &csr).await?;
        let now = self.clock.now();
        let request = request_hash(attempt, wish, &csr, &decision);
        let since = now.saturating_sub(self.config.repeat_window);
        if let Some(before) = self.certificates.given(&request, since).await? {
            count("repeated");
            return self.again(before);
        }
        let issuance = self.sign(csr.clone(), decision.clone()).await?;
        attempt.note("from", &issuance.not_before.to_string());
        attempt.note("until", &issuance.not_after.to_string());
        let record = record(attempt, &csr, &decision, (&issuance, now, request));
        let event = attempt.issued(issuance.serial, &decision.holder.username, now);
        let window = self.config.repeat_window;
        match self.certificates.keep(&record, window, &event).await? {
            Kept::New => {
                count("issued");
                Ok(issuance)
            }
            Kept::Another(before) => {
                count("repeated");
                self.again(*before)
            }
        }
    }

    async fn sign(&self, csr: Csr, decision: Decision) -> Result<Issuance, Refusal> {
        let service = self.clone();
        let signing = self.on_signer(move || {
            let grant = Grant {
                tenant: &decision.holder.tenant,
                account: decision.holder.id.raw(),
                username: &decision.holder.username,
                roles: &role_names(decision.roles),
                ends: decision.ends,
                crl_url: service.config.crl_url.as_deref(),
            };
            service.authority.issue(&csr, &grant)
        });
        Ok(signing.await??)
    }

    /// The certificate that was given before, once more.
    fn again(&self, record: CertificateRecord) -> Result<Issuance, Refusal> {
        let issuers = self.authority.chain_above(&record.issuer);
        Ok(Issuance {
            serial: record.serial,
            issuers: issuers.ok_or(pki::Error::NoIssuer)?,
            issuer: record.issuer,
            not_before: record.not_before,
            not_after: record.not_after,
            certificate: CertificateDer::from(record.der),
        })
    }

    /// Computes away from the threads that serve streams, one at a time.
    async fn on_signer<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let _turn = self
            .signer
            .acquire()
            .await
            .map_err(|_| Refusal::internal())?;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| Refusal::internal())
    }
}

/// The same for the same CSR, asker and outcome: what makes a request a repetition.
fn request_hash(attempt: &Attempt, wish: &Asked, csr: &Csr, decision: &Decision) -> [u8; 32] {
    let renews = decision.renews.map(|serial| serial.to_string());
    Sha256::new()
        .chain_update(csr.hash())
        .chain_update(attempt.asker.principal.account.raw().to_be_bytes())
        .chain_update(decision.holder.id.raw().to_be_bytes())
        .chain_update(decision.token.unwrap_or_default().to_be_bytes())
        .chain_update(wish.lifetime.as_secs().to_be_bytes())
        .chain_update(decision.roles.to_string())
        .chain_update(renews.unwrap_or_default())
        .finalize()
        .into()
}

fn record(
    attempt: &Attempt,
    csr: &Csr,
    decision: &Decision,
    (issuance, now, request): (&Issuance, Timestamp, [u8; 32]),
) -> CertificateRecord {
    CertificateRecord {
        serial: issuance.serial,
        issuer: issuance.issuer.clone(),
        tenant: decision.holder.tenant.clone(),
        account: decision.holder.id.raw(),
        username: decision.holder.username.clone(),
        roles: role_names(decision.roles),
        token: decision.token,
        requester: attempt.asker.principal.account.raw(),
        renews: decision.renews,
        request,
        csr: csr.hash(),
        key: csr.key().hash(),
        not_before: issuance.not_before,
        not_after: issuance.not_after,
        issued: now,
        revoked: None,
        der: issuance.certificate.to_vec(),
    }
}

/// What a raw CSR may be called (RFC 5967, and what clients send).
const CSR_TYPES: [&str; 4] = [
    "application/octet-stream",
    "application/pkcs10",
    "application/x-pem-file",
    "application/x-pkcs10",
];
