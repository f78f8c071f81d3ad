//! Reading a request: its one credential in the header, and the form that its body is.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use http_body_util::Limited;
use zeroize::Zeroizing;

use crate::audit::Origin;
use crate::form;
use crate::iam::Named;
use crate::iam::RequestId;
use crate::iam::bearer_token;
use crate::model::Peer;
use crate::secret::Secret;

use super::error::Error;

/// A request without its body.
#[derive(Debug)]
pub(super) struct Incoming {
    parts: Parts,
    /// Where it comes from.
    pub(super) from: IpAddr,
    /// The same, for the audit trail.
    pub(super) origin: Origin,
    /// What its `Authorization` header says.
    pub(super) authorization: Option<Authorization>,
}

/// The credential of a header.
#[derive(Debug)]
pub(super) enum Authorization {
    /// A client's id and secret (RFC 6749 2.3.1).
    Basic(String, Secret),
    /// A token (RFC 6750 2.1).
    Bearer(Secret),
}

/// The fields of a form, each at most once (RFC 6749 3.2).
#[derive(Default)]
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Incoming {
    /// Takes a request apart; the body is not read yet.
    pub(super) fn new(request: Request) -> Result<(Self, Body), Error> {
        let (parts, body) = request.into_parts();
        let peer = parts.extensions.get::<Peer>().ok_or(Error::Internal)?;
        let from = peer.address.ip();
        let id = parts.extensions.get::<RequestId>();
        let origin = Origin::of(&parts, "https", id.map(|id| id.as_str().to_owned()));
        let authorization = authorization(&parts.headers)?;
        let incoming = Self {
            parts,
            from,
            origin,
            authorization,
        };
        Ok((incoming, body))
    }

    /// Where its credentials are presented.
    pub(super) fn source(&self) -> (IpAddr, &Origin) {
        (self.from, &self.origin)
    }

    /// The tenants that the names of the host stand for.
    pub(super) fn named(&self) -> Named<'_> {
        Named::by_host(&self.parts)
    }

    /// Reads the body.
    pub(super) async fn form(&self, body: Body) -> Result<Form, Error> {
        let media = self.parts.headers.get(CONTENT_TYPE);
        let media = media.and_then(|media| media.to_str().ok());
        let media = media.and_then(|media| media.split(';').next());
        if !media.is_some_and(|media| media.trim().eq_ignore_ascii_case(FORM)) {
            return Err(Error::InvalidRequest(
                "send application/x-www-form-urlencoded",
            ));
        }
        let body = Limited::new(body, BODY_BYTES).collect();
        let body = tokio::time::timeout(BODY_DEADLINE, body)
            .await
            .map_err(|_| Error::InvalidRequest("body did not arrive in time"))?
            .map_err(|_| Error::InvalidRequest("body broke off or is larger than 64 KiB"))?;
        Form::parse(&body.to_bytes())
    }
}

impl Form {
    fn parse(body: &[u8]) -> Result<Self, Error> {
        let malformed = Error::InvalidRequest("body is not a form");
        let text = std::str::from_utf8(body).map_err(|_| malformed)?;
        let pairs = form::pairs(text).map_err(|_| malformed)?;
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs.iter().take(index).any(|(other, _)| other == name) {
                return Err(Error::InvalidRequest("a parameter is given twice"));
            }
        }
        let fields = pairs.into_iter();
        Ok(Self(
            fields
                .map(|(name, value)| (name, Zeroizing::new(value)))
                .collect(),
        ))
    }

    /// A field that is not empty: one without a value counts as left out (RFC 6749 3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The same, where it must be there.
    pub(super) fn require(&self, name: &str, missing: &'static str) -> Result<&str, Error> {
        self.get(name).ok_or(Error::InvalidRequest(missing))
    }
}

fn authorization(headers: &HeaderMap) -> Result<Option<Authorization>, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::InvalidRequest("authorization header is given twice"));
    }
    let text = value.to_str().map_err(|_| Error::InvalidClient)?;
    if let Some(token) = bearer_token(text) {
        return Ok(Some(Authorization::Bearer(token)));
    }
    basic(text).map(Some).ok_or(Error::InvalidClient)
}

/// Both parts are written as forms are, so that they may have colons (RFC 6749 2.3.1).
fn basic(text: &str) -> Option<Authorization> {
    let (scheme, encoded) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let (id, secret) = (form::decode(id).ok()?, form::decode(secret).ok()?);
    Some(Authorization::Basic(id, Secret::new(secret)))
}

const FORM: &str = "application/x-www-form-urlencoded";

/// A form of a token and a few words needs a hundredth (iam L5).
const BODY_BYTES: usize = 64 << 10;

/// A body of one packet, over a bad line.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, Secret)> {
        match basic(value)? {
            Authorization::Basic(id, secret) => Some((id, secret)),
            Authorization::Bearer(_) => None,
        }
    }

    #[test]
    fn basic_credentials_are_two_forms() {
        // "a%3Ab:c+d%25".
        let (id, secret) = read("Basic YSUzQWI6YytkJTI1").unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("a:b", "c d%"));
        for wrong in [
            "Basic",
            "Basic !",
            "Basic YQ==",
            "Digest YTpi",
            "Basic YTolMQ==",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn form_has_each_field_once_and_empty_is_absent() {
        let form = Form::parse(b"a=1&b=&c=%C3%A4").unwrap();
        assert_eq!(form.get("a"), Some("1"));
        assert_eq!(form.get("b"), None);
        assert_eq!(form.get("c"), Some("\u{e4}"));
        assert!(Form::parse(b"a=1&a=1").is_err());
        assert!(Form::parse(b"a=%zz").is_err());
        assert!(Form::parse(b"a=\xff").is_err());
    }
}
