//! The ids that people and machines see: opaque decimal strings of 18 or 19 digits.

use std::fmt;
use std::str::FromStr;

/// Names an account for good. Ids are never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(i64);

/// Names a Personal Access Token for good: its public side, fit for logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatId(i64);

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 18 or 19 digits")]
pub struct NotAnId;

/// The operating system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no random numbers from the operating system")]
pub struct NoRandomness;

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// A new random id. That it is new is certain only once the store has taken it.
            pub fn random() -> Result<Self, NoRandomness> {
                random_63_bit().map(Self)
            }

            /// From the stored number.
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }

            /// The id of what another issuer has made: negative, so that it is nobody's here.
            pub(crate) const fn foreign(bytes: [u8; 8]) -> Self {
                Self(i64::from_le_bytes(bytes) | i64::MIN)
            }

            /// The stored number.
            pub const fn raw(self) -> i64 {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

impl PatId {
    /// Whether another issuer has made the token.
    pub(crate) const fn is_foreign(self) -> bool {
        self.0 < 0
    }
}

id!(AccountId);
id!(PatId);

fn random_63_bit() -> Result<i64, NoRandomness> {
    loop {
        let drawn = getrandom::u64().map_err(|_| NoRandomness)? >> 1;
        // One in ninety has fewer than 18 digits and is drawn again.
        if let Some(id) = i64::try_from(drawn).ok().filter(|id| *id >= SMALLEST) {
            return Ok(id);
        }
    }
}

fn parse(text: &str) -> Result<i64, NotAnId> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAnId);
    }
    let id: i64 = text.parse().map_err(|_| NotAnId)?;
    if id < SMALLEST || text.starts_with('0') {
        Err(NotAnId)
    } else {
        Ok(id)
    }
}

/// The smallest number of 18 digits.
const SMALLEST: i64 = 100_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_has_18_or_19_digits_and_comes_back_from_its_text() {
        for _ in 0..1_000 {
            let id = AccountId::random().unwrap();
            assert!(matches!(id.to_string().len(), 18 | 19));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for wrong in [
            "",
            "1",
            "+100000000000000000",
            "0100000000000000000",
            "9223372036854775808",
        ] {
            assert_eq!(wrong.parse::<PatId>(), Err(NotAnId), "{wrong}");
        }
    }
}
