//! What a peer presents.

use std::sync::Arc;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_takes_its_scheme_in_any_case_and_nothing_else() {
        for value in ["Bearer t", "bearer t", "BEARER  t "] {
            let token = bearer_token(value).unwrap();
            assert_eq!(token.expose(), "t", "{value}");
        }
        for value in ["t", "Basic dTpw", "Bearer", ""] {
            assert!(bearer_token(value).is_none(), "{value}");
        }
        let doubled = bearer_token("Bearer Bearer t").unwrap();
        assert_eq!(doubled.expose(), "Bearer t");
    }
}
