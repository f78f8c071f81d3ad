//! How values are written.

use super::error::EncodingError;
use super::proto::gnmi as pb;

/// The encodings that are offered (gNMI spec 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// RFC 7159 text; the default, and mandatory.
    Json,
    /// RFC 7951 text.
    JsonIetf,
    /// The scalar fields of TypedValue.
    Proto,
}

impl Encoding {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them in the order that Capabilities lists: clients take the first that they know.
    pub const ALL: [Self; 3] = [Self::Json, Self::JsonIetf, Self::Proto];

    /// A dense number below [`Encoding::COUNT`], for tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The number on the wire.
    pub const fn number(self) -> i32 {
        match self {
            Self::Json => pb::Encoding::Json as i32,
            Self::JsonIetf => pb::Encoding::JsonIetf as i32,
            Self::Proto => pb::Encoding::Proto as i32,
        }
    }
}

/// Reads a request's encoding.
///
/// # Errors
///
/// `Unsupported` for an encoding that gNMI knows and we do not offer (gNMI spec 3.3.1), `Unknown`
/// for any other number.
pub fn parse_encoding(number: i32) -> Result<Encoding, EncodingError> {
    match pb::Encoding::try_from(number) {
        Ok(pb::Encoding::Json) => Ok(Encoding::Json),
        Ok(pb::Encoding::JsonIetf) => Ok(Encoding::JsonIetf),
        Ok(pb::Encoding::Proto) => Ok(Encoding::Proto),
        Ok(other) => Err(EncodingError::Unsupported(other.as_str_name())),
        Err(_) => Err(EncodingError::Unknown(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Class;

    #[test]
    fn encoding_round_trips_its_number() {
        for (index, encoding) in Encoding::ALL.into_iter().enumerate() {
            assert_eq!(parse_encoding(encoding.number()), Ok(encoding));
            assert_eq!(encoding.index(), index);
        }
    }

    #[test]
    fn encoding_is_refused_by_kind() {
        let ascii = parse_encoding(pb::Encoding::Ascii.into()).unwrap_err();
        assert_eq!(ascii.class(), Class::Unsupported);
        assert_eq!(ascii.to_string(), "encoding ASCII is not offered");
        assert_eq!(parse_encoding(99).unwrap_err().class(), Class::Malformed);
        assert_eq!(parse_encoding(-1), Err(EncodingError::Unknown(-1)));
    }
}
