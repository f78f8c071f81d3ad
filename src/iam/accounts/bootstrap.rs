//! The first administrator, and the last resort (iam 3.7). Both are for the operator at the machine itself.

use crate::audit::Kind;
use crate::iam::AccountKind;
use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Issued;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::NoRandomness;
use crate::iam::Role;
use crate::iam::State;
use crate::iam::password::Passwords;
use crate::iam::port::Mutation;
use crate::iam::port::NewPassword;
use crate::iam::port::PasswordHash;
use crate::iam::port::RecordsError;
use crate::model::Class;
use crate::model::TenantId;
use crate::secret::Secret;

use super::request::check_password;
use super::request::invalid;
use super::service::handle;

impl Accounts {
    /// Whether there has never been an account, in no tenant.
    pub async fn is_unused(&self) -> Result<bool, AccountsError> {
        Ok(!self.records.has_had_accounts().await?)
    }

    /// Makes the first administrator of all tenants, at home in `tenant`, which is made where it is missing. The secret is a
    /// password, which its holder must change before all else, as it has lain in a file; or the PHC string of an Argon2id
    /// hash of one, which lasts.
    pub async fn bootstrap(
        &self,
        tenant: &TenantId,
        username: &str,
        secret: &Secret,
        first_pat: Option<NewPat>,
    ) -> Result<(AccountRecord, Option<Issued>), AccountsError> {
        let hash = if secret.expose().starts_with(PHC) {
            let hash = PasswordHash(secret.expose().to_owned());
            if !Passwords::understands(&hash) {
                return invalid(
                    "password hash",
                    "is not of the form $argon2id$v=19$m=,t=,p=$$",
                );
            }
            hash.into()
        } else {
            check_password(secret)?;
            provisional(self.hash(secret.clone()).await?)
        };
        let kind = Kind::BootstrapUsed;
        self.administrator((kind, tenant, username), hash, first_pat)
            .await
    }

    /// Makes an administrator of all tenants, or gives an existing person that role, this password, and a way in: its
    /// tenant and itself are enabled, and it may come from anywhere. The password must be changed before all else.
    pub async fn recover_administrator(
        &self,
        tenant: &TenantId,
        username: &str,
        password: &Secret,
    ) -> Result<AccountRecord, AccountsError> {
        check_password(password)?;
        let caller = Caller::operator();
        let password = provisional(self.hash(password.clone()).await?);
        let known = match self.account_named(&caller, tenant, username).await {
            Err(error) if error.class() == Class::NotFound => {
                let kind = Kind::AdministratorRecovered;
                let made = self.administrator((kind, tenant, username), password, None);
                return Ok(made.await?.0);
            }
            known => known?,
        };
        if known.kind == AccountKind::Machine {
            return invalid("account", "is a service account, which has no password");
        }
        // First, so that what is told of first is what it was for.
        let event = self.account_event(&caller, Kind::AdministratorRecovered, &known);
        self.apply(Mutation::SetPassword(handle(&known), password), event)
            .await?;
        if self.existing_tenant(tenant).await?.state == State::Disabled {
            self.set_tenant_state(&caller, tenant, State::Active)
                .await?;
        }
        if known.state == State::Disabled {
            self.set_state(&caller, tenant, known.id, State::Active)
                .await?;
        }
        if !known.roles.contains(Role::SkylightAdmin) {
            let roles = known.held().iter().chain([Role::SkylightAdmin]).collect();
            self.set_roles(&caller, tenant, known.id, roles).await?;
        }
        if !known.networks.is_empty() {
            let anywhere = AccountPolicy {
                networks: Some(Vec::new()),
                ..AccountPolicy::default()
            };
            self.set_account_policy(&caller, tenant, known.id, anywhere)
                .await?;
        }
        self.existing(tenant, known.id).await
    }

    async fn administrator(
        &self,
        (kind, tenant, username): (Kind, &TenantId, &str),
        password: NewPassword,
        first_pat: Option<NewPat>,
    ) -> Result<(AccountRecord, Option<Issued>), AccountsError> {
        let caller = Caller::operator();
        match self.create_tenant(&caller, tenant.as_str()).await {
            Ok(_) | Err(AccountsError::Records(RecordsError::TenantExists)) => {}
            Err(error) => return Err(error),
        }
        let role = Role::SkylightAdmin.into();
        let new = NewAccount::machine(tenant.clone(), username, role).checked()?;
        let account = self.account_of(new, true)?;
        let tenant = self.existing_tenant(tenant).await?;
        self.store_account(&caller, (kind, account, Some(password)), &tenant, first_pat)
            .await
    }
}

fn provisional(hash: PasswordHash) -> NewPassword {
    NewPassword {
        hash,
        is_provisional: true,
    }
}

/// A password that nobody knows: 128 bits from the operating system, as hexadecimal digits.
///
/// # Errors
///
/// [`NoRandomness`] when it gives none.
pub fn random_password() -> Result<Secret, NoRandomness> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(Secret::new(format!("{:032x}", u128::from_be_bytes(bytes))))
}

/// How the PHC string of an Argon2id hash begins. A password that begins so can be given through the account API alone.
const PHC: &str = "$argon2id$";
