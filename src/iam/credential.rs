//! What a peer presents.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::model::ClientCertificate;
use crate::secret::Secret;

/// What a peer presents to be let in, as it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A bearer token.
    Bearer(Secret),
    /// A certificate that the TLS layer has verified, shown on the connection that carries the request.
    Certificate(Arc<ClientCertificate>),
    /// A user name and a password; the password may be a PAT (iam 2.6).
    Password {
        /// `user` or `user@tenant`; with a PAT also `token`.
        username: String,
        /// The password.
        password: Secret,
    },
}

/// The token of an `Authorization: Bearer` header, read strictly. The scheme's case does not count (RFC 9110 11.1); a
/// bare token and every other scheme are no credential here. Of a doubled scheme the second is part of a token that
/// nobody has.
pub fn bearer_token(header: &str) -> Option<Secret> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(token.trim_start()))
}

/// The user name and password of an `Authorization: Basic` header (RFC 7617); a token may stand in the password's place.
pub fn basic_password(header: &str) -> Option<Credential> {
    let (scheme, digits) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Zeroizing::new(STANDARD.decode(digits.trim()).ok()?);
    let (username, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some(Credential::Password {
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_taken_in_any_case_and_nothing_else() {
        for value in ["Bearer t", "bearer t", "BEARER  t "] {
            let token = bearer_token(value).unwrap();
            assert_eq!(token.expose(), "t", "{value}");
        }
        for value in ["t", "Basic dTpw", "Bearer", ""] {
            assert!(bearer_token(value).is_none(), "{value}");
        }
        let basic = basic_password("basic YW5uYTphOmI=").unwrap();
        let Credential::Password { username, password } = basic else {
            panic!("{basic:?}");
        };
        assert_eq!((&*username, password.expose()), ("anna", "a:b"));
        for value in ["Basic", "Basic !", "Basic YW5uYQ==", "Bearer YW5uYTphOmI="] {
            assert!(basic_password(value).is_none(), "{value}");
        }
        let doubled = bearer_token("Bearer Bearer t").unwrap();
        assert_eq!(doubled.expose(), "Bearer t");
    }
}
