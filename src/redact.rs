//! Masking what must not be seen in a text that is on its way to somebody: a log line, an error, an audit event.
//!
//! This is the net below [`Secret`](crate::secret::Secret), not its means: text should hold no secret in the first place
//! (iam A3, T6). It knows the forms of our tokens, of credentials in headers, of fields whose name says what they are, and
//! of passwords in addresses. A secret in no such form passes.

use std::borrow::Cow;

/// The text with every secret in it replaced. One pass; without a secret nothing is copied.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = split_at_secret(rest) {
        masked.push_str(before);
        masked.push_str(MASK);
        rest = after;
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// What comes before the first secret, and what comes after it.
fn split_at_secret(text: &str) -> Option<(&str, &str)> {
    text.bytes().enumerate().find_map(|(at, byte)| {
        let find = match byte.to_ascii_lowercase() {
            b't' => token,
            b'd' => encoded_token,
            b'b' => scheme,
            b':' => address,
            b'a' | b'c' | b'p' | b'r' | b's' => field,
            _ => return None,
        };
        let (keep, secret) = find(text.get(at..)?)?;
        let (begin, end) = (at + keep, at + keep + secret);
        Some((text.get(..begin)?, text.get(end..)?))
    })
}

/// `tgpat_…` and its kin, whole or cut short: how much of it may be seen, and how long the rest is.
fn token(text: &str) -> Option<(usize, usize)> {
    let (prefix, rest) = text.split_at_checked(TOKEN_PREFIX)?;
    let [b't', b'g', kind @ .., b'_'] = prefix.as_bytes() else {
        return None;
    };
    let secret = run(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_token = kind.iter().all(u8::is_ascii_lowercase) && secret >= SHORTEST_TOKEN;
    is_token.then_some((TOKEN_PREFIX, secret))
}

/// The same in base64, where the token stands at the beginning of what was encoded.
fn encoded_token(text: &str) -> Option<(usize, usize)> {
    let [b'd', b'G', b'd', _, _, _, _, b'f', ..] = text.as_bytes() else {
        return None;
    };
    let length = run(text, is_base64);
    (length >= ENCODED_PREFIX + SHORTEST_TOKEN).then_some((0, length))
}

/// `Bearer …`, `Basic …` (RFC 9110 11.4).
fn scheme(text: &str) -> Option<(usize, usize)> {
    SCHEMES.iter().find_map(|(name, shortest)| {
        let rest = strip(text, name)?;
        let spaces = run(rest, |byte| byte == b' ');
        let secret = run(rest.get(spaces..)?, is_base64);
        (spaces > 0 && secret >= *shortest).then_some((name.len() + spaces, secret))
    })
}

/// `://user:password@`.
fn address(text: &str) -> Option<(usize, usize)> {
    let rest = text.strip_prefix("://")?;
    let authority = run(rest, |byte| !b"/?# \"'\n".contains(&byte));
    let (user, password) = rest.get(..authority)?.rsplit_once('@')?.0.split_once(':')?;
    Some(("://".len() + user.len() + 1, password.len()))
}

/// `password=…`, `"password": "…"`, `authorization: …`, as headers, forms, JSON and `Debug` write them.
fn field(text: &str) -> Option<(usize, usize)> {
    let (name, has_words) = FIELDS
        .iter()
        .find(|(name, _)| strip(text, name).is_some())?;
    let after = text.get(name.len()..)?;
    let quote = run(after, |byte| byte == b'\\' || byte == b'"');
    let colon = after.get(quote..)?.trim_start_matches(' ');
    let value = colon.strip_prefix([':', '='])?.trim_start_matches(' ');
    let (value, length) = match value.strip_prefix('"') {
        Some(quoted) => (quoted, quoted_length(quoted)),
        None if value.starts_with("\\\"") => {
            let quoted = value.get(2..)?;
            (quoted, quoted.find("\\\"").unwrap_or(quoted.len()))
        }
        None if *has_words => (value, run(value, |byte| !b",}\"\\\r\n".contains(&byte))),
        None => (
            value,
            run(value, |byte| !b" ,;&)}]\"\\\r\n".contains(&byte)),
        ),
    };
    (length > 0).then_some((text.len() - value.len(), length))
}

/// Up to the quote that closes it; all of it where none does.
fn quoted_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes
    });
    end.unwrap_or(text.len())
}

