//! Whose data: tenant, target, origin.

use std::fmt;
use std::sync::Arc;

/// The name of a tenant: the wall that no telemetry and no account crosses.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

/// The name of a target within a tenant (gNMI spec 2.2.2.1). Empty means the gateway's own data.
///
/// Any text is a name; names with slashes occur in the wild.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(Arc<str>);

/// The schema that a path belongs to (gNMI spec 2.7.1). `openconfig` and the empty text are the same origin.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(Arc<str>);

impl TenantId {
    /// Takes a name as it is. Whether a tenant of that name exists is `iam`'s affair.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Target {
    /// Takes a name as it is.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The gateway's own data, which no target name stands for.
    pub fn own() -> Self {
        Self::default()
    }

    /// Whether this is the gateway's own data.
    pub fn is_own(&self) -> bool {
        self.0.is_empty()
    }

    /// The name; empty for the gateway's own data.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Origin {
    /// Takes a name; `openconfig` becomes the default origin.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        if &*name == DEFAULT_ORIGIN {
            Self::default()
        } else {
            Self(name)
        }
    }

    /// Whether this is the default origin, `openconfig`.
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// The name as it goes on the wire: empty for the default origin.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_own() { "(own)" } else { &self.0 })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_default() {
            DEFAULT_ORIGIN
        } else {
            &self.0
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an empty origin means (gNMI spec 2.7.1).
const DEFAULT_ORIGIN: &str = "openconfig";
