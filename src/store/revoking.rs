//! Issued certificates: revoking them, for themselves or along with what they depend on.

use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::port::RecordsError;
use crate::model::Serial;
use crate::model::TenantId;
use crate::pki::Reason;
use crate::pki::port::CertificatesError;
use crate::pki::port::Revoke;
use crate::pki::port::Which;

use super::certificates::serial;
use super::fault::unavailable;
use super::mutation::Writer;
use super::query::Query;
use super::query::query;
use super::records::all;
use super::records::one;

impl Writer {
    /// Revokes what is not yet revoked nor over, each with its entry in the log.
    pub(super) async fn revoke_certificates(
        &mut self,
        revocation: &Revoke,
    ) -> Result<Vec<Serial>, CertificatesError> {
        if let Which::Serial(serial) = revocation.which {
            self.check_certificate(serial, revocation.tenant.as_ref())
                .await?;
        }
        let revoked = self.mark_revoked(revocation).await?;
        if revocation.reason == Reason::KeyCompromise {
            self.mark_compromised(revocation).await?;
        }
        Ok(revoked)
    }

    /// Revokes along with an account or a token that goes, unless the operator wants them to stay. Those of a login's
    /// session stay: it ends by itself within the day.
    pub(super) async fn revoke_with(
        &mut self,
        which: Which,
        reason: Reason,
    ) -> Result<(), RecordsError> {
        let row = query("SELECT value FROM marks WHERE name = 'keep certificates'")
            .fetch_optional(&mut self.transaction)
            .await;
        let keeps = one(row, |mut columns| columns.next::<i64>())?;
        if keeps == Some(1) || self.is_session(which).await? {
            return Ok(());
        }
        let revocation = Revoke {
            which,
            tenant: None,
            reason,
        };
        self.mark_revoked(&revocation).await.map(drop)
    }

    async fn mark_revoked(&mut self, revocation: &Revoke) -> Result<Vec<Serial>, RecordsError> {
        let sql = match revocation.which {
            Which::Account(_) => revoke!("account = $4"),
            Which::IssuedBefore(_) => revoke!("issued < $4"),
            Which::Serial(_) => revoke!("serial = $4"),
            Which::Token(_) => revoke!("token = $4"),
        };
        let rows = self
            .selecting(sql, revocation)
            .fetch_all(&mut self.transaction)
            .await;
        let revoked = all(rows, |mut columns| {
            Ok((
                serial(columns.next()?)?,
                TenantId::new(columns.next::<&str>()?),
            ))
        })?;
        for (serial, tenant) in &revoked {
            let certificate = Affected::Certificate(*serial);
            self.note(tenant, certificate, Change::Revoked).await?;
        }
        Ok(revoked.into_iter().map(|(serial, _)| serial).collect())
    }

    /// The same reason for those that were revoked for another, or are over: their keys are never certified again.
    async fn mark_compromised(&mut self, revocation: &Revoke) -> Result<(), RecordsError> {
        let sql = match revocation.which {
            Which::Account(_) => compromise!("account = $4"),
            Which::IssuedBefore(_) => compromise!("issued < $4"),
            Which::Serial(_) => compromise!("serial = $4"),
            Which::Token(_) => compromise!("token = $4"),
        };
        let done = self
            .selecting(sql, revocation)
            .execute(&mut self.transaction)
            .await;
        done.map(drop).map_err(unavailable)
    }

    fn selecting(&self, sql: &'static str, revocation: &Revoke) -> Query {
        let query = query(sql)
            .bind(self.at.nanos())
            .bind(revocation.reason.as_str())
            .bind(revocation.tenant.as_ref().map(TenantId::as_str));
        match revocation.which {
            Which::Account(id) | Which::Token(id) => query.bind(id),
            Which::IssuedBefore(at) => query.bind(at.nanos()),
            Which::Serial(serial) => query.bind(serial.to_string()),
        }
    }

    async fn check_certificate(
        &mut self,
        serial: Serial,
        tenant: Option<&TenantId>,
    ) -> Result<(), CertificatesError> {
        let row = query("SELECT tenant FROM certificates WHERE serial = $1")
            .bind(serial.to_string())
            .fetch_optional(&mut self.transaction)
            .await;
        let owner = one(row, |mut columns| columns.next::<String>())?;
        match owner {
            Some(owner) if tenant.is_none_or(|tenant| tenant.as_str() == owner) => Ok(()),
            // What another tenant has is not there (iam X4).
            _ => Err(CertificatesError::NotFound),
        }
    }

    async fn is_session(&mut self, which: Which) -> Result<bool, RecordsError> {
        let Which::Token(token) = which else {
            return Ok(false);
        };
        let row = query("SELECT kind FROM pats WHERE id = $1")
            .bind(token)
            .fetch_optional(&mut self.transaction)
            .await;
        let kind = one(row, |mut columns| columns.next::<String>())?;
        Ok(kind.is_some_and(|kind| kind == "session"))
    }
}

macro_rules! revoke {
    ($which:literal) => {
        concat!(
            "UPDATE certificates SET revoked = $1, reason = $2 WHERE revoked IS NULL AND not_after >= $1 \
             AND ($3 IS NULL OR tenant = $3) AND ",
            $which,
            " RETURNING serial, tenant"
        )
    };
}

macro_rules! compromise {
    ($which:literal) => {
        concat!(
            "UPDATE certificates SET revoked = coalesce(revoked, $1), reason = $2 \
             WHERE coalesce(reason, '') <> $2 AND ($3 IS NULL OR tenant = $3) AND ",
            $which
        )
    };
}

use compromise;
use revoke;
