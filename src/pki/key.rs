//! Public keys that may be certified.

use std::fmt;

use rcgen::PKCS_ECDSA_P256_SHA256;
use rcgen::PKCS_ECDSA_P384_SHA384;
use rcgen::PKCS_ED25519;
use rcgen::PKCS_RSA_SHA256;
use rcgen::PublicKeyData;
use rcgen::SignatureAlgorithm;
use rustls::pki_types::AlgorithmIdentifier;
use rustls::pki_types::alg_id;
use sha2::Digest as _;
use sha2::Sha256;

/// A key of an accepted kind and strength, as the exact bytes of its SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    kind: KeyKind,
    /// The content of the BIT STRING.
    bits: Vec<u8>,
}

/// The kinds of keys that are certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RFC 8410.
    Ed25519,
    /// NIST's curve of 256 bits.
    P256,
    /// NIST's curve of 384 bits.
    P384,
    /// RSA with a modulus of so many bits.
    Rsa(usize),
}

/// Why a key is not certified (restconf-pki 3.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The operator's list has it, or it is a key of the gateway itself.
    #[error("key is blocked")]
    Blocked,
    /// It is not written as the standards say.
    #[error("public key is malformed")]
    Encoding,
    /// The exponent of an RSA key is even, too small or too large.
    #[error("rsa exponent is not an odd number from 65537 to 2^32")]
    Exponent,
    /// Another kind of key.
    #[error("key is not rsa, p-256, p-384 or ed25519")]
    Kind,
    /// The modulus of an RSA key has another size.
    #[error("rsa key has {0} bits, not 2048 to 4096")]
    Size(usize),
    /// An RSA key that is known to be easy to factor.
    #[error("rsa key is weak")]
    Weak,
}

impl PublicKey {
    /// Checks a SubjectPublicKeyInfo. Named curves only: the algorithm must be written exactly as the standards do, so
    /// parameters of one's own, with which a key can be forged, have no way in.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says which rule it breaks.
    pub fn check(spki: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, bits) = yasna::parse_der(spki, |reader| {
            reader.read_sequence(|reader| {
                let algorithm = reader.next().read_der()?;
                Ok((algorithm, reader.next().read_bitvec_bytes()?))
            })
        })
        .map_err(|_| KeyError::Encoding)?;
        let (bits, count) = bits;
        if count != bits.len() * 8 {
            return Err(KeyError::Encoding);
        }
        let is = |id: AlgorithmIdentifier| is_algorithm(&algorithm, id);
        let kind = if is(alg_id::ECDSA_P256) {
            check_point(&bits, P256_BYTES)?;
            KeyKind::P256
        } else if is(alg_id::ECDSA_P384) {
            check_point(&bits, P384_BYTES)?;
            KeyKind::P384
        } else if is(alg_id::ED25519) {
            let fits = bits.len() == ED25519_BYTES;
            fits.then_some(KeyKind::Ed25519).ok_or(KeyError::Encoding)?
        } else if is(alg_id::RSA_ENCRYPTION) {
            KeyKind::Rsa(check_rsa(&bits)?)
        } else {
            return Err(KeyError::Kind);
        };
        Ok(Self {
            spki: spki.to_vec(),
            kind,
            bits,
        })
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Its kind.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.spki).into()
    }

    /// The content of the BIT STRING, which signature checks take.
    pub(super) fn bits(&self) -> &[u8] {
        &self.bits
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind)
    }
}

/// The library takes a key apart and writes it anew, and so has spoiled keys whose signature had another hash
/// (rcgen#448): here the algorithm comes from the key, and whoever issues compares the bytes.
impl PublicKeyData for PublicKey {
    fn subject_public_key_info(&self) -> Vec<u8> {
        self.spki.clone()
    }

    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.kind {
            KeyKind::Ed25519 => &PKCS_ED25519,
            KeyKind::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyKind::P384 => &PKCS_ECDSA_P384_SHA384,
            KeyKind::Rsa(_) => &PKCS_RSA_SHA256,
        }
    }
}

/// Whether an AlgorithmIdentifier in DER is this one. The library's form is without tag and length.
pub(super) fn is_algorithm(der: &[u8], id: AlgorithmIdentifier) -> bool {
    let content = id.as_ref();
    match der {
        [SEQUENCE, length, rest @ ..] => usize::from(*length) == rest.len() && rest == content,
        _ => false,
    }
}

