//! The room's settings.

use std::time::Duration;

/// Who is given certificates, for how long, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
pub struct Config {
    /// How long a certificate holds when the request does not say.
    pub default_lifetime: Duration,
    /// The longest that a request may ask for. A day makes them short-lived: clients renew, and lists stay short.
    pub max_lifetime: Duration,
    /// A longer wish is cut to the maximum; otherwise it is refused.
    pub clip_lifetime: bool,
    /// A certificate ends with the token that it is asked for with; then it cannot be renewed with itself.
    pub end_with_token: bool,
    /// A request for no roles at all gives a certificate without rights; otherwise it is refused.
    pub allow_no_roles: bool,
    /// An expired token is answered with 401; otherwise with 403, as the vendor documents.
    pub expired_is_unauthorized: bool,
    /// How much of a certificate's life, in percent, must be over before it may be renewed with itself.
    pub renew_after_percent: u32,
    /// For so long the same request gets the same certificate.
    pub repeat_window: Duration,
    /// Requests of one account per minute, in the long run.
    pub caller_per_minute: u32,
    /// Requests of one account at once.
    pub caller_burst: u32,
    /// Requests of all per second: what the signing key does at most.
    pub per_second: u32,
    /// Where revocation lists are published, as certificates say it. `None` leaves it out.
    pub crl_url: Option<String>,
    /// How long a revocation list holds. A new one is made when something was revoked, and at half of it.
    pub crl_lifetime: Duration,
    /// Deleting an account, or revoking a token, revokes the certificates that depend on it.
    pub revoke_with_token: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // The vendor's example: 2160 hours.
            default_lifetime: Duration::from_hours(90 * 24),
            max_lifetime: Duration::from_hours(365 * 24),
            clip_lifetime: false,
            end_with_token: false,
            allow_no_roles: false,
            expired_is_unauthorized: false,
            renew_after_percent: 50,
            // A client that lost the answer tries again at once.
            repeat_window: Duration::from_mins(5),
            // A provisioning system with a thousand devices is done in two minutes.
            caller_per_minute: 600,
            caller_burst: 100,
            // 0.1 ms of processor time each: two percent of one core.
            per_second: 200,
            crl_url: None,
            crl_lifetime: Duration::from_hours(24),
            revoke_with_token: true,
        }
    }
}
