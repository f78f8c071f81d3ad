//! The room's settings.

/// What the token endpoint gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Whether people may send their password to it (RFC 6749 4.3). Programs that ask people for passwords teach them to
    /// give them away, so this is off unless wanted.
    pub password_grant: bool,
}
