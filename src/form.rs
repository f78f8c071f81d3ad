//! `application/x-www-form-urlencoded`: queries, bodies, and client credentials.

/// The text is no form: a broken escape, or not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a form")]
pub struct NotAForm;

/// Names and values, decoded, in order.
///
/// # Errors
///
/// [`NotAForm`].
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, NotAForm> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// One name or value, decoded.
///
/// # Errors
///
/// [`NotAForm`].
pub fn decode(text: &str) -> Result<String, NotAForm> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| NotAForm)
}

fn digit(byte: Option<u8>) -> Result<u8, NotAForm> {
    let value = byte.and_then(|byte| char::from(byte).to_digit(16));
    value
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(NotAForm)
}

/// Encodes a value for a query.
pub fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b',') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn broken_forms_are_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert_eq!(pairs(text), Err(NotAForm), "{text}");
        }
        assert_eq!(
            pairs("a+b=c%20d&&e"),
            Ok(vec![
                ("a b".to_owned(), "c d".to_owned()),
                ("e".to_owned(), String::new())
            ])
        );
    }

    proptest! {
        #[test]
        fn values_come_back_from_their_form(value in ".*") {
            let text = format!("a={}", encode(&value));
            prop_assert_eq!(pairs(&text), Ok(vec![("a".to_owned(), value)]));
        }
    }
}
