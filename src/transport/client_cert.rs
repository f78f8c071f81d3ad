//! `Client-Cert` and `Client-Cert-Chain` (RFC 9440).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;

/// A header about a certificate is there, but not of the form that its specification gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The client's certificate and those above it; `None` when the client showed none.
pub(super) fn read_client_cert(headers: &HeaderMap) -> Result<Option<Vec<Bytes>>, Malformed> {
    let mut leaves = headers.get_all("client-cert").iter();
    let Some(leaf) = leaves.next() else {
        return Ok(None);
    };
    if leaves.next().is_some() {
        return Err(Malformed);
    }
    let mut chain = vec![read_item(text(leaf)?)?];
    for line in headers.get_all("client-cert-chain") {
        for item in text(line)?.split(',') {
            chain.push(read_item(item)?);
        }
    }
    Ok(Some(chain))
}

/// A byte sequence (RFC 9651 3.3.5). Its parameters mean nothing here.
fn read_item(text: &str) -> Result<Bytes, Malformed> {
    let text = text.trim();
    let text = text.split_once(';').map_or(text, |(item, _)| item.trim());
    let encoded = text
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'))
        .ok_or(Malformed)?;
    let decoded = STANDARD.decode(encoded).map_err(|_| Malformed)?;
    Ok(Bytes::from(decoded))
}

pub(super) fn text(value: &HeaderValue) -> Result<&str, Malformed> {
    value.to_str().map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &str)]) -> Result<Option<Vec<Bytes>>, Malformed> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        read_client_cert(&headers)
    }

    #[test]
    fn chain_follows_the_certificate() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("client-cert-chain", ":AA==:")]), Ok(None));
        let one = |byte| Bytes::from(vec![byte]);
        let read = read(&[
            ("client-cert", ":AA==:"),
            ("client-cert-chain", ":AQ==:, :Ag==:;a=1"),
            ("client-cert-chain", ":Aw==:"),
        ]);
        assert_eq!(read, Ok(Some(vec![one(0), one(1), one(2), one(3)])));
    }

    #[test]
    fn other_forms_are_malformed() {
        for value in [
            "",
            "AA==",
            ":AA==",
            ":A:",
            ":*:",
            "::::",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(read(&[("client-cert", value)]), Err(Malformed), "{value}");
        }
        let twice = [("client-cert", ":AA==:"), ("client-cert", ":AA==:")];
        assert_eq!(read(&twice), Err(Malformed));
    }
}
