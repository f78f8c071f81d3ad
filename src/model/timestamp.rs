//! The one time type.

use std::fmt;
use std::time::Duration;

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// Nanoseconds since the Unix epoch, as gNMI counts them (gNMI spec 2.2.1).
///
/// Covers the years 1678 to 2262; arithmetic saturates at the ends. Expiries beyond (9999-12-31 is in use)
/// are kept as [`crate::model::Expiry`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SEC)
    }

    /// Later by `by`.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos_of(by)))
    }

    /// Earlier by `by`.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos_of(by)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339 text with any offset.
    ///
    /// # Errors
    ///
    /// [`NotATime`] when the text is of another form, or the time does not fit.
    pub fn parse_rfc3339(text: &str) -> Result<Self, NotATime> {
        let parsed =
            time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
                .map_err(|_| NotATime)?;
        i64::try_from(parsed.unix_timestamp_nanos())
            .map(Self)
            .map_err(|_| NotATime)
    }
}

impl Timestamp {
    /// The form of HTTP's headers, to the second (RFC 9110 5.6.7). `None` beyond the year 9999.
    pub fn http_date(self) -> Option<String> {
        let at = time::OffsetDateTime::from_unix_timestamp(self.secs()).ok()?;
        at.format(HTTP_DATE).ok()
    }

    /// Parses the form of HTTP's headers. `None` when it is another.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let parsed = time::PrimitiveDateTime::parse(text, HTTP_DATE).ok()?;
        Some(Self::from_secs(parsed.assume_utc().unix_timestamp()))
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_utc_seconds(f, self.secs())
    }
}

/// The text is not RFC 3339, or lies outside the supported years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct NotATime;

/// Writes seconds since the epoch as RFC 3339 in UTC.
pub(super) fn write_utc_seconds(f: &mut fmt::Formatter<'_>, secs: i64) -> fmt::Result {
    let time = time::OffsetDateTime::from_unix_timestamp(secs).map_err(|_| fmt::Error)?;
    let date = time.date();
    write!(
        f,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn nanos_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

const NANOS_PER_SEC: i64 = 1_000_000_000;

const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read_as_they_are_written() {
        // The example of RFC 9110 5.6.7.
        let at = Timestamp::from_secs(784_111_777);
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(at.http_date().as_deref(), Some(text));
        assert_eq!(Timestamp::parse_http_date(text), Some(at));
        assert_eq!(
            Timestamp::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"),
            None
        );
    }
}
