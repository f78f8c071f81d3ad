//! The identity records: tokens that end.

use std::time::Duration;

use crate::iam::AccountId;
use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::PatDigest;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::port::Handle;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Reason;
use crate::pki::port::Which as Certified;

use super::fault::unavailable;
use super::mutation::Writer;
use super::query::query;
use super::records::all;

impl Writer {
    pub(super) async fn revoke_pats(
        &mut self,
        account: &Handle,
        which: Which,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let only_one = "UPDATE pats SET revoked = $2 \
                        WHERE account = $1 AND id = $3 AND revoked IS NULL RETURNING id, kind";
        let those = "UPDATE pats SET revoked = $2 WHERE account = $1 AND revoked IS NULL \
                     AND created < $3 AND created < $4 AND coalesce(last_used, created) < $4 \
                     RETURNING id, kind";
        let end = |before: Option<Timestamp>| before.map_or(i64::MAX, Timestamp::nanos);
        let revoking = |text| query(text).bind(account.id.raw()).bind(self.at.nanos());
        let revoking = match which {
            Which::One(id) => revoking(only_one).bind(id.raw()),
            Which::All {
                created_before,
                unused_since,
            } => revoking(those)
                .bind(end(created_before))
                .bind(end(unused_since)),
        };
        let revoked = revoking.fetch_all(&mut self.transaction).await;
        let revoked = all(revoked, |mut columns| {
            Ok((columns.next::<i64>()?, columns.next::<String>()?))
        })?;
        if matches!(which, Which::One(_)) && revoked.is_empty() {
            return Err(RecordsError::NotFound("token"));
        }
        self.count_revoked(revoked.iter().map(|(_, kind)| kind.as_str()));
        for (id, _) in &revoked {
            self.tell_revoked(&account.tenant, *id).await?;
        }
        self.revoke_children(revoked.into_iter().map(|(id, _)| id).collect())
            .await
    }

    /// Revokes what was issued by tokens that are revoked, to be revoked along with them, and what was issued by those.
    pub(super) async fn revoke_children(
        &mut self,
        mut parents: Vec<i64>,
    ) -> Result<(), RecordsError> {
        let sql = "UPDATE pats SET revoked = $2 WHERE parent = $1 AND revoked IS NULL \
                   RETURNING id, kind, tenant";
        while let Some(parent) = parents.pop() {
            let children = query(sql).bind(parent).bind(self.at.nanos());
            let children = children.fetch_all(&mut self.transaction).await;
            let children = all(children, |mut columns| {
                let (id, kind) = (columns.next::<i64>()?, columns.next::<String>()?);
                Ok((id, kind, columns.tenant_id()?))
            })?;
            self.count_revoked(children.iter().map(|(_, kind, _)| kind.as_str()));
            for (id, _, tenant) in children {
                self.tell_revoked(&tenant, id).await?;
                parents.push(id);
            }
        }
        Ok(())
    }

    /// What was issued by one token goes on with the one that replaces it, and ends with that at the latest.
    pub(super) async fn hand_over(
        &mut self,
        old: PatId,
        new: &PatRecord,
    ) -> Result<(), RecordsError> {
        query("UPDATE pats SET parent = $2 WHERE parent = $1")
            .bind(old.raw())
            .bind(new.id.raw())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        let sql = "UPDATE pats SET expires = $2, warned = 0 \
                   WHERE parent = $1 AND expires > $2 AND revoked IS NULL RETURNING id, tenant";
        // What a token has issued ends with it, so that below one that fits all do.
        let mut parents = vec![new.id.raw()];
        while let Some(parent) = parents.pop() {
            let children = query(sql).bind(parent).bind(new.expires.secs());
            let children = children.fetch_all(&mut self.transaction).await;
            let children = all(children, |mut columns| {
                Ok((columns.next::<i64>()?, columns.tenant_id()?))
            })?;
            for (id, tenant) in children {
                let child = Affected::Pat(PatId::from_raw(id));
                self.note(&tenant, child, Change::Shortened(new.expires))
                    .await?;
                parents.push(id);
            }
        }
        Ok(())
    }

    async fn tell_revoked(&mut self, tenant: &TenantId, id: i64) -> Result<(), RecordsError> {
        self.note_ended(tenant, id).await?;
        let own = Certified::Token(id);
        self.revoke_with(own, Reason::PrivilegeWithdrawn).await
    }

