//! The credential that an RPC's metadata carries (gnmi-authentication; iam 2.6; gnmi.md section 3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use crate::iam::Credential;
use crate::meter;
use crate::secret::Secret;

use super::error::Error;

/// What the client presents: `authorization` before `username` and `password`. `None` when it presents nothing, and
/// the certificate of its connection counts.
///
/// A bearer that fails is not made good by a password, so only one credential is returned. Empty user names and
/// passwords are nothing (pygnmi sends them beside its token); a value that is repeated is one (gnxi sends each twice).
pub(super) fn read_credential(headers: &HeaderMap) -> Result<Option<Credential>, Error> {
    if let Some(value) = single(headers, "authorization")? {
        return read_authorization(value).map(Some);
    }
    let username = single(headers, "username")?.filter(|value| !value.is_empty());
    let password = single(headers, "password")?.filter(|value| !value.is_empty());
    Ok(username
        .zip(password)
        .map(|(username, password)| Credential::Password {
            username: username.to_owned(),
            password: Secret::new(password),
        }))
}

/// The tenant that the client names. It can only confirm the credential's own, or choose one for skylight-admin.
pub(super) fn read_tenant(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    single(headers, "x-forwarded-tenant-id")
}

/// `Bearer <token>`; `Bearer Bearer <token>`, which users produce who paste the documentation's value into a client
/// that adds the word itself; `Basic`; or a bare token. The scheme's case does not count (RFC 9110 11.1).
fn read_authorization(value: &str) -> Result<Credential, Error> {
    let value = value.trim();
    if let Some(encoded) = strip_scheme(value, "basic") {
        return read_basic(encoded);
    }
    let Some(token) = strip_scheme(value, "bearer") else {
        return Ok(Credential::Bearer(Secret::new(value)));
    };
    let once = strip_scheme(token, "bearer");
    if once.is_some() {
        meter::counter(DOUBLED, "Credentials with a doubled Bearer").increment(1);
    }
    Ok(Credential::Bearer(Secret::new(once.unwrap_or(token))))
}

/// RFC 7617.
fn read_basic(encoded: &str) -> Result<Credential, Error> {
    let malformed = || Error::Metadata {
        key: "authorization",
        problem: "Basic credentials are not base64 of user:password",
    };
    let decoded = STANDARD.decode(encoded).map_err(|_| malformed())?;
    let decoded = Secret::new(String::from_utf8(decoded).map_err(|_| malformed())?);
    let (username, password) = decoded.expose().split_once(':').ok_or_else(malformed)?;
    Ok(Credential::Password {
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (first, rest) = value.split_once(' ')?;
    first
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim_start())
}

/// The one value of a key, however often it is repeated.
fn single<'a>(headers: &'a HeaderMap, key: &'static str) -> Result<Option<&'a str>, Error> {
    let mut values = headers.get_all(key).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.any(|value| value != first) {
        return Err(Error::Metadata {
            key,
            problem: "given twice, and not the same",
        });
    }
    match first.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::Metadata {
            key,
            problem: "not printable ASCII",
        }),
    }
}

const DOUBLED: &str = "tollgate_gnmi_doubled_bearer_total";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Option<Credential>, Error> {
        let mut headers = HeaderMap::new();
        for (key, value) in pairs {
            headers.append(*key, value.parse().unwrap());
        }
        read_credential(&headers)
    }

    #[track_caller]
    fn check_bearer(value: &str, expected: &str) {
        let read = read(&[
            ("authorization", value),
            ("username", "u"),
            ("password", "p"),
        ]);
        let Ok(Some(Credential::Bearer(token))) = read else {
            panic!("{value}: {read:?}")
        };
        assert_eq!(token.expose(), expected, "{value}");
    }

    #[test]
    fn bearer_comes_in_four_forms_and_before_passwords() {
        check_bearer("Bearer t", "t");
        check_bearer("bEARER   t", "t");
        check_bearer("Bearer Bearer t", "t");
        check_bearer("t", "t");
        check_bearer("Bearer Bearer Bearer t", "Bearer t");
    }

    #[test]
    fn empty_and_repeated_values_are_understood() {
        assert!(
            read(&[("username", ""), ("password", "")])
                .unwrap()
                .is_none()
        );
        let twice = [
            ("username", "u"),
            ("username", "u"),
            ("password", "p"),
            ("password", "p"),
        ];
        assert!(matches!(
            read(&twice),
            Ok(Some(Credential::Password { .. }))
        ));
        assert!(read(&[("username", "u"), ("username", "v"), ("password", "p")]).is_err());
        assert!(read(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]).is_err());
    }

    #[test]
    fn basic_is_user_and_password() {
        let read = read(&[("authorization", "Basic dTpwOnE=")]).unwrap();
        let Some(Credential::Password { username, password }) = read else {
            panic!("{read:?}")
        };
        assert_eq!((username.as_str(), password.expose()), ("u", "p:q"));
    }
}
