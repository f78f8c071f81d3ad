//! The roles and their order.

use std::fmt;
use std::str::FromStr;

/// What an account may be, from the vendor's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Manages tokens and accounts of its own kind, and nothing else.
    ServiceAccountManager,
    /// Everything, in every tenant.
    SkylightAdmin,
    /// Everything in its own tenant.
    TenantAdmin,
    /// Reads and writes.
    TenantContributor,
    /// Reads telemetry.
    TenantPortal,
    /// Reads.
    TenantUser,
}

/// The text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct NotARole;

impl Role {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 6] = [
        Self::SkylightAdmin,
        Self::TenantAdmin,
        Self::ServiceAccountManager,
        Self::TenantContributor,
        Self::TenantUser,
        Self::TenantPortal,
    ];

    /// The name on every face.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccountManager => "service-account-manager",
            Self::SkylightAdmin => "skylight-admin",
            Self::TenantAdmin => "tenant-admin",
            Self::TenantContributor => "tenant-contributor",
            Self::TenantPortal => "tenant-portal",
            Self::TenantUser => "tenant-user",
        }
    }

    /// Whether this role is at least the other: skylight-admin > tenant-admin > {service-account-manager,
    /// tenant-contributor > tenant-user > tenant-portal} (iam 2.3).
    pub const fn covers(self, other: Self) -> bool {
        match self {
            Self::SkylightAdmin => true,
            Self::TenantAdmin => !matches!(other, Self::SkylightAdmin),
            Self::ServiceAccountManager => matches!(other, Self::ServiceAccountManager),
            Self::TenantContributor => {
                matches!(
                    other,
                    Self::TenantContributor | Self::TenantUser | Self::TenantPortal
                )
            }
            Self::TenantUser => matches!(other, Self::TenantUser | Self::TenantPortal),
            Self::TenantPortal => matches!(other, Self::TenantPortal),
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::ServiceAccountManager => 1,
            Self::SkylightAdmin => 1 << 1,
            Self::TenantAdmin => 1 << 2,
            Self::TenantContributor => 1 << 3,
            Self::TenantPortal => 1 << 4,
            Self::TenantUser => 1 << 5,
        }
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(NotARole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of roles. The text form is their names with commas between.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Whether `role` is in the set. Not the same as having its rights: a greater role has them too.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any of these is not covered by one of `others`: what may not be granted by those who hold `others`.
    pub fn exceeds(self, others: Self) -> bool {
        self.iter()
            .any(|role| !others.iter().any(|other| other.covers(role)))
    }

    /// Those that one of `others` covers.
    #[must_use]
    pub fn covered_by(self, others: Self) -> Self {
        self.iter()
            .filter(|role| others.iter().any(|other| other.covers(*role)))
            .collect()
    }

    /// The roles, the most powerful first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self(role.bit())
    }
}

impl FromStr for Roles {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(str::parse::<Role>).collect()
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(role.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_exceed_what_the_order_does_not_cover() {
        use Role::*;
        for (wanted, own, exceeds) in [
            (SkylightAdmin, SkylightAdmin, false),
            (SkylightAdmin, TenantAdmin, true),
            (ServiceAccountManager, TenantAdmin, false),
            (ServiceAccountManager, ServiceAccountManager, false),
            (TenantPortal, ServiceAccountManager, true),
            (TenantAdmin, ServiceAccountManager, true),
            (TenantPortal, TenantUser, false),
            (TenantContributor, TenantUser, true),
        ] {
            assert_eq!(
                Roles::from(wanted).exceeds(own.into()),
                exceeds,
                "{wanted} {own}"
            );
        }
        assert!(!Roles::default().exceeds(Roles::default()));
    }

    #[test]
    fn roles_are_narrowed_to_what_others_cover() {
        let wanted: Roles = "tenant-admin,tenant-user".parse().unwrap();
        for (others, left) in [
            ("skylight-admin", "tenant-admin,tenant-user"),
            ("tenant-contributor", "tenant-user"),
            ("service-account-manager", ""),
            ("", ""),
        ] {
            let others: Roles = others.parse().unwrap();
            assert_eq!(wanted.covered_by(others).to_string(), left);
        }
    }

    #[test]
    fn roles_come_back_from_their_text() {
        for bits in 0..64 {
            let roles = Roles(bits);
            assert_eq!(roles.to_string().parse(), Ok(roles));
        }
        assert_eq!("tenant-admin,".parse::<Roles>(), Err(NotARole));
    }
}
