//! Which requests are looked at, and what is said of the others.

use super::ACCEPTED;
use super::csr;
use super::der;
use super::open;
use super::start;
use super::stored;
use crate::pki::Csr;
use crate::pki::CsrError;
use crate::pki::KeyError;
use crate::pki::KeyKind;
use crate::pki::MAX_CSR_BYTES;
use crate::pki::chain_to_pem;

#[track_caller]
fn refused(body: &[u8], expected: CsrError) {
    assert_eq!(Csr::parse(body).unwrap_err(), expected);
}

#[test]
fn csr_is_taken_in_pem_and_in_der() {
    for name in ACCEPTED {
        let pem = stored(name);
        let (one, other) = (csr(name), Csr::parse(&der(&pem)).unwrap());
        assert_eq!(one.hash(), other.hash(), "{name}");
        assert_eq!(one.key(), other.key(), "{name}");
        let expected = (name != "no-name").then_some("device-7");
        assert_eq!(one.common_name(), expected, "{name}");
    }
    assert_eq!(csr("rsa-3072").key().kind(), KeyKind::Rsa(3_072));
    assert_eq!(csr("p256-sha384").key().kind(), KeyKind::P256);
}

#[test]
fn csr_of_another_kind_of_key_is_refused() {
    for (name, error) in [
        ("dsa", KeyError::Kind),
        ("explicit-curve", KeyError::Kind),
        ("k256", KeyError::Kind),
        ("p521", KeyError::Kind),
        ("rsa-1024", KeyError::Size(1_024)),
        ("rsa-exponent-3", KeyError::Exponent),
    ] {
        refused(&stored(name), CsrError::Key(error));
    }
}

#[test]
fn csr_with_an_old_or_wrong_signature_is_refused() {
    for name in ["p256-sha1", "rsa-2048-md5", "rsa-2048-sha1"] {
        refused(&stored(name), CsrError::SignatureAlgorithm);
    }
    let good = der(&stored("p256"));
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    refused(&bad, CsrError::Signature);
    // The name is signed too.
    let at = good
        .windows(8)
        .position(|part| part == b"device-7")
        .unwrap();
    let mut bad = good;
    bad[at] = b'D';
    refused(&bad, CsrError::Signature);
}

#[test]
fn csr_with_two_names_is_refused() {
    refused(&stored("two-names"), CsrError::Name);
}

#[test]
fn what_is_no_csr_is_named() {
    let (dir, clock) = start();
    let authority = open(&dir, &clock).unwrap();
    let certificate = authority.certificate();
    refused(&certificate, CsrError::Certificate);
    refused(
        chain_to_pem(&[certificate]).as_bytes(),
        CsrError::Certificate,
    );
    let key = rcgen::KeyPair::generate().unwrap();
    refused(&key.serialize_der(), CsrError::PrivateKey);
    refused(key.serialize_pem().as_bytes(), CsrError::PrivateKey);
    let both = format!(
        "{}{}",
        String::from_utf8(stored("p256")).unwrap(),
        key.serialize_pem()
    );
    refused(both.as_bytes(), CsrError::PrivateKey);
    refused(b"", CsrError::Empty);
    refused(b"hello", CsrError::Malformed);
    refused(&vec![b' '; MAX_CSR_BYTES + 1], CsrError::TooLarge);
}

#[test]
fn pem_is_one_block_with_nothing_behind() {
    let pem = String::from_utf8(stored("p256")).unwrap();
    for good in [
        pem.replace('\n', "\r\n"),
        format!("Subject: CN = device-7\n\n{pem}\n\n  \n"),
        pem.trim_end().to_owned(),
        pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
    ] {
        assert_eq!(
            Csr::parse(good.as_bytes()).unwrap().hash(),
            csr("p256").hash()
        );
    }
    refused(
        format!("{pem}{pem}").as_bytes(),
        CsrError::Pem("has more than one block"),
    );
    refused(format!("{pem}x").as_bytes(), CsrError::Trailing);
    refused(
        pem.replace("END CERTIFICATE REQUEST", "END X").as_bytes(),
        CsrError::Pem("ends otherwise than it begins"),
    );
    refused(
        pem.replace("CERTIFICATE REQUEST", "PUBLIC KEY").as_bytes(),
        CsrError::Pem("block is of another kind"),
    );
    refused(
        pem.replacen("\nMI", "\nM!", 1).as_bytes(),
        CsrError::Pem("is not base64"),
    );
    let mut trailing = der(pem.as_bytes());
    trailing.push(0);
    refused(&trailing, CsrError::Trailing);
}

#[test]
fn csr_truncated_at_any_byte_is_refused() {
    for name in ACCEPTED {
        let pem = stored(name);
        let der = der(&pem);
        for end in 0..der.len() {
            assert!(Csr::parse(&der[..end]).is_err(), "{name} der {end}");
        }
        let text = String::from_utf8(pem).unwrap();
        for end in 0..text.trim_end().len() {
            assert!(Csr::parse(&text.as_bytes()[..end]).is_err(), "{name} {end}");
        }
    }
}

#[test]
fn est_takes_base64_without_lines() {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der(&stored("p256")));
    let broken: String = text.as_bytes().chunks(64).fold(String::new(), |all, line| {
        all + std::str::from_utf8(line).unwrap() + "\r\n"
    });
    for body in [text, broken, String::from_utf8(stored("p256")).unwrap()] {
        let parsed = Csr::parse_base64(body.as_bytes()).unwrap();
        assert_eq!(parsed.hash(), csr("p256").hash());
    }
    assert!(Csr::parse_base64(b"!!!").is_err());
}

proptest::proptest! {
    /// Whatever is sent, it is answered and not obeyed.
    #[test]
    fn csr_with_any_bytes_changed_is_refused_or_unharmed(
        at in 0_usize..400,
        to in 0_u8..,
        name in proptest::sample::select(ACCEPTED.to_vec()),
    ) {
        let mut bytes = der(&stored(name));
        let at = at % bytes.len();
        let is_same = bytes[at] == to;
        bytes[at] = to;
        proptest::prop_assert_eq!(Csr::parse(&bytes).is_ok(), is_same);
    }

    #[test]
    fn csr_of_any_bytes_is_refused(bytes in proptest::collection::vec(0_u8.., 0..512)) {
        proptest::prop_assert!(Csr::parse(&bytes).is_err());
        proptest::prop_assert!(Csr::parse_base64(&bytes).is_err());
    }
}
