//! The identity records: writing. Each change is one transaction, with its audit event and its entries in the
//! revocation log. It begins as the only writer, so what it has looked at stays true until it commits.

use crate::audit::Event;
use crate::audit::Kind;
use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::PatId;
use crate::iam::Revocation;
use crate::iam::Roles;
use crate::iam::State;
use crate::iam::TokenKind;
use crate::iam::port::Applied;
use crate::iam::port::Handle;
use crate::iam::port::Mutation;
use crate::iam::port::NewPassword;
use crate::iam::port::PasswordHash;
use crate::iam::port::RecordsError;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Reason;
use crate::pki::port::Which;

use super::Store;
use super::certificates;
use super::database::Transaction;
use super::fault::unavailable;
use super::log;
use super::notifications::announce;
use super::query::query;
use super::records::all;
use super::records::one;
use super::rows::Columns;
use super::rows::NETWORKS;
use super::rows::joined;
use super::rows::stored;

/// Makes the change. A transaction that is dropped on the way is rolled back.
pub(super) async fn apply(
    store: &Store,
    mutation: &Mutation,
    at: Timestamp,
    event: &Event,
) -> Result<Applied, RecordsError> {
    let mut writer = Writer::begin(store, at).await?;
    writer.make(mutation).await?;
    writer.finish(event).await
}

/// A change on its way.
pub(super) struct Writer {
    pub(super) transaction: Transaction,
    pub(super) at: Timestamp,
    pub(super) applied: Applied,
    /// The tokens that it has ended so far.
    pub(super) ended: Vec<PatId>,
}

impl Writer {
    /// Begins as the only writer.
    pub(super) async fn begin(store: &Store, at: Timestamp) -> Result<Self, RecordsError> {
        Ok(Self {
            transaction: store.begin().await.map_err(unavailable)?,
            at,
            applied: Applied::default(),
            ended: Vec::new(),
        })
    }

    /// Commits, with the audit event, which names all tokens that have ended by it, and one more for each certificate that
    /// went with what it tells of.
    pub(super) async fn finish(mut self, event: &Event) -> Result<Applied, RecordsError> {
        let subject = event.subject.as_ref();
        let told = subject.map_or("", |subject| &subject.id);
        let ended = self.ended.iter().map(ToString::to_string);
        let mut events = vec![Event {
            tokens: ended.filter(|id| id != told).collect(),
            ..event.clone()
        }];
        if event.kind != Kind::CertificateRevoked {
            events.extend(certificates::events(event, &self.applied.revocations));
        }
        log::append(&mut self.transaction, &events)
            .await
            .map_err(unavailable)?;
        if !self.applied.revocations.is_empty() {
            announce(&mut self.transaction).await.map_err(unavailable)?;
        }
        self.transaction.commit().await.map_err(unavailable)?;
        log::announce(&events);
        Ok(self.applied)
    }

    async fn make(&mut self, mutation: &Mutation) -> Result<(), RecordsError> {
        match mutation {
            Mutation::CreateAccount {
                account,
                password,
                pat,
            } => {
                self.create_account(account, password.as_ref()).await?;
                self.create_first_pat(pat.as_ref()).await
            }
            Mutation::CreatePat {
                pat,
                digest,
                version,
            } => self.issue_pat(pat, digest, *version).await,
            Mutation::CreateTenant(tenant) => self.create_tenant(tenant).await,
            Mutation::DeleteAccount(account) => self.delete_account(account).await,
            Mutation::RenewHash { account, from, to } => self.renew_hash(account, from, to).await,
            Mutation::PurgePat { tenant, id, before } => self.purge_pat(tenant, *id, *before).await,
            Mutation::RevokePats { account, which } => self.revoke_pats(account, *which).await,
            Mutation::RotatePat {
                pat,
                digest,
                account,
                old,
                old_expires,
            } => {
                self.hand_over(*old, pat).await?;
                self.end_pat(account, *old, *old_expires).await?;
                self.create_pat(pat, digest, Some(*old)).await
            }
            Mutation::LiftLockout(account) => self.lift_lockout(account).await,
            Mutation::SetAccountPolicy(account, policy) => {
                self.set_account_policy(account, policy).await
            }
            Mutation::SetNames {
                account,
                name,
                description,
            } => self.set_names(account, name, description).await,
            Mutation::SetPassword(account, password) => self.set_password(account, password).await,
            Mutation::SetRoles(account, roles) => {
                self.set_roles(account, *roles, Roles::default()).await
            }
            Mutation::SetSecret(account, secret) => self.set_secret(account, secret.as_ref()).await,
            Mutation::SetState(account, state) => {
                self.update_state(account, state.as_str()).await?;
                self.note_account(account, change_to(*state)).await
            }
            Mutation::SetTenantPolicy(tenant, policy) => {
                self.set_tenant_policy(tenant, policy).await
            }
            Mutation::SetTenantState(tenant, state) => self.set_tenant_state(tenant, *state).await,
            Mutation::SuspendRoles(account, roles) => self.suspend_roles(account, *roles).await,
            Mutation::WarnPat { tenant, id, days } => self.warn_pat(tenant, *id, *days).await,
        }
    }

