//! Tokens: issue, list, revoke.

use std::collections::HashMap;

use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::iam::AccountId;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::NewPat;
use crate::iam::PatDigest;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::PatText;
use crate::iam::Standing;
use crate::iam::TenantRecord;
use crate::iam::TokenKind;
use crate::iam::Use;
use crate::iam::pat;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::iam::record::latest;
use crate::iam::standing;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::request::invalid;
use super::service::handle;

/// A token just issued: the one time that its secret is seen.
#[derive(Clone, Debug)]
pub struct Issued {
    /// What is kept of it.
    pub record: PatRecord,
    /// The token itself, to be shown once.
    pub token: Secret,
}

/// A token as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatView {
    /// What is kept of it.
    pub record: PatRecord,
    /// Whether it counts now.
    pub standing: Standing,
    /// Its newest uses from different places, the newest first.
    pub uses: Vec<Use>,
}

/// A token on its way to the store.
pub(super) struct Draft {
    pub(super) issued: Issued,
    pub(super) digest: PatDigest,
}

impl Accounts {
    /// Issues a token for an account.
    pub async fn create_pat(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: AccountId,
        new: NewPat,
    ) -> Result<Issued, AccountsError> {
        let account = self.existing_for(caller, tenant, account).await?;
        caller.may_manage_tokens(&account)?;
        let tenant = self.existing_tenant(tenant).await?;
        let parent = self.parent(caller, None).await?;
        let new = new.under(parent.as_ref());
        let Draft { issued, digest } = self.draft(caller, &account, &tenant, new)?;
        let mut event = self.pat_event(caller, Kind::PatCreated, &issued.record);
        event.detail = Some(format!(
            "for account {} until {}",
            account.id, issued.record.expires
        ));
        let pat = issued.record.clone();
        let mutation = Mutation::CreatePat {
            pat,
            digest,
            version: account.version,
        };
        self.apply(mutation, event).await?;
        Ok(issued)
    }

    /// All tokens of an account, the newest first: active, expired and revoked.
    pub async fn pats(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Vec<PatView>, AccountsError> {
        let account = self.existing_for(caller, tenant, account).await?;
        if caller.id() != Some(account.id) {
            caller.may_manage(tenant)?;
        }
        let tenant = self.existing_tenant(tenant).await?;
        let pats = self.records.pats(&tenant.id, account.id).await?;
        let mut uses: HashMap<PatId, Vec<Use>> = HashMap::new();
        for (id, used) in self.records.uses(&tenant.id, account.id).await? {
            uses.entry(id).or_default().push(used);
        }
        let now = self.time.now();
        let mut view = |record: PatRecord| PatView {
            standing: standing(&record, &account, &tenant, now),
            uses: uses.remove(&record.id).unwrap_or_default(),
            record,
        };
        Ok(pats.into_iter().map(&mut view).collect())
    }

    /// Revokes a token, which ends its streams. Returns what it was. One that is revoked already is not there.
    pub async fn revoke_pat(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: PatId,
    ) -> Result<PatRecord, AccountsError> {
        let found = self.records.pat(tenant, id).await?;
        let Some(pat) = found.filter(|pat| pat.revoked.is_none()) else {
            // Who may not manage the tenant does not learn which ids there are.
            caller.may_manage(tenant)?;
            return Err(RecordsError::NotFound("token").into());
        };
        let account = self.existing_for(caller, tenant, pat.account).await?;
        caller.may_manage_tokens(&account)?;
        let event = self.pat_event(caller, Kind::PatRevoked, &pat);
        let revoked = Some(event.at);
        let mutation = Mutation::RevokePats {
            account: handle(&account),
            which: Which::One(id),
        };
        self.apply(mutation, event).await?;
        Ok(PatRecord { revoked, ..pat })
    }

    /// Revokes all tokens of an account. Returns how many that were.
    pub async fn revoke_all_pats(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<u64, AccountsError> {
        self.revoke_pats(caller, tenant, account, Which::ALL).await
    }

    /// Revokes some tokens of an account.
    pub async fn revoke_pats(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: AccountId,
        which: Which,
    ) -> Result<u64, AccountsError> {
        let account = self.existing_for(caller, tenant, account).await?;
        caller.may_manage_tokens(&account)?;
        let mut event = self.account_event(caller, Kind::PatRevoked, &account);
        event.detail = Some(match which {
            Which::One(id) => format!("token {id}"),
            Which::All {
                created_before,
                unused_since,
            } => {
                let time = |word, at: Option<Timestamp>| at.map(|at| format!(" {word} {at}"));
                let created = time("created before", created_before).unwrap_or_default();
                let unused = time("unused since", unused_since).unwrap_or_default();
                format!("all tokens of the account{created}{unused}")
            }
        });
        let mutation = Mutation::RevokePats {
            account: handle(&account),
            which,
        };
        Ok(self.make(mutation, event).await?.revoked_pats)
    }

    /// Something that happened to a token.
    pub(super) fn pat_event(&self, caller: &Caller, kind: Kind, pat: &PatRecord) -> Event {
        let subject = Subject {
            kind: pat.kind.as_str(),
            id: pat.id.to_string(),
            name: Some(pat.name.clone()),
        };
        let account = Some(pat.account.to_string());
        Event {
            account,
            ..self.event(caller, kind, &pat.tenant, subject)
        }
    }

    /// Makes a token without storing it.
    pub(super) fn draft(
        &self,
        caller: &Caller,
        account: &AccountRecord,
        tenant: &TenantRecord,
        new: NewPat,
    ) -> Result<Draft, AccountsError> {
        let new = new.checked()?;
        let now = self.time.now();
        if new.expires.is_over(now) {
            return invalid("expiration date", "is not in the future");
        }
        if tenant
            .max_pat_lifetime
            .is_some_and(|most| new.expires > latest(now, most))
        {
            return Err(AccountsError::LifetimeExceeds);
        }
        // Whoever is at the machine itself need not be slowed (iam L5).
        if caller.id().is_some()
            && let Some(retry_after) = self.throttle.charge_pat(tenant.id.clone()).wait()
        {
            return Err(AccountsError::Throttled { retry_after });
        }
        self.draft_of(TokenKind::Pat, caller, account, new)
    }

    /// Makes a token of any kind, whose times are known to be right.
    pub(super) fn draft_of(
        &self,
        kind: TokenKind,
        caller: &Caller,
        account: &AccountRecord,
        new: NewPat,
    ) -> Result<Draft, AccountsError> {
        let token = pat::generate(kind)?;
        let hint = pat::hint_of(&token);
        let digest = PatText::parse_any(token.expose())
            .map(|text| self.pepper.digest(text))
            .map_err(|_| AccountsError::NoRandomness)?;
        let name = if new.name.is_empty() {
            format!("{}-{hint}", kind.noun())
        } else {
            new.name
        };
        let record = PatRecord {
            id: PatId::random()?,
            account: account.id,
            tenant: account.tenant.clone(),
            kind,
            name,
            description: new.description,
            scopes: new.scopes,
            networks: new.networks,
            hint,
            created: self.time.now(),
            created_by: caller.id(),
            expires: new.expires,
            revoked: None,
            last_used: None,
            parent: new.parent,
        };
        Ok(Draft {
            issued: Issued { record, token },
            digest,
        })
    }

    /// The account, where the caller may know of it: its own, or one of a tenant that it manages.
    pub(super) async fn existing_for(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<AccountRecord, AccountsError> {
        if caller.id() != Some(id) {
            caller.may_manage(tenant)?;
        }
        self.existing(tenant, id).await
    }
}
