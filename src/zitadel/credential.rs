//! The bearer token of a request (iam 2.1, column B).

use http::HeaderMap;
use http::Uri;
use http::header::AUTHORIZATION;

use crate::iam::bearer_token;
use crate::secret::Secret;

use super::error::Error;

/// The one `Authorization: Bearer <token>`.
pub(super) fn read_credential(headers: &HeaderMap) -> Result<Secret, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Error::MissingCredentials)?;
    if values.next().is_some() {
        return Err(Error::field("authorization header", "is given twice"));
    }
    let token = value.to_str().ok().and_then(bearer_token);
    token.ok_or(Error::WrongScheme)
}

/// Addresses end up in logs and histories: a token in one is refused, also a good one (RFC 6750 5.3).
pub(super) fn refuse_token_in(uri: &Uri) -> Result<(), Error> {
    let names_token = |pair: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        TOKEN_KEYS
            .iter()
            .any(|token| key.eq_ignore_ascii_case(token))
    };
    if uri
        .query()
        .is_some_and(|query| query.split('&').any(names_token))
    {
        return Err(Error::field("query", "must not carry a token"));
    }
    Ok(())
}

const TOKEN_KEYS: [&str; 3] = ["access_token", "authorization", "token"];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<String, Error> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        read_credential(&headers).map(|token| token.expose().to_owned())
    }

    #[test]
    fn bearer_is_the_only_scheme() {
        assert_eq!(read(&["Bearer t"]).unwrap(), "t");
        assert!(matches!(read(&[]), Err(Error::MissingCredentials)));
        for wrong in ["t", "Basic dTpw", "Bearer", ""] {
            assert!(matches!(read(&[wrong]), Err(Error::WrongScheme)), "{wrong}");
        }
        assert!(matches!(
            read(&["Bearer t", "Bearer t"]),
            Err(Error::Field { .. })
        ));
    }

    #[test]
    fn token_in_an_address_is_refused() {
        for (uri, refused) in [
            ("/x?access_token=t", true),
            ("/x?a=1&ACCESS_TOKEN=t", true),
            ("/x?a=token", false),
        ] {
            assert_eq!(
                refuse_token_in(&uri.parse().unwrap()).is_err(),
                refused,
                "{uri}"
            );
        }
    }
}
