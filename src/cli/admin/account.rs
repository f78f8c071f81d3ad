//! `admin user` and `admin service-account`.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ipnet::IpNet;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountKind;
use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::NewAccount;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::State;
use crate::iam::port::Page;
use crate::iam::random_password;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::args::Account;
use super::args::AnyAccount;
use super::args::RecoverAdmin;
use super::args::ServiceAccount;
use super::args::User;
use super::error::AdminError;
use super::run::Desk;

/// Does what the verb says to a person.
pub(super) async fn run_user(desk: &Desk, verb: User) -> Result<Value, AdminError> {
    match verb {
        User::Any(verb) => run_any(desk, AccountKind::Person, verb).await,
        User::Create {
            tenant,
            username,
            name,
            roles,
            password_file,
        } => {
            let password = read_password(&password_file)?;
            let roles = roles.into_iter().collect();
            let new = NewAccount::person(TenantId::new(tenant), &username, password, roles);
            create(desk, NewAccount { name, ..new }).await
        }
        User::SetPassword {
            account,
            password_file,
        } => {
            let password = read_password(&password_file)?;
            let found = find(desk, AccountKind::Person, &account).await?;
            let Desk {
                accounts, caller, ..
            } = desk;
            accounts
                .set_password(caller, &found.tenant, found.id, password)
                .await?;
            Ok(view(&found))
        }
        User::Unlock { account } => {
            let found = find(desk, AccountKind::Person, &account).await?;
            desk.accounts
                .lift_lockout(&desk.caller, &found.tenant, found.id)
                .await?;
            Ok(view(&found))
        }
    }
}

/// Does what the verb says to a service account.
pub(super) async fn run_service_account(
    desk: &Desk,
    verb: ServiceAccount,
) -> Result<Value, AdminError> {
    match verb {
        ServiceAccount::Any(verb) => run_any(desk, AccountKind::Machine, verb).await,
        ServiceAccount::Create {
            tenant,
            username,
            name,
            description,
            roles,
        } => {
            let roles = roles.into_iter().collect();
            let new = NewAccount::machine(TenantId::new(tenant), &username, roles);
            create(
                desk,
                NewAccount {
                    name,
                    description,
                    ..new
                },
            )
            .await
        }
    }
}

/// Lets an administrator in again. The password is on the disk before it counts, so that it cannot be lost.
pub(super) async fn recover(desk: &Desk, args: &RecoverAdmin) -> Result<Value, AdminError> {
    let failed = |source| AdminError::PasswordOut {
        path: args.password_out.clone(),
        source,
    };
    let password = random_password().map_err(|error| AdminError::Accounts(error.into()))?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(&args.password_out)
        .and_then(|mut file| {
            writeln!(file, "{}", password.expose())?;
            file.sync_all()
        })
        .map_err(failed)?;
    let tenant = TenantId::new(args.account.tenant.as_str());
    let username = &args.account.username;
    let accounts = &desk.accounts;
    match accounts
        .recover_administrator(&tenant, username, &password)
        .await
    {
        Ok(recovered) => Ok(view(&recovered)),
        Err(error) => {
            // It is nobody's. What cannot be removed says so by lying there the next time.
            let _gone = std::fs::remove_file(&args.password_out);
            Err(error.into())
        }
    }
}

/// The account that is named, if it is of that kind.
pub(super) async fn find(
    desk: &Desk,
    kind: AccountKind,
    account: &Account,
) -> Result<AccountRecord, AdminError> {
    let found = any(desk, &account.tenant, &account.username).await?;
    if found.kind == kind {
        Ok(found)
    } else {
        Err(AdminError::OtherKind(found.kind.as_str()))
    }
}

/// The account that is named.
pub(super) async fn any(
    desk: &Desk,
    tenant: &str,
    username: &str,
) -> Result<AccountRecord, AdminError> {
    let tenant = TenantId::new(tenant);
    Ok(desk
        .accounts
        .account_named(&desk.caller, &tenant, username)
        .await?)
}

