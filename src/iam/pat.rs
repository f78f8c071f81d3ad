//! The text form of a token (iam T1, T3): `tgpat_`, `tgses_` or `tgsec_` + 43 base62 + `_` + 6 base62 of CRC32.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::Secret;

use super::id::NoRandomness;

/// Text that has the form of a token: prefix, length, alphabet and checksum are right. Whether anybody was
/// ever given it, the store knows.
#[derive(Clone, Copy)]
pub struct PatText<'a>(&'a str);

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A Personal Access Token: issued for a program, listed, kept until it is revoked.
    Pat,
    /// The short-lived bearer of somebody who has logged in.
    Session,
    /// What a service account shows at the token endpoint alone, for a session (RFC 6749 2.3.1).
    Secret,
}

/// The text has not the form of a token. Says nothing of what is wrong: that is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct Garbled;

impl<'a> PatText<'a> {
    /// Checks the form. Catches typing errors before any look-up; it is no proof of anything (iam T3).
    pub fn parse(text: &'a str) -> Result<Self, Garbled> {
        match TokenKind::of(text) {
            Some(TokenKind::Pat | TokenKind::Session) => Self::parse_any(text),
            Some(TokenKind::Secret) | None => Err(Garbled),
        }
    }

    /// The same for a client secret, which is no bearer token.
    pub(crate) fn parse_secret(text: &'a str) -> Result<Self, Garbled> {
        match TokenKind::of(text) {
            Some(TokenKind::Secret) => Self::parse_any(text),
            _ => Err(Garbled),
        }
    }

    pub(crate) fn parse_any(text: &'a str) -> Result<Self, Garbled> {
        let kind = TokenKind::of(text).ok_or(Garbled)?;
        if text.len() != LENGTH {
            return Err(Garbled);
        }
        let (covered, checksum) = text.split_at_checked(CHECKSUM_AT).ok_or(Garbled)?;
        let random = covered
            .strip_prefix(kind.prefix())
            .and_then(|rest| rest.strip_suffix('_'));
        let well_formed = random.is_some_and(|it| it.bytes().all(|b| b.is_ascii_alphanumeric()))
            && checksum.as_bytes() == checksum_of(covered.strip_suffix('_').unwrap_or_default());
        if well_formed {
            Ok(Self(text))
        } else {
            Err(Garbled)
        }
    }

    /// Whether somebody meant `text` to be a token, well-formed or not.
    pub fn is_meant(text: &str) -> bool {
        TokenKind::of(text).is_some()
    }

    /// The text, for hashing.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl TokenKind {
    /// What somebody meant `text` to be, well-formed or not.
    pub fn of(text: &str) -> Option<Self> {
        [Self::Pat, Self::Session, Self::Secret]
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
    }

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::Session => "session",
            Self::Secret => "secret",
        }
    }

    /// The word from which names of tokens are made that were given none.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Pat => "token",
            Self::Session => "session",
            Self::Secret => "secret",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Pat => "tgpat_",
            Self::Session => "tgses_",
            Self::Secret => "tgsec_",
        }
    }
}

/// Hides the token.
impl fmt::Debug for PatText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// A new token: 256 bits from the operating system (iam T1).
pub(crate) fn generate(kind: TokenKind) -> Result<Secret, NoRandomness> {
    let mut random = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *random).map_err(|_| NoRandomness)?;
    Ok(compose(kind, &random))
}

/// The last four characters, which tell tokens apart in a list: part of the checksum, not of the secret.
pub(crate) fn hint_of(token: &Secret) -> String {
    let text = token.expose();
    text.get(text.len().saturating_sub(HINT_LENGTH)..)
        .unwrap_or_default()
        .to_owned()
}

fn compose(kind: TokenKind, random: &[u8; 32]) -> Secret {
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    text.push_str(kind.prefix());
    for digit in base62(random).iter() {
        text.push(char::from(*digit));
    }
    let checksum = checksum_of(&text);
    text.push('_');
    for digit in checksum {
        text.push(char::from(digit));
    }
    Secret::new(&**text)
}

/// 256 bits as 43 digits, most significant first: the remainders of dividing the number by 62 again and again.
fn base62(bytes: &[u8; 32]) -> Zeroizing<[u8; RANDOM_LENGTH]> {
    let mut number = Zeroizing::new(*bytes);
    let mut digits = Zeroizing::new([0_u8; RANDOM_LENGTH]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u32::from(*byte);
            *byte = u8::try_from(value / BASE).unwrap_or_default();
            remainder = value % BASE;
        }
        *digit = digit_of(remainder);
    }
    digits
}

fn checksum_of(covered: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(covered.as_bytes());
    let mut digits = [0; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = digit_of(rest % BASE);
        rest /= BASE;
    }
    digits
}

fn digit_of(value: u32) -> u8 {
    usize::try_from(value)
        .ok()
        .and_then(|at| DIGITS.get(at))
        .copied()
        .unwrap_or(b'0')
}

/// Of each prefix.
const PREFIX_LENGTH: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u32 = 62;
/// 43 digits of base 62 hold 256 bits.
const RANDOM_LENGTH: usize = 43;
/// 6 digits of base 62 hold 32 bits.
const CHECKSUM_LENGTH: usize = 6;
const CHECKSUM_AT: usize = PREFIX_LENGTH + RANDOM_LENGTH + 1;
const LENGTH: usize = CHECKSUM_AT + CHECKSUM_LENGTH;
const HINT_LENGTH: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pat_is_56_characters_that_a_double_click_selects() {
        let token = generate(TokenKind::Pat).unwrap();
        let text = token.expose();
        assert_eq!(text.len(), 56);
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        );
        assert!(PatText::parse(text).is_ok());
        assert_ne!(generate(TokenKind::Pat).unwrap().expose(), text);
        assert!(text.ends_with(&hint_of(&token)));
    }

    #[test]
    fn pat_checksum_covers_everything_before_the_last_underscore() {
        let token = compose(TokenKind::Pat, &[0; 32]);
        let (covered, checksum) = token.expose().rsplit_once('_').unwrap();
        assert_eq!(covered, format!("tgpat_{}", "0".repeat(43)));
        assert_eq!(checksum.as_bytes(), checksum_of(covered));
        assert_eq!(
            format!("{:?}", PatText::parse(token.expose()).unwrap()),
            "<redacted>"
        );
    }

    #[test]
    fn secret_is_no_bearer_token() {
        let secret = compose(TokenKind::Secret, &[7; 32]);
        assert!(PatText::parse(secret.expose()).is_err());
        assert!(PatText::parse_secret(secret.expose()).is_ok());
        let pat = compose(TokenKind::Pat, &[7; 32]);
        assert!(PatText::parse_secret(pat.expose()).is_err());
    }

    #[test]
    fn pat_of_the_greatest_number_fits() {
        assert_eq!(
            compose(TokenKind::Session, &[255; 32]).expose().len(),
            LENGTH
        );
    }

    proptest! {
        #[test]
        fn pat_with_one_character_changed_is_garbled(
            random: [u8; 32],
            at in 0..LENGTH,
            to in "[0-9A-Za-z_ é]",
        ) {
            let token = compose(TokenKind::Pat, &random);
            prop_assert!(PatText::parse(token.expose()).is_ok());
            let mut changed: Vec<String> = token.expose().chars().map(String::from).collect();
            changed[at] = to;
            let changed = changed.concat();
            prop_assert_eq!(PatText::parse(&changed).is_ok(), changed == token.expose());
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in ".*") {
            prop_assert!(PatText::parse(&text).is_err());
        }
    }
}
