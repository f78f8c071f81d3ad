//! On whose behalf.

use std::sync::Arc;

use crate::audit;
use crate::audit::Origin;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::Action;
use crate::iam::Denied;
use crate::iam::Principal;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::permit;
use crate::model::TenantId;

/// On whose behalf something is done, and where the request came from.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// From where, for the audit trail.
    pub origin: Origin,
}

/// Who manages.
#[derive(Clone, Debug)]
pub enum Actor {
    /// Whoever may write to the local store: may do everything.
    Operator,
    /// Somebody with a credential: may do what its roles allow.
    Principal(Arc<Principal>),
}

impl Caller {
    /// The operator at the machine itself.
    pub fn operator() -> Self {
        Self {
            actor: Actor::Operator,
            origin: Origin::default(),
        }
    }

    /// Somebody with a credential.
    pub fn principal(principal: &Arc<Principal>, origin: Origin) -> Self {
        Self {
            actor: Actor::Principal(Arc::clone(principal)),
            origin,
        }
    }

    /// May it manage in this tenant?
    pub(super) fn may_manage(&self, tenant: &TenantId) -> Result<(), Denied> {
        self.may(Action::ManageAccounts, tenant)
    }

    /// May it do this in this tenant?
    pub(super) fn may(&self, action: Action, tenant: &TenantId) -> Result<(), Denied> {
        match &self.actor {
            Actor::Operator => Ok(()),
            Actor::Principal(principal) => {
                permit(principal, action, Some(tenant.as_str())).map(drop)
            }
        }
    }

    /// May it manage tenants? Only who is at home in all of them.
    pub(super) fn may_manage_tenants(&self) -> Result<(), Denied> {
        match &self.actor {
            Actor::Operator => Ok(()),
            Actor::Principal(principal) if principal.roles.contains(Role::SkylightAdmin) => {
                permit(principal, Action::ManageAccounts, None).map(drop)
            }
            Actor::Principal(_) => Err(Denied::MissingRole {
                action: Action::ManageAccounts,
            }),
        }
    }

    /// May it bound the tenant's tokens?
    pub(super) fn may_set_policy(&self, tenant: &TenantId) -> Result<(), Denied> {
        match &self.actor {
            Actor::Operator => Ok(()),
            Actor::Principal(principal) => {
                permit(principal, Action::SetPolicy, Some(tenant.as_str())).map(drop)
            }
        }
    }

    /// May it give these roles, or touch who has them? Not if they exceed its own (design 4).
    pub(super) fn may_grant(&self, roles: Roles) -> Result<(), Denied> {
        match &self.actor {
            Actor::Principal(principal) if roles.exceeds(principal.roles) => {
                Err(Denied::RolesExceed)
            }
            Actor::Operator | Actor::Principal(_) => Ok(()),
        }
    }

    /// May it issue, list and revoke the account's tokens? A person may do so for itself.
    pub(super) fn may_manage_tokens(&self, account: &AccountRecord) -> Result<(), Denied> {
        if self.is_person(account) {
            return Ok(());
        }
        self.may_manage(&account.tenant)?;
        self.may_grant(account.held())
    }

    pub(super) fn id(&self) -> Option<AccountId> {
        match &self.actor {
            Actor::Operator => None,
            Actor::Principal(principal) => Some(principal.account),
        }
    }

    pub(super) fn as_audit(&self) -> audit::Actor {
        match &self.actor {
            Actor::Operator => audit::Actor::Operator,
            Actor::Principal(principal) => principal.as_audit(),
        }
    }

    /// Whether the caller is the person `account`, with a credential that is not narrowed.
    fn is_person(&self, account: &AccountRecord) -> bool {
        let Actor::Principal(principal) = &self.actor else {
            return false;
        };
        principal.account == account.id
            && account.kind == AccountKind::Person
            && principal.scopes.is_empty()
            && principal.networks.is_empty()
            && !account.held().exceeds(principal.roles)
    }
}
