//! The id by which logs, audit and answers name a request.

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;

use crate::redact::mask;

use super::TokenKind;

/// The id by which logs, audit and answers name a request. It is short, and neither a secret nor able to break a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The client's own id, if it is one that a log can hold, or a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let given = headers.get(&HEADER).and_then(|id| id.to_str().ok());
        let id = given
            .filter(|id| (1..=LONGEST).contains(&id.len()) && id.bytes().all(fits))
            .filter(|id| TokenKind::of(id).is_none() && *mask(id) == **id)
            .map_or_else(
                // Without random numbers requests go unnamed; nothing depends on it.
                || format!("{:016x}", getrandom::u64().unwrap_or_default()),
                str::to_owned,
            );
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names an answer.
    pub fn put(&self, headers: &mut HeaderMap) {
        if let Ok(id) = HeaderValue::from_str(&self.0) {
            headers.insert(HEADER, id);
        }
    }
}

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids would be a way to fill logs. A UUID with a prefix fits.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_the_clients_where_a_log_can_hold_it() {
        let of = |given: &str| {
            let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(given).unwrap())]);
            RequestId::of(&headers)
        };
        assert_eq!(of("a-1_B.c").as_str(), "a-1_B.c");
        let token = format!("tgpat_{}_{}", "a".repeat(43), "b".repeat(6));
        for given in [
            "",
            "a b",
            &"a".repeat(LONGEST + 1),
            &token,
            &format!("x-{token}"),
        ] {
            let id = of(given);
            assert!(id.as_str() != given && id.as_str().len() == 16, "{id:?}");
        }
        let mut answer = HeaderMap::new();
        of("a-1").put(&mut answer);
        assert_eq!(answer.get(HEADER).unwrap(), "a-1");
    }
}