    async fn note_ended(&mut self, tenant: &TenantId, id: i64) -> Result<(), RecordsError> {
        let id = PatId::from_raw(id);
        self.ended.push(id);
        self.note(tenant, Affected::Pat(id), Change::Revoked).await
    }

    /// A token ends then, or is revoked at once.
    pub(super) async fn end_pat(
        &mut self,
        account: &Handle,
        id: PatId,
        expires: Option<Expiry>,
    ) -> Result<(), RecordsError> {
        match expires {
            Some(expires) => self.shorten_pat(account, id, expires).await,
            None => self.revoke_pats(account, Which::One(id)).await,
        }
    }

    /// A token ends at `expires`, which is before it would have. By that all is told of its end.
    async fn shorten_pat(
        &mut self,
        account: &Handle,
        id: PatId,
        expires: Expiry,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql = "UPDATE pats SET expires = $3, warned = 0 \
                   WHERE account = $1 AND id = $2 AND revoked IS NULL";
        let changed = query(sql)
            .bind(account.id.raw())
            .bind(id.raw())
            .bind(expires.secs())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        if changed == 0 {
            return Err(RecordsError::NotFound("token"));
        }
        let change = Change::Shortened(expires);
        self.note(&account.tenant, Affected::Pat(id), change).await
    }

    /// Another client secret, or none. What was opened with the old one ends.
    pub(super) async fn set_secret(
        &mut self,
        account: &Handle,
        secret: Option<&(PatRecord, PatDigest)>,
    ) -> Result<(), RecordsError> {
        self.check(account).await?;
        let sql = "UPDATE pats SET revoked = $2 \
                   WHERE account = $1 AND kind = 'secret' AND revoked IS NULL RETURNING id";
        let ended = query(sql)
            .bind(account.id.raw())
            .bind(self.at.nanos())
            .fetch_all(&mut self.transaction)
            .await;
        let ended = all(ended, |mut columns| columns.next().map(PatId::from_raw))?;
        self.ended.extend(ended);
        self.end_sessions(account).await?;
        let sql = "UPDATE accounts SET updated = $2, version = version + 1 WHERE id = $1";
        query(sql)
            .bind(account.id.raw())
            .bind(self.at.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        match secret {
            Some((pat, digest)) => self.create_pat(pat, digest, None).await,
            None => Ok(()),
        }
    }

    /// Ends an account's sessions: they were opened with what is no longer right.
    pub(super) async fn end_sessions(&mut self, account: &Handle) -> Result<(), RecordsError> {
        let sql = "UPDATE pats SET revoked = $2 \
                   WHERE account = $1 AND kind = 'session' AND revoked IS NULL RETURNING id";
        let ended = query(sql)
            .bind(account.id.raw())
            .bind(self.at.nanos())
            .fetch_all(&mut self.transaction)
            .await;
        let ended = all(ended, |mut columns| columns.next::<i64>())?;
        for id in ended {
            self.note_ended(&account.tenant, id).await?;
        }
        Ok(())
    }

    /// Makes room for one more session: those that were over long ago go, and the oldest of too many, which ends them.
    pub(super) async fn make_room(
        &mut self,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<(), RecordsError> {
        self.forget_sessions(account).await?;
        let sql = "DELETE FROM pats WHERE id IN (SELECT id FROM pats \
                   WHERE account = $1 AND kind = 'session' \
                   ORDER BY created DESC, id LIMIT $2 OFFSET $3) RETURNING id";
        let gone = query(sql)
            .bind(account.raw())
            .bind(i64::MAX)
            .bind(MOST_SESSIONS - 1)
            .fetch_all(&mut self.transaction)
            .await;
        let gone = all(gone, |mut columns| columns.next::<i64>())?;
        for id in gone {
            self.note_ended(tenant, id).await?;
        }
        Ok(())
    }

    async fn forget_sessions(&mut self, account: AccountId) -> Result<(), RecordsError> {
        let before = self.at.saturating_sub(SESSION_MEMORY);
        let sql = "DELETE FROM pats WHERE account = $1 AND kind = 'session' \
                   AND (expires < $2 OR revoked < $3)";
        query(sql)
            .bind(account.raw())
            .bind(before.secs())
            .bind(before.nanos())
            .execute(&mut self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}

/// Sessions of one account at once: more are programs, which have Personal Access Tokens.
const MOST_SESSIONS: u32 = 100;

/// How long it is told of a session that it is over, and not that it is unknown.
const SESSION_MEMORY: Duration = Duration::from_hours(24);
