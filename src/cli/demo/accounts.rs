//! The demo's tenant, its administrator, and a service account with a token.

use crate::clock::Clock;
use crate::iam::AccountId;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::PatId;
use crate::iam::Role;
use crate::iam::Standing;
use crate::iam::random_password;
use crate::model::Class;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::secret::Secret;

use super::facts::Facts;

/// What a visitor of the demo gets.
pub(super) struct Visitor {
    pub(super) tenant: TenantId,
    pub(super) admin_username: String,
    pub(super) admin_password: Secret,
    pub(super) machine_user: AccountId,
    pub(super) credential: PatId,
    pub(super) token: Secret,
}

/// Makes what is missing. A token and a password of an earlier run are kept while they count.
pub(super) async fn prepare(
    accounts: &Accounts,
    earlier: Option<&Facts>,
    clock: &Clock,
) -> Result<Visitor, AccountsError> {
    let caller = Caller::operator();
    let tenant = TenantId::new(TENANT);
    match accounts.create_tenant(&caller, TENANT).await {
        Err(error) if error.class() != Class::Conflict => return Err(error),
        _ => {}
    }
    let admin_password = administrator(accounts, &caller, &tenant, earlier).await?;
    let machine = NewAccount {
        name: "Demo export".to_owned(),
        ..NewAccount::machine(tenant.clone(), MACHINE, Role::TenantAdmin.into())
    };
    let machine = existing_or_new(accounts, &caller, machine).await?;
    let kept = kept_token(accounts, &caller, &machine, earlier).await?;
    let (credential, token) = if let Some(kept) = kept {
        kept
    } else {
        let expires = Expiry::from_secs(clock.now().secs().saturating_add(TOKEN_SECS));
        let new = NewPat::until(expires);
        let issued = accounts
            .create_pat(&caller, &tenant, machine.id, new)
            .await?;
        (issued.record.id, issued.token)
    };
    Ok(Visitor {
        tenant,
        admin_username: ADMIN.to_owned(),
        admin_password,
        machine_user: machine.id,
        credential,
        token,
    })
}

async fn administrator(
    accounts: &Accounts,
    caller: &Caller,
    tenant: &TenantId,
    earlier: Option<&Facts>,
) -> Result<Secret, AccountsError> {
    let known = accounts.account_named(caller, tenant, ADMIN).await;
    let password = match (earlier, &known) {
        (Some(earlier), Ok(_)) => return Ok(Secret::new(earlier.admin_password.as_str())),
        _ => random_password()?,
    };
    let roles = Role::SkylightAdmin.into();
    if let Ok(account) = known {
        accounts
            .set_password(caller, tenant, account.id, password.clone())
            .await?;
    } else {
        let new = NewAccount::person(tenant.clone(), ADMIN, password.clone(), roles);
        accounts.create_account(caller, new, None).await?;
    }
    Ok(password)
}

async fn existing_or_new(
    accounts: &Accounts,
    caller: &Caller,
    new: NewAccount,
) -> Result<AccountRecord, AccountsError> {
    match accounts
        .account_named(caller, &new.tenant, &new.username)
        .await
    {
        Err(error) if error.class() == Class::NotFound => {
            let (account, _) = accounts.create_account(caller, new, None).await?;
            Ok(account)
        }
        other => other,
    }
}

async fn kept_token(
    accounts: &Accounts,
    caller: &Caller,
    machine: &AccountRecord,
    earlier: Option<&Facts>,
) -> Result<Option<(PatId, Secret)>, AccountsError> {
    let Some((earlier, id)) =
        earlier.and_then(|facts| Some((facts, facts.credential_id.parse().ok()?)))
    else {
        return Ok(None);
    };
    let pats = accounts.pats(caller, &machine.tenant, machine.id).await?;
    let counts = pats
        .iter()
        .any(|pat| pat.record.id == id && matches!(pat.standing, Standing::Active(_)));
    Ok(counts.then(|| (id, Secret::new(earlier.token.as_str()))))
}

const TENANT: &str = "pca";
const ADMIN: &str = "admin";
const MACHINE: &str = "demo-export";

/// Thirty days: a demo is not looked at longer, and a token that lies about shall not live for ever.
const TOKEN_SECS: i64 = 30 * 86_400;
