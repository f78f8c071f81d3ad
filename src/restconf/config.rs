//! The room's settings.

use axum::http::StatusCode;

/// Where RESTCONF follows the vendor and where the RFCs (restconf-pki 2.4).
///
/// As it is by default, the vendor's clients and scripts work, and clients of the RFCs get what those say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, named as in the configuration"
)]
pub struct Config {
    /// Numbers in quotes are taken where the schema has numbers (Q1).
    pub string_numbers: bool,
    /// Below `/restconf/notif`, notifications have their content in an array, and `event-time` (Q2).
    pub notification_arrays: bool,
    /// Below `/restconf/notif`, statuses begin with a capital letter (Q3).
    pub capital_status: bool,
    /// Below `/restconf/notif`, errors have `error-tag` and `error-message` (Q4).
    pub error_leaves: bool,
    /// Below `/restconf/notif`, a session is named by `identifier` (Q5).
    pub session_identifier: bool,
    /// `auto-start` of a session is passed over where the modules do not have it (Q5).
    pub auto_start: bool,
    /// The list of streams leads to `/restconf/notif` (Q6).
    pub vendor_locations: bool,
    /// Streams take `group-id` (Q7).
    pub group_id: bool,
    /// A GET of a collection without entries is answered without a body.
    pub empty_body: bool,
    /// One POST may create several entries of a list.
    pub several_entries: bool,
    /// Bodies may be `application/json`.
    pub plain_json: bool,
    /// How the DELETE of what is not there is answered.
    pub absent_delete_status: StatusCode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            string_numbers: true,
            notification_arrays: true,
            capital_status: false,
            error_leaves: true,
            session_identifier: false,
            auto_start: true,
            vendor_locations: false,
            group_id: true,
            empty_body: false,
            several_entries: true,
            plain_json: true,
            absent_delete_status: StatusCode::CONFLICT,
        }
    }
}
