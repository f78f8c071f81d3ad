//! When a credential ends.

use std::fmt;

use super::Timestamp;
use super::timestamp::NotATime;
use super::timestamp::write_utc_seconds;

/// The second from which a credential no longer holds. Reaches to the year 9999 (iam T9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(i64);

impl Expiry {
    /// 9999-12-31T23:59:59Z, which stands for "never".
    pub const NEVER: Self = Self(253_402_300_799);

    /// From whole seconds since the Unix epoch; later than [`Expiry::NEVER`] becomes that.
    pub const fn from_secs(secs: i64) -> Self {
        if secs > Self::NEVER.0 {
            Self::NEVER
        } else {
            Self(secs)
        }
    }

    /// Whole seconds since the Unix epoch.
    pub const fn secs(self) -> i64 {
        self.0
    }

    /// Whether the credential no longer holds at `now`.
    pub const fn is_over(self, now: Timestamp) -> bool {
        now.secs() >= self.0
    }

    /// Parses RFC 3339 text with any offset; sub-seconds are dropped.
    ///
    /// # Errors
    ///
    /// [`NotATime`] when the text is of another form or the year is beyond 9999.
    pub fn parse_rfc3339(text: &str) -> Result<Self, NotATime> {
        let parsed =
            time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
                .map_err(|_| NotATime)?;
        let secs = parsed.unix_timestamp();
        if secs > Self::NEVER.0 {
            Err(NotATime)
        } else {
            Ok(Self(secs))
        }
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_utc_seconds(f, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_keeps_the_year_9999() {
        let never = Expiry::parse_rfc3339("9999-12-31T23:59:59Z").unwrap();
        assert_eq!(never, Expiry::NEVER);
        assert_eq!(never.to_string(), "9999-12-31T23:59:59Z");
        assert!(Expiry::parse_rfc3339("10000-01-01T00:00:00Z").is_err());
    }

    #[test]
    fn expiry_is_over_from_its_second_on() {
        let expiry = Expiry::parse_rfc3339("2026-01-01T02:00:00+02:00").unwrap();
        let at = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        assert!(expiry.is_over(at));
        assert!(!expiry.is_over(Timestamp::from_nanos(at.nanos() - 1)));
    }
}
