//! The identity records: what is new.

use crate::iam::AccountId;
use crate::iam::AccountRecord;
use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::PatDigest;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::TenantRecord;
use crate::iam::TokenKind;
use crate::iam::port::Handle;
use crate::iam::port::NewPassword;
use crate::iam::port::RecordsError;
use crate::model::Timestamp;

use super::fault::unavailable;
use super::mutation::Writer;
use super::query::query;
use super::rows::Columns;
use super::rows::NETWORKS;
use super::rows::SCOPES;
use super::rows::joined;
use super::rows::stored;

impl Writer {
    pub(super) async fn create_tenant(
        &mut self,
        tenant: &TenantRecord,
    ) -> Result<(), RecordsError> {
        let sql = "INSERT INTO tenants (id, state, max_pat_lifetime, tokens_not_before, created, max_pats, \
                   max_account_pats) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let added = query(sql)
            .bind(tenant.id.as_str())
            .bind(tenant.state.as_str())
            .bind(
                tenant
                    .max_pat_lifetime
                    .map(|lifetime| stored(lifetime.as_secs())),
            )
            .bind(tenant.tokens_not_before.map(Timestamp::nanos))
            .bind(tenant.created.nanos())
            .bind(tenant.max_pats.map(i64::from))
            .bind(tenant.max_account_pats.map(i64::from))
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        if added == 0 {
            Err(RecordsError::TenantExists)
        } else {
            Ok(())
        }
    }

    pub(super) async fn create_account(
        &mut self,
        account: &AccountRecord,
        password: Option<&NewPassword>,
    ) -> Result<(), RecordsError> {
        let username_norm = account.username.to_lowercase();
        let taken = "SELECT kind FROM accounts \
                     WHERE tenant = $1 AND username_norm = $2 AND state <> 'deleted'";
        let taken = query(taken)
            .bind(account.tenant.as_str())
            .bind(&username_norm)
            .fetch_optional(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        if let Some(row) = taken {
            let kind = Columns::of(&row).kind().map_err(unavailable)?;
            return Err(RecordsError::UsernameTaken(kind));
        }
        let sql = "INSERT INTO accounts (id, tenant, kind, username, username_norm, name, description, \
                   roles, state, password, expires, tokens_not_before, created, updated, version, networks, \
                   password_provisional) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
        query(sql)
            .bind(account.id.raw())
            .bind(account.tenant.as_str())
            .bind(account.kind.as_str())
            .bind(&account.username)
            .bind(username_norm)
            .bind(&account.name)
            .bind(&account.description)
            .bind(account.roles.to_string())
            .bind(account.state.as_str())
            .bind(password.map(|password| password.hash.0.as_str()))
            .bind(account.expires.secs())
            .bind(account.tokens_not_before.map(Timestamp::nanos))
            .bind(account.created.nanos())
            .bind(account.updated.nanos())
            .bind(stored(account.version))
            .bind(joined(&account.networks, NETWORKS))
            .bind(i64::from(
                password.is_some_and(|password| password.is_provisional),
            ))
            .execute(&mut self.transaction)
            .await
            .map_err(missing_tenant)?;
        self.note(
            &account.tenant,
            Affected::Account(account.id),
            Change::Created,
        )
        .await
    }

    /// A token for an account that is still at the version on which the right to issue it was judged.
    pub(super) async fn issue_pat(
        &mut self,
        pat: &PatRecord,
        digest: &PatDigest,
        version: u64,
    ) -> Result<(), RecordsError> {
        let (tenant, id) = (pat.tenant.clone(), pat.account);
        let account = Handle {
            tenant,
            id,
            version,
        };
        self.check(&account).await?;
        self.create_pat(pat, digest, None).await
    }

    pub(super) async fn create_first_pat(
        &mut self,
        pat: Option<&(PatRecord, PatDigest)>,
    ) -> Result<(), RecordsError> {
        match pat {
            Some((pat, digest)) => self.create_pat(pat, digest, None).await,
            None => Ok(()),
        }
    }

    /// Nothing comes of a token that was revoked meanwhile: what ends with it has ended already.
    async fn check_parent(&mut self, parent: PatId) -> Result<(), RecordsError> {
        let sql = "SELECT 1 FROM pats WHERE id = $1 AND revoked IS NULL";
        let living = query(sql).bind(parent.raw());
        let living = living.fetch_optional(&mut self.transaction).await;
        match living.map_err(unavailable)? {
            Some(_) => Ok(()),
            None => Err(RecordsError::NotFound("token")),
        }
    }

    /// A token, which may take the place of another.
    pub(super) async fn create_pat(
        &mut self,
        pat: &PatRecord,
        digest: &PatDigest,
        instead_of: Option<PatId>,
    ) -> Result<(), RecordsError> {
        self.check_quota(pat, instead_of).await?;
        if let Some(parent) = pat.parent {
            self.check_parent(parent).await?;
        }
        if pat.kind == TokenKind::Session {
            self.make_room(&pat.tenant, pat.account).await?;
        }
        let taken =
            "SELECT 1 FROM pats WHERE account = $1 AND name = $2 AND revoked IS NULL LIMIT 1";
        let taken = query(taken)
            .bind(pat.account.raw())
            .bind(&pat.name)
            .fetch_optional(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        if taken.is_some() {
            return Err(RecordsError::PatNameTaken);
        }
        let sql = "INSERT INTO pats (id, account, tenant, name, description, scopes, networks, hint, \
                   digest, pepper, created, created_by, expires, kind, parent) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        query(sql)
            .bind(pat.id.raw())
            .bind(pat.account.raw())
            .bind(pat.tenant.as_str())
            .bind(&pat.name)
            .bind(&pat.description)
            .bind(joined(&pat.scopes, SCOPES))
            .bind(joined(&pat.networks, NETWORKS))
            .bind(&pat.hint)
            .bind(digest.as_bytes().as_slice())
            .bind(digest.key())
            .bind(pat.created.nanos())
            .bind(pat.created_by.map(AccountId::raw))
            .bind(pat.expires.secs())
            .bind(pat.kind.as_str())
            .bind(pat.parent.map(PatId::raw))
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        self.note(&pat.tenant, Affected::Pat(pat.id), Change::Created)
            .await
    }
}

/// The one thing that an account refers to.
fn missing_tenant(error: sqlx::Error) -> RecordsError {
    let is_reference = error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation);
    if is_reference {
        RecordsError::NotFound("tenant")
    } else {
        unavailable(error)
    }
}