async fn run_any(desk: &Desk, kind: AccountKind, verb: AnyAccount) -> Result<Value, AdminError> {
    let Desk {
        accounts, caller, ..
    } = desk;
    match verb {
        AnyAccount::Delete(account) => {
            let found = find(desk, kind, &account).await?;
            Ok(view(
                &accounts.delete(caller, &found.tenant, found.id).await?.0,
            ))
        }
        AnyAccount::Disable(account) => set_state(desk, kind, &account, State::Disabled).await,
        AnyAccount::Enable(account) => set_state(desk, kind, &account, State::Active).await,
        AnyAccount::List { tenant } => list(desk, kind, &TenantId::new(tenant)).await,
        AnyAccount::Policy {
            account,
            networks,
            allow_any,
            tokens_not_before,
        } => {
            let found = find(desk, kind, &account).await?;
            let networks = if allow_any || !networks.is_empty() {
                Some(read_networks(&networks)?)
            } else {
                None
            };
            let policy = AccountPolicy {
                networks,
                tokens_not_before: read_not_before(desk, tokens_not_before.as_deref())?,
            };
            let changed = accounts.set_account_policy(caller, &found.tenant, found.id, policy);
            Ok(view(&changed.await?))
        }
        AnyAccount::SetRoles { account, roles } => {
            let found = find(desk, kind, &account).await?;
            let roles = roles.into_iter().collect();
            accounts
                .set_roles(caller, &found.tenant, found.id, roles)
                .await?;
            Ok(view(&AccountRecord {
                roles,
                suspended: Roles::default(),
                ..found
            }))
        }
    }
}

async fn create(desk: &Desk, new: NewAccount) -> Result<Value, AdminError> {
    let (account, _) = desk
        .accounts
        .create_account(&desk.caller, new, None)
        .await?;
    Ok(view(&account))
}

async fn set_state(
    desk: &Desk,
    kind: AccountKind,
    account: &Account,
    state: State,
) -> Result<Value, AdminError> {
    let found = find(desk, kind, account).await?;
    desk.accounts
        .set_state(&desk.caller, &found.tenant, found.id, state)
        .await?;
    Ok(view(&AccountRecord { state, ..found }))
}

async fn list(desk: &Desk, kind: AccountKind, tenant: &TenantId) -> Result<Value, AdminError> {
    let mut page = Page {
        kind: Some(kind),
        ..Page::first()
    };
    let mut listed = Vec::new();
    loop {
        let found = desk.accounts.accounts(&desk.caller, tenant, &page).await?;
        let Some(last) = found.last() else {
            return Ok(Value::Array(listed));
        };
        page.after.clone_from(&last.username);
        listed.extend(found.iter().map(view));
    }
}

fn view(account: &AccountRecord) -> Value {
    let names = |roles: Roles| roles.iter().map(Role::as_str).collect::<Vec<_>>();
    json!({
        "id": account.id.to_string(),
        "username": account.username,
        "name": account.name,
        "roles": names(account.roles),
        "suspended_roles": names(account.suspended),
        "state": account.state.as_str(),
        "networks": account.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "tokens_not_before": account.tokens_not_before.map(|at| at.to_string()),
        "created": account.created.to_string(),
    })
}

/// Networks, or single addresses.
pub(super) fn read_networks(texts: &[String]) -> Result<Vec<IpNet>, AdminError> {
    let read = |text: &String| {
        let one = text.parse::<IpAddr>().map(IpNet::from);
        one.or_else(|_| text.parse()).map_err(AdminError::Network)
    };
    texts.iter().map(read).collect()
}

/// A time, or now.
pub(super) fn read_not_before(
    desk: &Desk,
    text: Option<&str>,
) -> Result<Option<Timestamp>, AdminError> {
    match text {
        None => Ok(None),
        Some("now") => Ok(Some(desk.accounts.now())),
        Some(text) => Timestamp::parse_rfc3339(text)
            .map(Some)
            .map_err(AdminError::NotBefore),
    }
}

fn read_password(path: &Path) -> Result<Secret, AdminError> {
    let failed = |source| AdminError::Password {
        path: path.to_owned(),
        source,
    };
    let mut text = zeroize::Zeroizing::new(String::new());
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(failed)?;
    }
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}

const OWNER_ONLY: u32 = 0o600;
