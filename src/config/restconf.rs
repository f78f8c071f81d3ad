//! `[restconf.compat]`: where RESTCONF departs from the RFCs for the vendor's clients.

use axum::http::StatusCode;

use crate::restconf::Config;

use super::Fault;
use super::section::Section;

/// Reads `[restconf.compat]`.
pub(super) fn compat(section: &mut Section<'_, '_>) -> Config {
    let default = Config::default();
    Config {
        string_numbers: section.get(
            "string_numbers",
            default.string_numbers,
            "Whether `\"123\"` is taken where a module has a number; what is stored and shown is the number.",
        ),
        notification_arrays: section.get(
            "notification_arrays",
            default.notification_arrays,
            "Whether streams below `/restconf/notif` have a notification's content in an array, and `event-time` instead of `eventTime`.",
        ),
        capital_status: section.get(
            "capital_status",
            default.capital_status,
            "Whether streams below `/restconf/notif` say `Running` where the loaded modules say `running`.",
        ),
        error_leaves: section.get(
            "error_leaves",
            default.error_leaves,
            "Whether streams below `/restconf/notif` have `error-tag` and `error-message` where the modules have `tag` and `msg`.",
        ),
        session_identifier: section.get(
            "session_identifier",
            default.session_identifier,
            "Whether streams below `/restconf/notif` name a session by `identifier`, as in 2022, instead of `session-id`.",
        ),
        auto_start: section.get(
            "auto_start",
            default.auto_start,
            "Whether `auto-start` of a session is passed over in JSON where the loaded modules do not have it.",
        ),
        vendor_locations: section.get(
            "vendor_locations",
            default.vendor_locations,
            "Whether the list of streams leads to `/restconf/notif` instead of `/restconf/streams`.",
        ),
        group_id: section.get(
            "group_id",
            default.group_id,
            "Whether streams take the parameter `group-id`.",
        ),
        empty_body: section.get(
            "empty_body",
            default.empty_body,
            "Whether a GET of a collection without entries has no body instead of an empty object.",
        ),
        several_entries: section.get(
            "several_entries",
            default.several_entries,
            "Whether one POST may create several entries of a list, all or none.",
        ),
        plain_json: section.get(
            "plain_json",
            default.plain_json,
            "Whether bodies may be `application/json`, not only `application/yang-data+json`.",
        ),
        absent_delete_status: absent_delete_status(section, &default),
    }
}

fn absent_delete_status(section: &mut Section<'_, '_>, default: &Config) -> StatusCode {
    let status = section.get::<u64>(
        "absent_delete_status",
        u64::from(default.absent_delete_status.as_u16()),
        "How a DELETE of what is not there is answered: 409, as RFC 8040 section 7 has it, or 404.",
    );
    match status {
        404 => StatusCode::NOT_FOUND,
        409 => StatusCode::CONFLICT,
        _ => {
            section.mistake("absent_delete_status", Fault::Expected("404 or 409"));
            default.absent_delete_status
        }
    }
}
