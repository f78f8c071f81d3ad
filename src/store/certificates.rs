//! Issued certificates: keeping and finding them.

use std::time::Duration;

use async_trait::async_trait;

use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::iam::Affected;
use crate::iam::Revocation;
use crate::iam::port::RecordsError;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Reason;
use crate::pki::port::CertificateQuery;
use crate::pki::port::CertificateRecord;
use crate::pki::port::Certificates;
use crate::pki::port::CertificatesError;
use crate::pki::port::Kept;
use crate::pki::port::PAGE_LIMIT;
use crate::pki::port::Revoke;
use crate::pki::port::RevokedCertificate;

use super::Store;
use super::database::On;
use super::fault::unavailable;
use super::mutation::Writer;
use super::query::Builder;
use super::query::query;
use super::records::all;
use super::records::one;
use super::rows::Columns;
use super::rows::nonsense;
use super::rows::stored;

#[async_trait]
impl Certificates for Store {
    async fn keep(
        &self,
        certificate: &CertificateRecord,
        window: Duration,
        event: &Event,
    ) -> Result<Kept, CertificatesError> {
        let mut writer = Writer::begin(self, certificate.issued).await?;
        let since = certificate.issued.saturating_sub(window);
        let before = find_given(&mut writer.transaction, &certificate.request, since).await?;
        if let Some(before) = before {
            return Ok(Kept::Another(Box::new(before)));
        }
        writer.check_key(certificate).await?;
        writer.insert_certificate(certificate).await?;
        writer.finish(event).await?;
        Ok(Kept::New)
    }

    async fn given(
        &self,
        request: &[u8; 32],
        since: Timestamp,
    ) -> Result<Option<CertificateRecord>, CertificatesError> {
        Ok(find_given(&self.readers, request, since).await?)
    }

    async fn certificate(
        &self,
        serial: Serial,
    ) -> Result<Option<CertificateRecord>, CertificatesError> {
        let sql = concat!(
            "SELECT ",
            certificate_columns!(),
            " FROM certificates WHERE serial = $1"
        );
        let query = query(sql).bind(serial.to_string());
        let row = query.fetch_optional(&self.readers).await;
        Ok(one(row, |mut columns| record(&mut columns))?)
    }

