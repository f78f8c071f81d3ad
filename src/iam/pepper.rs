//! The key under which tokens are hashed. It lies beside the database, never in it (iam T4).

use std::fmt;
use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::pat::PatText;

/// The keys for token digests: the current one, and older ones whose tokens still count.
///
/// The file has one line per key, `<number> <64 hexadecimal digits>`, the current one first. Losing it voids every
/// token; a copy of the database alone confirms none.
#[derive(Clone)]
pub struct Pepper {
    current: PepperKey,
    older: Vec<PepperKey>,
}

#[derive(Clone)]
struct PepperKey {
    id: u32,
    mac: Hmac<Sha256>,
}

/// By what a store knows one of the keys, without having it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PepperProof {
    /// The number of the key.
    pub key: u32,
    /// HMAC-SHA-256 of a fixed text that is no token.
    pub bytes: [u8; DIGEST_LENGTH],
}

/// HMAC-SHA-256 of a token: all that is kept of it.
#[derive(Clone, Copy)]
pub struct PatDigest {
    key: u32,
    bytes: [u8; DIGEST_LENGTH],
}

/// The pepper file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PepperError {
    /// Others than its owner can read or write it.
    #[error("{} is open to others than its owner: chmod 600 it", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The store's tokens were hashed under another key of the same number.
    #[error("key {0} of the pepper is not the store's: copy the pepper of a node that serves")]
    Foreign(u32),
    /// It cannot be read or written.
    #[error("{} cannot be read or created", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what this program writes.
    #[error("{} is not a pepper file", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers from the operating system")]
    NoRandomness,
    /// Newer tokens of the store were hashed under a key that is not in the file.
    #[error("the pepper lacks the store's key {0}: copy the pepper of a node that serves")]
    Outdated(u32),
}

impl Pepper {
    /// Reads the file at `path`, or makes one with a new key, readable by the owner alone. Of two processes that
    /// make it at once, one wins and both use its key.
    pub fn open_or_create(path: &Path) -> Result<Self, PepperError> {
        match Self::open(path) {
            Err(PepperError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                create(path)?;
                Self::open(path)
            }
            other => other,
        }
    }

    fn open(path: &Path) -> Result<Self, PepperError> {
        let failed = |source| PepperError::File {
            path: path.to_owned(),
            source,
        };
        let mode = fs::metadata(path).map_err(failed)?.mode();
        if mode & OTHERS != 0 {
            return Err(PepperError::Exposed {
                path: path.to_owned(),
            });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        let mut keys = text.lines().map(parse_line);
        let (Some(Some(current)), Some(older)) = (keys.next(), keys.collect()) else {
            return Err(PepperError::Malformed {
                path: path.to_owned(),
            });
        };
        Ok(Self { current, older })
    }

    /// By what a store will know the keys.
    pub fn proofs(&self) -> impl Iterator<Item = PepperProof> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .map(PepperKey::proof)
    }

    /// Checks that a store with these proofs is of this pepper.
    pub fn check(&self, known: &[PepperProof]) -> Result<(), PepperError> {
        let has = |key| self.proofs().any(|proof| proof.key == key);
        for proof in self.proofs() {
            if known
                .iter()
                .any(|other| other.key == proof.key && *other != proof)
            {
                return Err(PepperError::Foreign(proof.key));
            }
        }
        match known.iter().map(|proof| proof.key).max() {
            Some(newest) if !has(newest) => Err(PepperError::Outdated(newest)),
            _ => Ok(()),
        }
    }

    /// The digest under the current key.
    pub fn digest(&self, token: PatText<'_>) -> PatDigest {
        self.current.digest(token)
    }

    /// A secret for another purpose from each key, the current one's first. None tells of its key or of another purpose's.
    pub fn secrets(&self, purpose: &str) -> Vec<Zeroizing<[u8; DIGEST_LENGTH]>> {
        let keys = std::iter::once(&self.current).chain(&self.older);
        keys.map(|key| key.secret(purpose)).collect()
    }

    /// The digests under older keys, the newest first (iam T4).
    pub fn older_digests(&self, token: PatText<'_>) -> impl Iterator<Item = PatDigest> {
        self.older.iter().map(move |key| key.digest(token))
    }
}

impl PepperKey {
    fn proof(&self) -> PepperProof {
        let mac = self.mac.clone().chain_update(PROOF_TEXT);
        PepperProof {
            key: self.id,
            bytes: mac.finalize().into_bytes().into(),
        }
    }

    fn secret(&self, purpose: &str) -> Zeroizing<[u8; DIGEST_LENGTH]> {
        let mac = self.mac.clone().chain_update(SECRET_TEXT);
        Zeroizing::new(mac.chain_update(purpose).finalize().into_bytes().into())
    }

    fn digest(&self, token: PatText<'_>) -> PatDigest {
        let mac = self.mac.clone().chain_update(token.as_str());
        PatDigest {
            key: self.id,
            bytes: mac.finalize().into_bytes().into(),
        }
    }
}