    async fn delete_account(&mut self, account: &Handle) -> Result<(), RecordsError> {
        self.update_state(account, "deleted").await?;
        let sql = "UPDATE pats SET revoked = $2 WHERE account = $1 AND revoked IS NULL \
                   RETURNING id, kind";
        let revoked = query(sql)
            .bind(account.id.raw())
            .bind(self.at.nanos())
            .fetch_all(&mut self.transaction)
            .await;
        let revoked = all(revoked, |mut columns| {
            Ok((columns.next::<i64>()?, columns.next::<String>()?))
        })?;
        self.count_revoked(revoked.iter().map(|(_, kind)| kind.as_str()));
        let revoked: Vec<_> = revoked.into_iter().map(|(id, _)| id).collect();
        self.ended
            .extend(revoked.iter().copied().map(PatId::from_raw));
        self.revoke_children(revoked).await?;
        let own = Which::Account(account.id.raw());
        self.revoke_with(own, Reason::CessationOfOperation).await?;
        self.note_account(account, Change::Deleted).await
    }

    async fn renew_hash(
        &mut self,
        account: &Handle,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> Result<(), RecordsError> {
        let sql =
            "UPDATE accounts SET password = $4 WHERE id = $1 AND tenant = $2 AND password = $3";
        query(sql)
            .bind(account.id.raw())
            .bind(account.tenant.as_str())
            .bind(&from.0)
            .bind(&to.0)
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn set_names(
        &mut self,
        account: &Handle,
        name: &str,
        description: &str,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql = "UPDATE accounts SET name = $2, description = $3, updated = $4, \
                   version = version + 1 WHERE id = $1";
        query(sql)
            .bind(account.id.raw())
            .bind(name)
            .bind(description)
            .bind(self.at.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn suspend_roles(&mut self, account: &Handle, roles: Roles) -> Result<(), RecordsError> {
        self.set_roles(account, Roles::default(), roles).await
    }

    /// To those who obey the log, suspended roles are no roles.
    async fn set_roles(
        &mut self,
        account: &Handle,
        roles: Roles,
        suspended: Roles,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql = "UPDATE accounts SET roles = $2, suspended = $3, updated = $4, \
                   version = version + 1 WHERE id = $1";
        query(sql)
            .bind(account.id.raw())
            .bind(roles.to_string())
            .bind(suspended.to_string())
            .bind(self.at.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        self.note_account(account, Change::Roles(roles)).await
    }

    async fn set_tenant_state(
        &mut self,
        tenant: &TenantId,
        state: State,
    ) -> Result<(), RecordsError> {
        let changed = query("UPDATE tenants SET state = $2 WHERE id = $1")
            .bind(tenant.as_str())
            .bind(state.as_str())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        if changed == 0 {
            return Err(RecordsError::NotFound("tenant"));
        }
        self.note(tenant, Affected::Tenant(tenant.clone()), change_to(state))
            .await
    }

    /// Sets the state of an account, if it is still at the version that the change was judged on.
    async fn update_state(&mut self, account: &Handle, state: &str) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql =
            "UPDATE accounts SET state = $2, updated = $3, version = version + 1 WHERE id = $1";
        query(sql)
            .bind(account.id.raw())
            .bind(state)
            .bind(self.at.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn set_password(
        &mut self,
        account: &Handle,
        password: &NewPassword,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql = "UPDATE accounts SET password = $2, password_provisional = $3, updated = $4, \
                   version = version + 1 WHERE id = $1";
        query(sql)
            .bind(account.id.raw())
            .bind(&password.hash.0)
            .bind(i64::from(password.is_provisional))
            .bind(self.at.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        self.end_sessions(account).await?;
        self.note_account(account, Change::Password).await
    }

    async fn lift_lockout(&mut self, account: &Handle) -> Result<(), RecordsError> {
        self.check(account).await?;
        self.note_account(account, Change::Unlocked).await
    }

    pub(super) async fn check(&mut self, account: &Handle) -> Result<(), RecordsError> {
        let sql =
            "SELECT version FROM accounts WHERE id = $1 AND tenant = $2 AND state <> 'deleted'";
        let row = query(sql)
            .bind(account.id.raw())
            .bind(account.tenant.as_str())
            .fetch_optional(&mut self.transaction)
            .await;
        match one(row, |mut columns| columns.number())? {
            None => Err(RecordsError::NotFound("account")),
            Some(version) if version != account.version => Err(RecordsError::Changed),
            Some(_) => Ok(()),
        }
    }

    /// Counts tokens of these kinds; sessions are none that their account was given.
    pub(super) fn count_revoked<'k>(&mut self, kinds: impl Iterator<Item = &'k str>) {
        let pats = kinds
            .filter(|kind| *kind == TokenKind::Pat.as_str())
            .count();
        self.applied.revoked_pats += u64::try_from(pats).unwrap_or(u64::MAX);
    }

    async fn note_account(&mut self, account: &Handle, change: Change) -> Result<(), RecordsError> {
        self.note(&account.tenant, Affected::Account(account.id), change)
            .await
    }

    /// Adds an entry to the revocation log.
    pub(super) async fn note(
        &mut self,
        tenant: &TenantId,
        subject: Affected,
        change: Change,
    ) -> Result<(), RecordsError> {
        let (account, pat, certificate) = match &subject {
            Affected::Account(id) => (Some(id.raw()), None, None),
            Affected::Certificate(serial) => (None, None, Some(serial.to_string())),
            Affected::Pat(id) => (None, Some(id.raw()), None),
            Affected::Tenant(_) => (None, None, None),
        };
        let roles = match &change {
            Change::Roles(roles) => Some(roles.to_string()),
            _ => None,
        };
        let expires = match &change {
            Change::Shortened(expiry) => Some(expiry.secs()),
            _ => None,
        };
        let bounds = match &change {
            Change::Bounds(bounds) => Some(&**bounds),
            _ => None,
        };
        let lifetime = bounds.and_then(|bounds| bounds.max_lifetime);
        let not_before = bounds.and_then(|bounds| bounds.not_before);
        let sql = "INSERT INTO revocations (at, tenant, account, pat, change, roles, expires, \
                   max_lifetime, not_before, networks, certificate) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING seq";
        let row = query(sql)
            .bind(self.at.nanos())
            .bind(tenant.as_str())
            .bind(account)
            .bind(pat)
            .bind(change.as_str())
            .bind(roles)
            .bind(expires)
            .bind(lifetime.map(|lifetime| stored(lifetime.as_secs())))
            .bind(not_before.map(Timestamp::nanos))
            .bind(bounds.map(|bounds| joined(&bounds.networks, NETWORKS)))
            .bind(certificate)
            .fetch_one(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        let seq = Columns::of(&row).number().map_err(unavailable)?;
        let (at, tenant) = (self.at, tenant.clone());
        self.applied.revocations.push(Revocation {
            seq,
            at,
            tenant,
            subject,
            change,
        });
        Ok(())
    }
}

const fn change_to(state: State) -> Change {
    match state {
        State::Active => Change::Enabled,
        State::Disabled => Change::Disabled,
    }
}
