//! The room's settings.

use axum::http::StatusCode;

/// Where the account API follows the vendor and where the RFCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How an expired token is answered (iam 2.3).
    pub expired_pat_status: StatusCode,
}

/// As the vendor documents it.
impl Default for Config {
    fn default() -> Self {
        Self {
            expired_pat_status: StatusCode::FORBIDDEN,
        }
    }
}
