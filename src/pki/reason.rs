//! Why a certificate is revoked.

use std::fmt;
use std::str::FromStr;

use rcgen::RevocationReason;

/// Why a certificate is revoked (RFC 5280 5.3.1): those that fit a client's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The holder changed its name or place.
    AffiliationChanged,
    /// The holder is no more.
    CessationOfOperation,
    /// Somebody else has the key. It is never certified again.
    KeyCompromise,
    /// The holder's rights, or the token that it was asked for with, were withdrawn.
    PrivilegeWithdrawn,
    /// Another has taken its place.
    Superseded,
    /// Not said.
    #[default]
    Unspecified,
}

/// The text names no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reason of RFC 5280")]
pub struct NotAReason;

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AffiliationChanged,
        Self::CessationOfOperation,
        Self::KeyCompromise,
        Self::PrivilegeWithdrawn,
        Self::Superseded,
        Self::Unspecified,
    ];

    /// The name in RFC 5280.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AffiliationChanged => "affiliationChanged",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        }
    }

    /// As it stands in a list: an unspecified one is left out (RFC 5280 5.3.1).
    pub(super) const fn coded(self) -> Option<RevocationReason> {
        match self {
            Self::AffiliationChanged => Some(RevocationReason::AffiliationChanged),
            Self::CessationOfOperation => Some(RevocationReason::CessationOfOperation),
            Self::KeyCompromise => Some(RevocationReason::KeyCompromise),
            Self::PrivilegeWithdrawn => Some(RevocationReason::PrivilegeWithdrawn),
            Self::Superseded => Some(RevocationReason::Superseded),
            Self::Unspecified => None,
        }
    }
}

impl FromStr for Reason {
    type Err = NotAReason;

    fn from_str(text: &str) -> Result<Self, NotAReason> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(NotAReason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
