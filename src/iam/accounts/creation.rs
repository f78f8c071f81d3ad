//! New accounts.

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Issued;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::Roles;
use crate::iam::State;
use crate::iam::TenantRecord;
use crate::iam::port::Mutation;
use crate::iam::port::NewPassword;
use crate::iam::port::RecordsError;
use crate::model::Expiry;

impl Accounts {
    /// Creates an account, perhaps with a first token: both or neither.
    pub async fn create_account(
        &self,
        caller: &Caller,
        new: NewAccount,
        first_pat: Option<NewPat>,
    ) -> Result<(AccountRecord, Option<Issued>), AccountsError> {
        caller.may_manage(&new.tenant)?;
        let mut new = new.checked()?;
        let tenant = self.existing_tenant(&new.tenant).await?;
        if let Err(denied) = caller.may_grant(new.roles) {
            // A conflict is told before a missing right (iam 2.2).
            let taken = self
                .records
                .account_named(&new.tenant, &new.username)
                .await?;
            return Err(taken.map_or(denied.into(), |account| {
                RecordsError::UsernameTaken(account.kind).into()
            }));
        }
        let password = match new.password.take() {
            Some(password) => Some(self.hash(password).await?.into()),
            None => None,
        };
        let account = self.account_of(new, password.is_some())?;
        let draft = Box::pin(self.store_account(
            caller,
            (Kind::AccountCreated, account, password),
            &tenant,
            first_pat,
        ));
        draft.await
    }

    /// The record of an account that is checked.
    pub(super) fn account_of(
        &self,
        new: NewAccount,
        is_person: bool,
    ) -> Result<AccountRecord, AccountsError> {
        let now = self.time.now();
        Ok(AccountRecord {
            id: AccountId::random()?,
            tenant: new.tenant,
            kind: if is_person {
                AccountKind::Person
            } else {
                AccountKind::Machine
            },
            username: new.username,
            name: new.name,
            description: new.description,
            roles: new.roles,
            suspended: Roles::default(),
            state: State::Active,
            expires: Expiry::NEVER,
            tokens_not_before: None,
            networks: Vec::new(),
            created: now,
            updated: now,
            version: 0,
            has_secret: false,
        })
    }

    /// Stores an account under an event of this kind, perhaps with a first token.
    pub(super) async fn store_account(
        &self,
        caller: &Caller,
        (kind, account, password): (Kind, AccountRecord, Option<NewPassword>),
        tenant: &TenantRecord,
        first_pat: Option<NewPat>,
    ) -> Result<(AccountRecord, Option<Issued>), AccountsError> {
        let draft = match first_pat {
            Some(new) => {
                let parent = self.parent(caller, None).await?;
                let new = new.under(parent.as_ref());
                Some(self.draft(caller, &account, tenant, new)?)
            }
            None => None,
        };
        let pat = draft
            .as_ref()
            .map(|draft| (draft.issued.record.clone(), draft.digest));
        let mut event = self.account_event(caller, kind, &account);
        event.detail = Some(match &draft {
            Some(draft) => format!("roles {}, token {}", account.roles, draft.issued.record.id),
            None => format!("roles {}", account.roles),
        });
        let mutation = Mutation::CreateAccount {
            account: account.clone(),
            password,
            pat,
        };
        self.apply(mutation, event).await?;
        Ok((account, draft.map(|draft| draft.issued)))
    }
}
