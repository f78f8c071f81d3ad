//! A new token for an old one, with time to switch.

use std::time::Duration;

use ipnet::IpNet;

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Issued;
use crate::iam::NewPat;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::Scope;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::record::latest;
use crate::model::Expiry;
use crate::model::TenantId;

use super::request::invalid;
use super::service::handle;

/// How a token is to be replaced.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// How long the old one holds on; zero revokes it at once. At most seven days.
    pub overlap: Duration,
    /// When the new one ends; `None` gives it the lifetime that the old one had.
    pub expires: Option<Expiry>,
    /// What the new one is called; empty gets a generated name.
    pub name: String,
    /// What the new one is narrowed to; `None` is what the old one is.
    pub scopes: Option<Vec<Scope>>,
    /// Where the new one may be used from; `None` is where the old one may.
    pub networks: Option<Vec<IpNet>>,
}

impl Accounts {
    /// Issues a token with the description, scopes and networks of `old`, which ends after the overlap, or when it
    /// would have anyway. Both or neither. Returns the new one and when the old one ends.
    pub async fn rotate_pat(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: AccountId,
        old: PatId,
        rotation: Rotation,
    ) -> Result<(Issued, Expiry), AccountsError> {
        if rotation.overlap > MOST_OVERLAP {
            return invalid("overlap", "is longer than 7 days");
        }
        let account = self.existing_for(caller, tenant, account).await?;
        let found = self.records.pat(tenant, old).await?;
        let now = self.time.now();
        let old = found
            .filter(|pat| pat.account == account.id && pat.revoked.is_none())
            .filter(|pat| !pat.expires.is_over(now))
            .ok_or(RecordsError::NotFound("token"))?;
        caller.may_manage_tokens(&account)?;
        let tenant = self.existing_tenant(tenant).await?;
        let new = NewPat {
            name: rotation.name,
            description: old.description.clone(),
            expires: rotation.expires.unwrap_or_else(|| self.as_long_as(&old)),
            scopes: rotation.scopes.unwrap_or_else(|| old.scopes.clone()),
            networks: rotation.networks.unwrap_or_else(|| old.networks.clone()),
            parent: old.parent,
        };
        let parent = self.parent(caller, Some(&old)).await?;
        let new = new.under(parent.as_ref());
        let draft = self.draft(caller, &account, &tenant, new)?;
        let old_ends = latest(now, rotation.overlap).min(old.expires);
        let mut event = self.pat_event(caller, Kind::PatRotated, &old);
        event.detail = Some(format!(
            "to token {} until {}, old ends {old_ends}",
            draft.issued.record.id, draft.issued.record.expires
        ));
        let mutation = Mutation::RotatePat {
            pat: draft.issued.record.clone(),
            digest: draft.digest,
            account: handle(&account),
            old: old.id,
            old_expires: (!rotation.overlap.is_zero()).then_some(old_ends),
        };
        self.apply(mutation, event).await?;
        Ok((draft.issued, old_ends))
    }

    /// The lifetime of `pat`, counted from now.
    fn as_long_as(&self, pat: &PatRecord) -> Expiry {
        if pat.expires == Expiry::NEVER {
            return Expiry::NEVER;
        }
        let lifetime = pat.expires.secs().saturating_sub(pat.created.secs());
        Expiry::from_secs(self.time.now().secs().saturating_add(lifetime))
    }
}

/// Longer would be two tokens, not a rotation.
const MOST_OVERLAP: Duration = Duration::from_hours(7 * 24);