impl PatDigest {
    /// From the stored form.
    pub const fn from_raw(key: u32, bytes: [u8; DIGEST_LENGTH]) -> Self {
        Self { key, bytes }
    }

    /// The number of the pepper's key.
    pub const fn key(&self) -> u32 {
        self.key
    }

    /// The stored form. For stores alone.
    pub const fn as_bytes(&self) -> &[u8; DIGEST_LENGTH] {
        &self.bytes
    }
}

/// In constant time (iam T5).
impl PartialEq for PatDigest {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && bool::from(self.bytes.ct_eq(&other.bytes))
    }
}

impl Eq for PatDigest {}

impl fmt::Debug for PatDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Writes the whole file under another name and links it to its own, so that nobody ever reads half of it.
fn create(path: &Path) -> Result<(), PepperError> {
    let failed = |source| PepperError::File {
        path: path.to_owned(),
        source,
    };
    let mut key = Zeroizing::new([0_u8; DIGEST_LENGTH]);
    getrandom::fill(&mut *key).map_err(|_| PepperError::NoRandomness)?;
    let mut line = Zeroizing::new(format!("{FIRST_KEY} "));
    for byte in key.iter() {
        let [high, low] = [byte >> 4, byte & 0xf].map(u32::from);
        line.extend(
            [high, low]
                .into_iter()
                .filter_map(|digit| char::from_digit(digit, 16)),
        );
    }
    line.push('\n');

    let nonce = getrandom::u64().map_err(|_| PepperError::NoRandomness)?;
    let draft = path.with_extension(format!("{nonce:016x}.draft"));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(&draft)
        .map_err(failed)?;
    let written = file
        .write_all(line.as_bytes())
        .and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other
            .and(removed)
            .and_then(|()| sync_folder_of(path))
            .map_err(failed),
    }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn parse_line(line: &str) -> Option<PepperKey> {
    let (id, digits) = line.split_once(' ')?;
    if digits.len() != 2 * DIGEST_LENGTH || !digits.is_ascii() {
        return None;
    }
    let mut key = Zeroizing::new([0_u8; DIGEST_LENGTH]);
    for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    let mac = Hmac::new_from_slice(&*key).ok()?;
    Some(PepperKey {
        id: id.parse().ok()?,
        mac,
    })
}

const DIGEST_LENGTH: usize = 32;
const FIRST_KEY: u32 = 1;

/// No token looks like this.
const PROOF_TEXT: &str = "tollgate pepper";

/// Nor like this, and the text above does not begin so.
const SECRET_TEXT: &str = "tollgate secret for ";
const OWNER_ONLY: u32 = 0o600;
const OTHERS: u32 = 0o077;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::iam::pat;

    #[test]
    fn pepper_is_made_once_and_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pepper");
        let made = Pepper::open_or_create(&path).unwrap();
        let read = Pepper::open_or_create(&path).unwrap();
        let token = pat::generate(crate::iam::TokenKind::Pat).unwrap();
        let token = PatText::parse(token.expose()).unwrap();
        assert_eq!(made.digest(token), read.digest(token));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn pepper_is_refused_when_others_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pepper");
        Pepper::open_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Pepper::open_or_create(&path),
            Err(PepperError::Exposed { .. })
        ));
    }

    #[test]
    fn pepper_is_refused_when_malformed_rather_than_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pepper");
        for text in ["", "\n", "1 00", "x 00", "1 zz"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(
                Pepper::open_or_create(&path),
                Err(PepperError::Malformed { .. })
            ));
        }
    }

    #[test]
    fn secrets_differ_by_purpose_and_are_no_proofs() {
        let folder = tempfile::tempdir().unwrap();
        let pepper = Pepper::open_or_create(&folder.path().join("pepper")).unwrap();
        assert_eq!(pepper.secrets("a"), pepper.secrets("a"));
        assert_ne!(pepper.secrets("a"), pepper.secrets("b"));
        let proof = pepper.proofs().next().unwrap();
        assert!(
            pepper
                .secrets("")
                .iter()
                .all(|secret| **secret != proof.bytes)
        );
    }

    #[test]
    fn pepper_still_knows_its_older_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pepper");
        let old = Pepper::open_or_create(&path).unwrap();
        let lines = format!(
            "2 {}\n{}",
            "ab".repeat(32),
            fs::read_to_string(&path).unwrap()
        );
        fs::write(&path, lines).unwrap();
        let rotated = Pepper::open_or_create(&path).unwrap();
        let token = pat::generate(crate::iam::TokenKind::Pat).unwrap();
        let token = PatText::parse(token.expose()).unwrap();
        let known: Vec<_> = rotated.proofs().collect();
        assert!(rotated.check(&old.proofs().collect::<Vec<_>>()).is_ok());
        assert!(matches!(old.check(&known), Err(PepperError::Outdated(2))));
        assert_ne!(rotated.digest(token), old.digest(token));
        assert_eq!(
            rotated.older_digests(token).collect::<Vec<_>>(),
            [old.digest(token)]
        );
    }
}
