//! What a client's certificate says, as plain data.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::TenantId;
use super::Timestamp;

/// A certificate's serial number (RFC 5280 4.1.2.2): its octets without leading zeros. The text form is lower-case
/// hexadecimal, two digits for each octet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial {
    len: u8,
    octets: [u8; MOST_OCTETS],
}

/// The text or the octets are no serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a serial number of 1 to 20 octets")]
pub struct NotASerial;

/// A certificate whose chain and proof of possession have been verified, read once for its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate: what caches know it by, and the `x5t#S256` of RFC 8705 3.1.
    pub fingerprint: [u8; 32],
    /// Its serial number.
    pub serial: Serial,
    /// Who issued it, as text (RFC 4514).
    pub issuer: Arc<str>,
    /// Whom it was issued to, as text (RFC 4514).
    pub subject: Arc<str>,
    /// When it was issued, as far as it tells: it may hold from a little earlier on.
    pub issued: Timestamp,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// The last second in which it holds.
    pub not_after: Timestamp,
    /// Whose account it names. `None` when a foreign authority issued it, or when it names none.
    pub holder: Option<Holder>,
}

/// The account that a certificate names, as it was when the certificate was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account's tenant.
    pub tenant: TenantId,
    /// Its user name.
    pub username: Arc<str>,
    /// Its id, which outlives a user name; the stored number.
    pub account: i64,
    /// The names of the roles that the certificate is narrowed to. Empty: none at all.
    pub roles: Arc<[String]>,
}

impl Serial {
    /// From the octets of the number, most significant first.
    ///
    /// # Errors
    ///
    /// [`NotASerial`] when there are more than 20 (RFC 5280 4.1.2.2), leading zeros aside.
    pub fn from_octets(octets: &[u8]) -> Result<Self, NotASerial> {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let significant = octets.get(zeros..).unwrap_or_default();
        let mut serial = Self {
            len: u8::try_from(significant.len()).map_err(|_| NotASerial)?,
            octets: [0; MOST_OCTETS],
        };
        serial
            .octets
            .get_mut(..significant.len())
            .ok_or(NotASerial)?
            .copy_from_slice(significant);
        Ok(serial)
    }

    /// The octets, without leading zeros.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Takes what people paste: upper case, colons between octets, an odd number of digits.
impl FromStr for Serial {
    type Err = NotASerial;

    fn from_str(text: &str) -> Result<Self, NotASerial> {
        if text.len() > MOST_OCTETS * 3 {
            return Err(NotASerial);
        }
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotASerial);
        }
        let digits = format!("{}{digits}", if digits.len() % 2 == 1 { "0" } else { "" });
        let octets: Vec<u8> = digits
            .as_bytes()
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        Self::from_octets(&octets)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len == 0 {
            return f.write_str("00");
        }
        self.octets()
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// RFC 5280 4.1.2.2.
const MOST_OCTETS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_is_the_same_in_every_spelling() {
        let serial = Serial::from_octets(&[0, 0x0a, 0xff]).unwrap();
        assert_eq!(serial.to_string(), "0aff");
        for text in ["0aff", "AFF", "0A:FF", "00:0a:ff"] {
            assert_eq!(text.parse(), Ok(serial), "{text}");
        }
        assert_eq!("0".parse::<Serial>().unwrap().to_string(), "00");
    }

    #[test]
    fn serial_is_at_most_20_octets() {
        assert!(Serial::from_octets(&[1; 20]).is_ok());
        assert_eq!(Serial::from_octets(&[1; 21]), Err(NotASerial));
        assert_eq!(Serial::from_octets(&[1; 300]), Err(NotASerial));
        for text in ["", ":", "xy", "-1", &"1".repeat(41), "0x1"] {
            assert_eq!(text.parse::<Serial>(), Err(NotASerial), "{text}");
        }
    }
}