    async fn certificates(
        &self,
        query: &CertificateQuery,
    ) -> Result<Vec<CertificateRecord>, CertificatesError> {
        let text = concat!(
            "SELECT ",
            certificate_columns!(),
            " FROM certificates WHERE 1 = 1"
        );
        let mut sql = Builder::new(text, &self.readers);
        if let Some(tenant) = &query.tenant {
            sql.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(account) = query.account {
            sql.push(" AND account = ").push_bind(account);
        }
        if let Some(token) = query.token {
            sql.push(" AND token = ").push_bind(token);
        }
        if let Some(at) = query.active_at {
            sql.push(" AND revoked IS NULL AND not_after >= ")
                .push_bind(at.nanos());
        }
        sql.push(" ORDER BY issued DESC, serial LIMIT ")
            .push_bind(query.limit.min(PAGE_LIMIT));
        sql.push(" OFFSET ").push_bind(stored(query.offset));
        let rows = sql.build().fetch_all(&self.readers).await;
        Ok(all(rows, |mut columns| record(&mut columns))?)
    }

    async fn revoke(
        &self,
        revocation: &Revoke,
        at: Timestamp,
        event: &Event,
    ) -> Result<Vec<Serial>, CertificatesError> {
        let mut writer = Writer::begin(self, at).await?;
        let revoked = writer.revoke_certificates(revocation).await?;
        writer.finish(event).await?;
        Ok(revoked)
    }

    async fn revoked(
        &self,
        issuer: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<RevokedCertificate>, CertificatesError> {
        let text = "SELECT serial, revoked, reason FROM certificates \
                    WHERE revoked IS NOT NULL AND not_after >= ";
        let mut sql = Builder::new(text, &self.readers);
        sql.push_bind(now.nanos());
        if let Some(issuer) = issuer {
            sql.push(" AND issuer = ").push_bind(issuer);
        }
        sql.push(" ORDER BY revoked, serial");
        let rows = sql.build().fetch_all(&self.readers).await;
        Ok(all(rows, |mut columns| {
            Ok(RevokedCertificate {
                serial: serial(columns.next()?)?,
                at: Timestamp::from_nanos(columns.next()?),
                reason: reason(columns.next()?)?,
            })
        })?)
    }

    async fn set_cascade(&self, is_on: bool) -> Result<(), CertificatesError> {
        let sql = "INSERT INTO marks (name, value) VALUES ('keep certificates', $1) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let done = query(sql)
            .bind(i64::from(!is_on))
            .execute(&self.writer)
            .await;
        Ok(done.map(drop).map_err(unavailable)?)
    }

    async fn next_crl_number(&self) -> Result<u64, CertificatesError> {
        let sql = "INSERT INTO marks (name, value) VALUES ('crl', 1) \
                   ON CONFLICT (name) DO UPDATE SET value = marks.value + 1 RETURNING value";
        let row = query(sql).fetch_optional(&self.writer).await;
        let number = one(row, |mut columns| columns.number())?;
        number.ok_or(CertificatesError::Unavailable)
    }
}

impl Writer {
    /// A key is one account's for good, and nobody's once somebody else has got hold of it (restconf-pki 3.2.8, 3.2.15).
    async fn check_key(
        &mut self,
        certificate: &CertificateRecord,
    ) -> Result<(), CertificatesError> {
        let sql = "SELECT reason FROM certificates \
                   WHERE key = $1 AND (account <> $2 OR reason = 'keyCompromise') \
                   ORDER BY CASE WHEN reason = 'keyCompromise' THEN 0 ELSE 1 END LIMIT 1";
        let row = query(sql)
            .bind(certificate.key.as_slice())
            .bind(certificate.account)
            .fetch_optional(&mut self.transaction)
            .await;
        let other = one(row, |mut columns| columns.next::<Option<String>>())?;
        match other {
            None => Ok(()),
            Some(Some(reason)) if reason == Reason::KeyCompromise.as_str() => {
                Err(CertificatesError::KeyCompromised)
            }
            Some(_) => Err(CertificatesError::KeyOfAnother),
        }
    }

    async fn insert_certificate(
        &mut self,
        certificate: &CertificateRecord,
    ) -> Result<(), RecordsError> {
        let sql = concat!(
            "INSERT INTO certificates (",
            certificate_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
        );
        query(sql)
            .bind(certificate.serial.to_string())
            .bind(&certificate.issuer)
            .bind(certificate.tenant.as_str())
            .bind(certificate.account)
            .bind(&certificate.username)
            .bind(certificate.roles.join(","))
            .bind(certificate.token)
            .bind(certificate.requester)
            .bind(certificate.renews.map(|serial| serial.to_string()))
            .bind(certificate.request.as_slice())
            .bind(certificate.csr.as_slice())
            .bind(certificate.key.as_slice())
            .bind(certificate.not_before.nanos())
            .bind(certificate.not_after.nanos())
            .bind(certificate.issued.nanos())
            .bind(certificate.revoked.map(|(at, _)| at.nanos()))
            .bind(certificate.revoked.map(|(_, reason)| reason.as_str()))
            .bind(certificate.der.as_slice())
            .execute(&mut self.transaction)
            .await
            .map(drop)
            .map_err(unavailable)
    }
}

/// One audit event for each certificate that was revoked along with what `cause` tells of.
pub(super) fn events(cause: &Event, revocations: &[Revocation]) -> Vec<Event> {
    let event = |revocation: &Revocation| {
        let Affected::Certificate(serial) = &revocation.subject else {
            return None;
        };
        Some(Event {
            kind: Kind::CertificateRevoked,
            tenant: Some(revocation.tenant.clone()),
            subject: Some(Subject {
                kind: "certificate",
                id: serial.to_string(),
                name: None,
            }),
            reason: Some(cause.kind.as_str()),
            detail: None,
            ..cause.clone()
        })
    };
    revocations.iter().filter_map(event).collect()
}

async fn find_given<'c>(
    on: impl Into<On<'c>>,
    request: &[u8; 32],
    since: Timestamp,
) -> Result<Option<CertificateRecord>, RecordsError> {
    let sql = concat!(
        "SELECT ",
        certificate_columns!(),
        " FROM certificates WHERE request = $1 AND issued >= $2 AND revoked IS NULL \
         ORDER BY issued DESC, serial LIMIT 1"
    );
    let query = query(sql).bind(request.as_slice()).bind(since.nanos());
    let row = query.fetch_optional(on).await;
    one(row, |mut columns| record(&mut columns))
}

fn record(columns: &mut Columns<'_>) -> Result<CertificateRecord, sqlx::Error> {
    let list = |text: &str| -> Vec<String> {
        let items = text.split(',').filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    };
    Ok(CertificateRecord {
        serial: serial(columns.next()?)?,
        issuer: columns.next()?,
        tenant: TenantId::new(columns.next::<&str>()?),
        account: columns.next()?,
        username: columns.next()?,
        roles: list(columns.next()?),
        token: columns.next()?,
        requester: columns.next()?,
        renews: columns.next::<Option<&str>>()?.map(serial).transpose()?,
        request: columns.hash()?,
        csr: columns.hash()?,
        key: columns.hash()?,
        not_before: Timestamp::from_nanos(columns.next()?),
        not_after: Timestamp::from_nanos(columns.next()?),
        issued: Timestamp::from_nanos(columns.next()?),
        revoked: match (columns.maybe_time()?, columns.next::<Option<&str>>()?) {
            (Some(at), word) => Some((at, reason(word)?)),
            (None, _) => None,
        },
        der: columns.next()?,
    })
}

pub(super) fn serial(text: &str) -> Result<Serial, sqlx::Error> {
    text.parse().map_err(|_| nonsense("serial number"))
}

fn reason(word: Option<&str>) -> Result<Reason, sqlx::Error> {
    word.map_or(Ok(Reason::Unspecified), |word| {
        word.parse().map_err(|_| nonsense("reason"))
    })
}

/// The database has logged what is wrong with it.
impl From<RecordsError> for CertificatesError {
    fn from(_: RecordsError) -> Self {
        Self::Unavailable
    }
}

macro_rules! certificate_columns {
    () => {
        "serial, issuer, tenant, account, username, roles, token, requester, renews, request, csr, key, \
         not_before, not_after, issued, revoked, reason, der"
    };
}

use certificate_columns;
