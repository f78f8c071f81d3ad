//! The id by which logs, audit and answers name a request.

use crate::redact::mask;

use super::TokenKind;

/// The client's own id, if it is one that a log can hold, or a new one.
pub fn request_id(given: Option<&str>) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    given
        .filter(|id| (1..=LONGEST).contains(&id.len()) && id.bytes().all(fits))
        .filter(|id| TokenKind::of(id).is_none() && *mask(id) == **id)
        .map_or_else(
            // Without random numbers requests go unnamed; nothing depends on it.
            || format!("{:016x}", getrandom::u64().unwrap_or_default()),
            str::to_owned,
        )
}

/// Longer ids would be a way to fill logs. A UUID with a prefix fits.
const LONGEST: usize = 128;
