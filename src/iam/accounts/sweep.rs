//! Revoking tokens of a whole tenant (iam 1, row 22).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::PatRecord;
use crate::iam::Standing;
use crate::iam::Sweep;
use crate::iam::Swept;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::iam::standing;
use crate::model::TenantId;

use super::request::invalid;
use super::service::handle;

impl Accounts {
    /// Counts the tenant's Personal Access Tokens that `sweep` names, and revokes them unless it is only to be told how many
    /// they are: each with an event of its own, and at most `MOST_REVOKED` at once. The rest is for the next time.
    pub async fn sweep(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        sweep: Sweep,
        is_rehearsal: bool,
    ) -> Result<Swept, AccountsError> {
        caller.may_manage(tenant)?;
        if sweep == Sweep::default() {
            return invalid("sweep", "has no condition");
        }
        let record = self.existing_tenant(tenant).await?;
        let now = self.time.now();
        let mut accounts: HashMap<AccountId, Option<AccountRecord>> = HashMap::new();
        let (mut swept, mut after) = (Swept::default(), None);
        loop {
            let page = self.records.swept(tenant, &sweep, now, after, PAGE).await?;
            for pat in &page {
                after = Some(pat.id);
                let account = match accounts.entry(pat.account) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(self.records.account(tenant, pat.account).await?)
                    }
                };
                let Some(account) = account else { continue };
                match standing(pat, account, &record, now) {
                    Standing::Active(_) | Standing::Disabled => {}
                    Standing::Expired | Standing::Revoked => continue,
                }
                if caller.may_grant(account.held()).is_err() {
                    swept.skipped += 1;
                    continue;
                }
                swept.matched += 1;
                if !is_rehearsal && swept.revoked < MOST_REVOKED {
                    swept.revoked += self.sweep_one(caller, account, pat).await?;
                }
            }
            if page.len() < PAGE as usize {
                return Ok(swept);
            }
        }
    }

    /// Revokes one token, and what was issued by it: says how many that were. What others have changed meanwhile is theirs.
    async fn sweep_one(
        &self,
        caller: &Caller,
        account: &AccountRecord,
        pat: &PatRecord,
    ) -> Result<u64, AccountsError> {
        let mut event = self.pat_event(caller, Kind::PatRevoked, pat);
        event.reason = Some("bulk_revocation");
        let mutation = Mutation::RevokePats {
            account: handle(account),
            which: Which::One(pat.id),
        };
        match self.make(mutation, event).await {
            Ok(applied) => Ok(applied.revoked_pats),
            Err(AccountsError::Records(RecordsError::Changed | RecordsError::NotFound(_))) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Tokens revoked at once: each is a transaction, and a request must be answered within seconds.
const MOST_REVOKED: u64 = 1_000;

/// Tokens per read.
const PAGE: u32 = 500;