fn strip<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (first, rest) = text.split_at_checked(name.len())?;
    first.eq_ignore_ascii_case(name).then_some(rest)
}

/// How many bytes from the beginning on are such.
fn run(text: &str, fits: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| fits(*byte)).count()
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'.' | b'~' | b'=')
}

const MASK: &str = "***";

/// `tg`, three letters for the kind, `_`.
const TOKEN_PREFIX: usize = 6;

/// Less of a token's 43 characters than this helps nobody to guess it.
const SHORTEST_TOKEN: usize = 8;

/// Six characters in base64.
const ENCODED_PREFIX: usize = 8;

/// Authentication schemes, and how long what follows must be: prose has the word too.
const SCHEMES: [(&str, usize); 2] = [("basic", 4), ("bearer", 12)];

/// Names of fields, and whether their values have words between which there is space.
const FIELDS: [(&str, bool); 9] = [
    ("access_token", false),
    ("authorization", true),
    ("client_secret", false),
    ("cookie", true),
    ("passphrase", false),
    ("password", false),
    ("passwd", false),
    ("refresh_token", false),
    ("secret", false),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "tgpat_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ_0aB1cD";

    #[test]
    fn secrets_are_masked_in_every_form() {
        let base64 = "dGdwYXRfYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=";
        for (text, masked) in [
            (format!("used {TOKEN}."), "used tgpat_***."),
            (format!("{TOKEN}{TOKEN}"), "tgpat_***"),
            (format!("{TOKEN}, {TOKEN}"), "tgpat_***, tgpat_***"),
            ("cut tgses_abcdefgh".to_owned(), "cut tgses_***"),
            (format!("x={base64}&y"), "x=***&y"),
            ("Bearer abc.def-ghi_jkl".to_owned(), "Bearer ***"),
            ("got bAsIc  dTpw!".to_owned(), "got bAsIc  ***!"),
            (
                "password=hunter2&user=anna".to_owned(),
                "password=***&user=anna",
            ),
            (
                r#"{"password":"a\"b","x":1}"#.to_owned(),
                r#"{"password":"***","x":1}"#,
            ),
            (
                r#"P { password: "a b" }"#.to_owned(),
                r#"P { password: "***" }"#,
            ),
            (
                r#"\"password\":\"ab\",1"#.to_owned(),
                r#"\"password\":\"***\",1"#,
            ),
            (
                "Authorization: Digest a b\r\nx".to_owned(),
                "Authorization: ***\r\nx",
            ),
            (
                "set-cookie: a=b; Path=/\nx".to_owned(),
                "set-cookie: ***\nx",
            ),
            (
                "postgres://u:p@host/db".to_owned(),
                "postgres://u:***@host/db",
            ),
        ] {
            assert_eq!(mask(&text), masked, "{text}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in [
            "tollgate_auth_failures_total{reason=\"unknown\"} 3",
            "token 123456789012345678 revoked",
            "bearer token is missing",
            "password is shorter than 8 characters",
            "https://host:443/api?x=1",
            "tgpat_",
            "WWW-Authenticate: Bearer realm=\"tollgate\"",
            "größer als ß",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_token_survives_whatever_stands_around_it(
            before in "\\PC{0,20}[^a-zA-Z0-9_]|",
            secret in "[0-9A-Za-z]{43}",
            after in "[^a-zA-Z0-9_]\\PC{0,20}|",
        ) {
            let text = format!("{before}tgpat_{secret}_abcdef{after}");
            prop_assert!(!mask(&text).contains(&secret));
        }

        #[test]
        fn any_text_is_masked_without_panic(text in "\\PC{0,80}") {
            let once = mask(&text).into_owned();
            prop_assert!(once.len() <= text.len() + text.len() * MASK.len());
        }
    }
}
