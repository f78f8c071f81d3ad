//! The kinds of values, as text and back.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Fault;
use super::raw::Given;

/// A kind of value that a key can have.
pub(super) trait Setting: Sized {
    /// For the documentation: a word or two.
    const KIND: &'static str;

    /// Understands a given value.
    fn read(given: &Given) -> Result<Self, Fault>;

    /// Writes the value as TOML: what [`Setting::read`] understands.
    fn write(&self) -> String;
}

/// A number of bytes, written with a binary unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bytes(pub(super) u64);

impl Setting for Duration {
    const KIND: &'static str = "duration";

    fn read(given: &Given) -> Result<Self, Fault> {
        let nanos = text(given).and_then(|text| scaled(text, DURATION_UNITS));
        nanos.map(Self::from_nanos).ok_or(Fault::Expected(
            "a duration with a unit, such as \"30s\" or \"250ms\"",
        ))
    }

    fn write(&self) -> String {
        quoted(&in_units(
            u64::try_from(self.as_nanos()).unwrap_or(u64::MAX),
            DURATION_UNITS,
        ))
    }
}

impl Setting for Bytes {
    const KIND: &'static str = "size";

    fn read(given: &Given) -> Result<Self, Fault> {
        let bytes = text(given).and_then(|text| scaled(text, SIZE_UNITS));
        bytes.map(Self).ok_or(Fault::Expected(
            "a size with a unit, such as \"64KiB\" or \"4MiB\"",
        ))
    }

    fn write(&self) -> String {
        quoted(&in_units(self.0, SIZE_UNITS))
    }
}

impl Setting for u64 {
    const KIND: &'static str = "number";

    fn read(given: &Given) -> Result<Self, Fault> {
        let number = match given {
            Given::Integer(number) => Self::try_from(*number).ok(),
            Given::Word(word) => word.replace('_', "").parse().ok(),
            _ => None,
        };
        number.ok_or(Fault::Expected("a whole number"))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for bool {
    const KIND: &'static str = "true or false";

    fn read(given: &Given) -> Result<Self, Fault> {
        let fact = match given {
            Given::Bool(fact) => Some(*fact),
            Given::Word(word) => word.parse().ok(),
            _ => None,
        };
        fact.ok_or(Fault::Expected("true or false"))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for SocketAddr {
    const KIND: &'static str = "address";

    fn read(given: &Given) -> Result<Self, Fault> {
        parsed(
            given,
            "an ip address with a port, such as \"0.0.0.0:443\" or \"[::]:443\"",
        )
    }

    fn write(&self) -> String {
        shown(self)
    }
}

impl Setting for String {
    const KIND: &'static str = "text";

    fn read(given: &Given) -> Result<Self, Fault> {
        let text = text(given).filter(|text| !text.is_empty());
        text.map(Self::from).ok_or(Fault::Expected("text"))
    }

    fn write(&self) -> String {
        quoted(self)
    }
}

impl Setting for crate::pki::Name {
    const KIND: &'static str = "name";

    fn read(given: &Given) -> Result<Self, Fault> {
        parsed(given, "host names or ip addresses")
    }

    fn write(&self) -> String {
        shown(self)
    }
}

impl Setting for crate::store::PostgresUrl {
    const KIND: &'static str = "url";

    fn read(given: &Given) -> Result<Self, Fault> {
        let text = text(given).ok_or(Fault::Expected("a url"))?;
        text.parse()
            .map_err(|error: crate::store::UrlError| Fault::Refused(error.to_string()))
    }

    fn write(&self) -> String {
        shown(self)
    }
}

impl Setting for PathBuf {
    const KIND: &'static str = "path";

    fn read(given: &Given) -> Result<Self, Fault> {
        let path = text(given).filter(|path| !path.is_empty() && !path.contains('\0'));
        path.map(Self::from).ok_or(Fault::Expected("a path"))
    }

    fn write(&self) -> String {
        shown(self.display())
    }
}

/// A list. Without TOML's brackets (environment, flag) it is separated by commas.
impl<T: Setting> Setting for Vec<T> {
    const KIND: &'static str = "list";

    fn read(given: &Given) -> Result<Self, Fault> {
        match given {
            Given::List(values) => values.iter().map(T::read).collect(),
            Given::Word(word) => word
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| T::read(&Given::Word(part.to_owned())))
                .collect(),
            _ => Err(Fault::Expected("a list in brackets")),
        }
    }

    fn write(&self) -> String {
        let values: Vec<_> = self.iter().map(T::write).collect();
        format!("[{}]", values.join(", "))
    }
}

/// The text of a value that is text.
pub(super) fn text(given: &Given) -> Option<&str> {
    match given {
        Given::Text(text) | Given::Word(text) => Some(text),
        _ => None,
    }
}

/// As a TOML string. JSON's escapes are a subset of TOML's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn shown(value: impl Display) -> String {
    quoted(&value.to_string())
}

pub(super) fn parsed<T: std::str::FromStr>(
    given: &Given,
    expected: &'static str,
) -> Result<T, Fault> {
    text(given)
        .and_then(|text| text.parse().ok())
        .ok_or(Fault::Expected(expected))
}

/// A whole number and one unit: `30s`.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// In the largest unit that leaves a whole number.
fn in_units(number: u64, units: &[(&str, u64)]) -> String {
    let whole = |(_, factor): &&(&str, u64)| number != 0 && number.is_multiple_of(*factor);
    match units.iter().filter(whole).max_by_key(|(_, factor)| factor) {
        Some((name, factor)) => format!("{}{name}", number / factor),
        None => format!("0{}", units.first().map_or("", |(name, _)| name)),
    }
}

const DURATION_UNITS: &[(&str, u64)] = &[
    ("s", 1_000_000_000),
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const SIZE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];
