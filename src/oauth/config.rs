//! The room's settings.

use std::sync::Arc;

/// What the token endpoint gives, and what introspection tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Whether people may send their password to it (RFC 6749 4.3). Programs that ask people for passwords teach them to
    /// give them away, so this is off unless wanted.
    pub password_grant: bool,
    /// Whom the answers to introspection name as audience (RFC 7662 2.2). All tokens of a gateway are for the same ones.
    pub audience: Option<Arc<str>>,
}
