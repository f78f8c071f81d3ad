//! `X-Forwarded-Client-Cert`, as Envoy writes it.

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::client_cert::Malformed;
use super::client_cert::text;

/// The certificate of the last element, which the proxy itself has written, and those above it. `None` when it holds
/// none: hashes and names alone prove nothing.
pub(super) fn read_xfcc(headers: &HeaderMap) -> Result<Option<Vec<Bytes>>, Malformed> {
    let Some(line) = headers
        .get_all("x-forwarded-client-cert")
        .iter()
        .next_back()
    else {
        return Ok(None);
    };
    let elements = split(text(line)?, ',')?;
    let Some(element) = elements.last() else {
        return Ok(None);
    };
    let mut leaf = None;
    let mut chain = None;
    for pair in split(element, ';')? {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Malformed);
        };
        if key.trim().eq_ignore_ascii_case("cert") {
            leaf = read_pem(value)?;
        } else if key.trim().eq_ignore_ascii_case("chain") {
            chain = read_pem(value)?;
        }
    }
    // `Chain` begins with the certificate itself.
    Ok(chain.or(leaf))
}

/// Percent-encoded PEM, between quotes or not. `None` where it is empty: a proxy that fills a template writes so.
fn read_pem(value: &str) -> Result<Option<Vec<Bytes>>, Malformed> {
    let pem: Vec<u8> = percent_decode_str(value.trim().trim_matches('"')).collect();
    if pem.is_empty() {
        return Ok(None);
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = read.map_err(|_| Malformed)?;
    if certificates.is_empty() {
        return Err(Malformed);
    }
    let bytes = |one: CertificateDer<'_>| Bytes::copy_from_slice(&one);
    Ok(Some(certificates.into_iter().map(bytes).collect()))
}

/// Splits at separators outside of quotes; in quotes a backslash quotes the next character.
fn split(text: &str, separator: char) -> Result<Vec<&str>, Malformed> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        } else if character == separator && !quoted {
            parts.extend(text.get(start..at));
            start = at + separator.len_utf8();
        }
    }
    if quoted {
        return Err(Malformed);
    }
    parts.extend(text.get(start..));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "-----BEGIN%20CERTIFICATE-----%0AAQ%3D%3D%0A-----END%20CERTIFICATE-----%0A";
    const TWO: &str = "-----BEGIN%20CERTIFICATE-----%0AAg%3D%3D%0A-----END%20CERTIFICATE-----%0A";

    fn read(value: &str) -> Result<Option<Vec<Bytes>>, Malformed> {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-client-cert", value.parse().unwrap());
        read_xfcc(&headers)
    }

    #[test]
    fn certificate_is_that_of_the_last_element() {
        let (one, two) = (Bytes::from_static(&[1]), Bytes::from_static(&[2]));
        for (value, chain) in [
            (format!("Cert=\"{ONE}\""), Some(vec![one.clone()])),
            (format!("Cert={ONE}"), Some(vec![one.clone()])),
            (
                format!("By=a;Cert=\"{TWO}\",Hash=b;cert=\"{ONE}\";Subject=\"CN=a,b;\\\"c\""),
                Some(vec![one.clone()]),
            ),
            (
                format!("Cert=\"{ONE}\";Chain=\"{ONE}{TWO}\""),
                Some(vec![one, two]),
            ),
            (format!("Cert=\"{ONE}\",Hash=b"), None),
            ("Hash=b;Subject=\"CN=a\"".to_owned(), None),
            ("Cert=\"\"".to_owned(), None),
            ("Cert=".to_owned(), None),
        ] {
            assert_eq!(read(&value), Ok(chain), "{value}");
        }
    }

    #[test]
    fn other_forms_are_malformed() {
        for value in ["", "Cert", "Cert=\"", "Cert=abc", "Hash=a;;"] {
            assert_eq!(read(value), Err(Malformed), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(value in "[ -~]{0,120}") {
            let _read = read(&value);
        }
    }
}
