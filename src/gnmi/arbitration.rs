//! Master arbitration: of several controllers, the one with the highest election id may write
//! (gnmi-master-arbitration).

use dashmap::DashMap;

use crate::model::TenantId;
use crate::wire::proto::gnmi_ext as ext;

use super::error::Error;

/// The highest election id seen, per tenant and role. Kept in memory: after a restart the controllers elect anew.
#[derive(Debug, Default)]
pub(super) struct Arbitration {
    highest: DashMap<(TenantId, Box<str>), (u64, u64)>,
}

impl Arbitration {
    /// Lets a Set pass, or not. One without arbitration passes (gnmi-master-arbitration 3.2); a missing role is the
    /// default role.
    pub(super) fn admit(
        &self,
        tenant: &TenantId,
        claim: Option<&ext::MasterArbitration>,
    ) -> Result<(), Error> {
        let Some(claim) = claim else { return Ok(()) };
        let Some(id) = &claim.election_id else {
            return Err(Error::Field {
                field: "master_arbitration",
                problem: "election_id is missing",
            });
        };
        let role = claim.role.as_ref().map_or("", |role| role.id.as_str());
        if role.len() > MAX_ROLE_BYTES {
            return Err(Error::Field {
                field: "master_arbitration",
                problem: "role is too long",
            });
        }
        let key = (tenant.clone(), Box::from(role));
        if self.highest.len() >= MAX_ROLES && !self.highest.contains_key(&key) {
            return Err(Error::TooManyRoles(MAX_ROLES));
        }
        let claimed = (id.high, id.low);
        let mut highest = self.highest.entry(key).or_insert(claimed);
        if claimed < *highest {
            let (high, low) = *highest;
            return Err(Error::Arbitration { high, low });
        }
        *highest = claimed;
        Ok(())
    }
}

/// Roles of all tenants together: a handful per fleet of controllers, a megabyte at most.
const MAX_ROLES: usize = 10_000;

/// A role is a name.
const MAX_ROLE_BYTES: usize = 128;
