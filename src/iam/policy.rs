//! The rights table (design 4): the one place that says who may do what.

use crate::model::Class;
use crate::model::TenantId;

use super::Principal;
use super::Reach;
use super::Role;
use super::Roles;
use super::Scope;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Have a certificate signed.
    Enroll,
    /// Create, change and delete accounts and tokens.
    ManageAccounts,
    /// Read telemetry.
    Read,
    /// Read the audit trail.
    ReadAudit,
    /// Read configuration over RESTCONF.
    ReadConfig,
    /// Set the bounds on a tenant's tokens.
    SetPolicy,
    /// Write telemetry: gNMI Set.
    Write,
    /// Write configuration over RESTCONF.
    WriteConfig,
}

/// Proof that an action is allowed, and in which tenant. Only [`permit`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    action: Action,
    tenant: TenantId,
    reach: Reach,
    covers_config: bool,
}

/// Known, but not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The tenant header names another tenant than the credential's; only skylight-admin may do that.
    #[error("tenant is not the credential's own")]
    ForeignTenant,
    /// A token was to issue a token, and the configuration does not let it (iam 1, row 14).
    #[error("personal access tokens may not issue tokens here")]
    MintingOff,
    /// No role of the account allows it, or the token is narrowed.
    #[error("role does not allow {}", .action.as_str())]
    MissingRole {
        /// What was wanted.
        action: Action,
    },
    /// Somebody wanted to give what they do not have themselves.
    #[error("roles exceed the caller's own")]
    RolesExceed,
}

impl Permit {
    /// What is allowed.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Where it is allowed: the only tenant whose data may be touched.
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Whether the same is allowed with configuration, which gNMI has in one tree with telemetry.
    pub const fn covers_config(&self) -> bool {
        self.covers_config
    }

    /// What of the tenant's telemetry: the rest is not to be touched, nor told of.
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }
}

impl Action {
    /// The action in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "enrolling",
            Self::ManageAccounts => "managing accounts",
            Self::Read => "reading",
            Self::ReadAudit => "reading the audit trail",
            Self::ReadConfig => "reading configuration",
            Self::SetPolicy => "setting policy",
            Self::Write => "writing",
            Self::WriteConfig => "writing configuration",
        }
    }

    /// Whether a token that is so narrowed may do it at all. What is no telemetry has neither paths nor targets, so a
    /// token that is narrowed to some does not reach it.
    const fn fits(self, scope: &Scope) -> bool {
        match scope {
            Scope::ReadOnly => matches!(self, Self::Read | Self::ReadConfig),
            Scope::Path(_) | Scope::Target(_) => matches!(self, Self::Read | Self::Write),
        }
    }
}

impl Denied {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        Class::Denied
    }

    /// The machine word (iam 2.4).
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ForeignTenant => "tenant_mismatch",
            Self::MintingOff => "pat_minting_off",
            Self::MissingRole { .. } => "insufficient_role",
            Self::RolesExceed => "role_exceeds_caller",
        }
    }
}

/// Decides. The tenant comes from the credential; a header can only confirm it, or choose one for skylight-admin
/// (iam X1). The tenant is looked at before the role (iam 2.2).
///
/// # Errors
///
/// [`Denied`] says what is missing.
pub fn permit(
    principal: &Principal,
    action: Action,
    tenant_header: Option<&str>,
) -> Result<Permit, Denied> {
    let tenant = choose_tenant(principal, tenant_header)?;
    if is_allowed(principal.roles, &principal.scopes, action) {
        Ok(Permit {
            action,
            tenant,
            reach: Reach::of(&principal.scopes),
            covers_config: allows_on_config(principal.roles, action),
        })
    } else {
        Err(Denied::MissingRole { action })
    }
}

/// In which tenant `principal` acts that names `header` (iam X1).
pub(crate) fn choose_tenant(
    principal: &Principal,
    header: Option<&str>,
) -> Result<TenantId, Denied> {
    match header {
        Some(named) if named != principal.tenant.as_str() => {
            if principal.roles.contains(Role::SkylightAdmin) {
                Ok(TenantId::new(named))
            } else {
                Err(Denied::ForeignTenant)
            }
        }
        _ => Ok(principal.tenant.clone()),
    }
}

/// Whether what was permitted to `principal` would still be, had the account these `roles`.
pub(crate) fn still_permits(principal: &Principal, roles: Roles, permit: &Permit) -> bool {
    let own = permit.tenant == principal.tenant;
    let roles = principal.effective(roles);
    (own || roles.contains(Role::SkylightAdmin))
        && is_allowed(roles, &principal.scopes, permit.action)
        && (!permit.covers_config || allows_on_config(roles, permit.action))
}

fn is_allowed(roles: Roles, scopes: &[Scope], action: Action) -> bool {
    scopes.iter().all(|scope| action.fits(scope)) && roles.iter().any(|role| allows(role, action))
}

/// Whether the roles allow with configuration what `action` is with telemetry. A token's paths and targets stay what
/// they are: they narrow the one tree.
fn allows_on_config(roles: Roles, action: Action) -> bool {
    let action = match action {
        Action::Read => Action::ReadConfig,
        Action::Write => Action::WriteConfig,
        other => other,
    };
    roles.iter().any(|role| allows(role, action))
}

const fn allows(role: Role, action: Action) -> bool {
    match role {
        Role::SkylightAdmin | Role::TenantAdmin => true,
        Role::TenantContributor => {
            matches!(
                action,
                Action::Read | Action::ReadConfig | Action::Write | Action::WriteConfig
            )
        }
        Role::TenantUser => matches!(action, Action::Read | Action::ReadConfig),
        Role::TenantPortal => matches!(action, Action::Read),
        Role::ServiceAccountManager => matches!(action, Action::ManageAccounts),
    }
}
