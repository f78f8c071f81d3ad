//! Serial numbers of certificates.

use std::fmt;
use std::str::FromStr;

/// A certificate's serial number: positive, at most 20 bytes (RFC 5280 4.1.2.2). Small enough to be a key of a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial([u8; MAX_BYTES]);

/// The text or the bytes are no serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a serial number")]
pub struct NotASerial;

impl Serial {
    /// From the content of a DER INTEGER.
    ///
    /// # Errors
    ///
    /// [`NotASerial`] when it is zero, negative or longer than 20 bytes.
    pub fn from_der_integer(content: &[u8]) -> Result<Self, NotASerial> {
        let is_negative = content.first().is_none_or(|first| first & 0x80 != 0);
        if is_negative {
            return Err(NotASerial);
        }
        Self::from_magnitude(content)
    }

    /// From big-endian bytes without a sign; leading zeros do not count.
    ///
    /// # Errors
    ///
    /// [`NotASerial`] when it is zero or longer than 20 bytes.
    pub fn from_magnitude(bytes: &[u8]) -> Result<Self, NotASerial> {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let digits = bytes.get(zeros..).unwrap_or_default();
        let start = MAX_BYTES.checked_sub(digits.len()).ok_or(NotASerial)?;
        if digits.is_empty() {
            return Err(NotASerial);
        }
        let mut own = [0; MAX_BYTES];
        own.get_mut(start..)
            .ok_or(NotASerial)?
            .copy_from_slice(digits);
        Ok(Self(own))
    }

    /// The bytes without leading zeros, the most significant first.
    pub fn as_bytes(&self) -> &[u8] {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        self.0.get(zeros..).unwrap_or_default()
    }
}

/// Lower-case hexadecimal, two digits per byte.
impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hexadecimal in any case, as `openssl x509 -serial` prints it, or with colons, as `-text` does.
impl FromStr for Serial {
    type Err = NotASerial;

    fn from_str(text: &str) -> Result<Self, NotASerial> {
        let mut digits = Vec::with_capacity(2 * MAX_BYTES);
        for character in text.chars().filter(|character| *character != ':') {
            let digit = character.to_digit(16).ok_or(NotASerial)?;
            digits.push(u8::try_from(digit).map_err(|_| NotASerial)?);
        }
        if digits.len() > 2 * MAX_BYTES {
            return Err(NotASerial);
        }
        if digits.len() % 2 == 1 {
            digits.insert(0, 0);
        }
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        Self::from_magnitude(&bytes)
    }
}

const MAX_BYTES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_comes_back_from_its_text() {
        let serial = Serial::from_magnitude(&[0xab; 16]).unwrap();
        assert_eq!(serial.to_string().parse(), Ok(serial));
        assert_eq!(serial.to_string().to_uppercase().parse(), Ok(serial));
        assert_eq!("0a:BC".parse::<Serial>().unwrap().to_string(), "0abc");
        assert_eq!("abc".parse::<Serial>(), "0abc".parse());
        for wrong in ["", "0", "00:00", "x", "-1", &"1".repeat(41)] {
            assert_eq!(wrong.parse::<Serial>(), Err(NotASerial), "{wrong}");
        }
        assert_eq!(Serial::from_der_integer(&[0x80]), Err(NotASerial));
        assert!(Serial::from_der_integer(&[0, 0x80]).is_ok());
    }
}