/// Uncompressed, as RFC 5480 2.2 obliges everybody to understand.
fn check_point(bits: &[u8], bytes: usize) -> Result<(), KeyError> {
    if bits.len() == bytes && bits.first() == Some(&UNCOMPRESSED) {
        Ok(())
    } else {
        Err(KeyError::Encoding)
    }
}

/// The number of bits of a sound RSA key (RFC 8017 A.1.1).
fn check_rsa(bits: &[u8]) -> Result<usize, KeyError> {
    let ((modulus, is_positive), (exponent, is_above)) = yasna::parse_der(bits, |reader| {
        reader.read_sequence(|reader| {
            let modulus = reader.next().read_bigint_bytes()?;
            Ok((modulus, reader.next().read_bigint_bytes()?))
        })
    })
    .map_err(|_| KeyError::Encoding)?;
    if !is_positive || !is_above {
        return Err(KeyError::Encoding);
    }
    let leading = modulus
        .first()
        .map_or(0, |first| first.leading_zeros() as usize);
    let size = (modulus.len() * 8).saturating_sub(leading);
    if !RSA_BITS.contains(&size) {
        return Err(KeyError::Size(size));
    }
    let exponent = exponent.iter().try_fold(0_u64, |number, byte| {
        number
            .checked_mul(1 << 8)
            .map(|number| number | u64::from(*byte))
    });
    let is_sound = exponent.is_some_and(|number| number % 2 == 1 && EXPONENTS.contains(&number));
    if !is_sound {
        return Err(KeyError::Exponent);
    }
    if is_weak(&modulus) {
        return Err(KeyError::Weak);
    }
    Ok(size)
}

/// Whether a modulus has a small factor, or comes from the library of CVE-2017-15361 (ROCA): its primes are powers of
/// 65537 modulo many small primes, and so is their product. A random modulus looks like that once in 2^27.
fn is_weak(modulus: &[u8]) -> bool {
    let residue = |prime: u32| {
        modulus
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime)
    };
    let is_even = modulus.last().is_none_or(|last| last % 2 == 0);
    is_even
        || PRIMES.iter().any(|prime| residue(*prime) == 0)
        || PRIMES
            .iter()
            .all(|prime| is_power_of_65537(residue(*prime), *prime))
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == residue {
            return true;
        }
        power = power * (65_537 % prime) % prime;
    }
    false
}

const SEQUENCE: u8 = 0x30;
const UNCOMPRESSED: u8 = 4;
const P256_BYTES: usize = 65;
const P384_BYTES: usize = 97;
const ED25519_BYTES: usize = 32;

/// Below, RSA can be broken; above, a signature check costs more than signing does.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// SP 800-56B 6.2: odd and above 2^16; TLS libraries take 33 bits at most.
const EXPONENTS: std::ops::RangeInclusive<u64> = 65_537..=(1 << 32);

/// Odd primes up to 167: what the published test for CVE-2017-15361 looks at.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use x509_parser::num_bigint::BigUint;

    use super::*;

    #[test]
    fn weak_moduli_are_seen() {
        let product: BigUint = PRIMES.iter().map(|prime| BigUint::from(*prime)).product();
        let power = BigUint::from(65_537_u32).modpow(&BigUint::from(123_456_u32), &product);
        // Odd: the product is, so an even multiple keeps the parity of the power.
        let lift = (BigUint::from(1_u32) << 1_800_u32) * &product;
        let roca = if power.bit(0) {
            power + lift
        } else {
            power + &product + lift
        };
        assert!(is_weak(&roca.to_bytes_be()));
        let small = BigUint::from(167_u32) * (BigUint::from(2_u32).pow(2_040) + 1_u32);
        assert!(is_weak(&small.to_bytes_be()));
        assert!(is_weak(
            &[0xff; 255].into_iter().chain([0xfe]).collect::<Vec<_>>()
        ));
    }

    #[test]
    fn keys_of_other_kinds_are_refused() {
        let p521 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let spki = p521.subject_public_key_info();
        assert_eq!(PublicKey::check(&spki), Err(KeyError::Kind));
        let p256 = rcgen::KeyPair::generate().unwrap();
        let spki = p256.subject_public_key_info();
        assert_eq!(PublicKey::check(&spki).unwrap().kind(), KeyKind::P256);
        let trailing: Vec<u8> = spki.iter().copied().chain([0]).collect();
        assert_eq!(PublicKey::check(&trailing), Err(KeyError::Encoding));
        for end in 0..spki.len() {
            assert!(PublicKey::check(&spki[..end]).is_err());
        }
    }
}
