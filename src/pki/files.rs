//! Files that appear whole or not at all, and keys that nobody else may read.

use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::Error;

/// Reads the certificates of a PEM file, in their order.
///
/// # Errors
///
/// [`Error::File`] when the file cannot be read, [`Error::NotACertificate`] when it holds none.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    parse_certificates(path, &read(path)?)
}

pub(super) fn parse_certificates(
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let none = || Error::NotACertificate {
        path: path.to_owned(),
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| none())?;
    if chain.is_empty() {
        Err(none())
    } else {
        Ok(chain)
    }
}

/// A certificate as PEM text.
pub(super) fn to_pem(certificate: &CertificateDer<'_>) -> String {
    pem("CERTIFICATE", certificate)
}

/// Any DER as PEM text (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let digits = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in digits.as_bytes().chunks(PEM_LINE) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// A private key as PKCS#8 PEM text of version 1, which everybody reads: of an Ed25519 key the library writes version 2
/// (RFC 5958), which OpenSSL 3.0 does not know.
pub fn key_to_pem(key: &KeyPair) -> Zeroizing<String> {
    let der = Zeroizing::new(key.serialize_der());
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough in its lifetimes"
    )]
    let parts = yasna::parse_der(&der, |reader| {
        reader.read_sequence(|reader| {
            reader.next().read_der()?;
            let algorithm = reader.next().read_der()?;
            let secret = Zeroizing::new(reader.next().read_der()?);
            let _public = reader.read_optional(|reader| reader.read_der())?;
            Ok((algorithm, secret))
        })
    });
    let Ok((algorithm, secret)) = parts else {
        return Zeroizing::new(key.serialize_pem());
    };
    let first = Zeroizing::new(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(0);
            writer.next().write_der(&algorithm);
            writer.next().write_der(&secret);
        });
    }));
    Zeroizing::new(pem("PRIVATE KEY", &first))
}

/// Finds the one private key (PKCS#8, SEC1 or PKCS#1). The parser's own error could show the key: it is dropped.
pub(super) fn parse_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_: pem::Error| Error::NotAKey {
        path: path.to_owned(),
    })
}

/// Reads a file that holds a key, unless one of the `forbidden` mode bits is set.
pub(super) fn read_private(path: &Path, forbidden: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mode = fs::metadata(path).map_err(at(path))?.permissions().mode() & MODE_BITS;
    if mode & forbidden != 0 {
        return Err(Error::KeyExposed {
            path: path.to_owned(),
            mode,
        });
    }
    read(path).map(Zeroizing::new)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(at(path))
}

/// Makes a directory that its owner alone may enter; an existing one stays as it is.
pub(super) fn make_dir(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_DIR)
        .create(path)
        .map_err(at(path))
}

/// Puts a file with a secret in its place in one step: whole or not at all, for its owner alone (mode 0600).
///
/// # Errors
///
/// [`Error::File`] when it cannot be written.
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), Error> {
    replace(path, content, OWNER_ONLY)
}

/// The same for a file that everybody may read (mode 0644).
///
/// # Errors
///
/// [`Error::File`] when it cannot be written.
pub fn write_public(path: &Path, content: &[u8]) -> Result<(), Error> {
    replace(path, content, PUBLIC)
}

/// Makes a directory that its owner alone may enter; an existing one stays as it is.
///
/// # Errors
///
/// [`Error::File`] when it cannot be made.
pub fn make_secret_dir(path: &Path) -> Result<(), Error> {
    make_dir(path)
}

/// Reads a file with a secret that nobody but its owner may read.
///
/// # Errors
///
/// [`Error::KeyExposed`], or [`Error::File`] when it cannot be read.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    read_private(path, GROUP_AND_OTHERS)
}

/// Puts a file where none is. When another process was first, its file stays: read it.
pub(super) fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let fresh = write_beside(path, content, mode)?;
    // A link, unlike a rename, never replaces what another process has put there.
    let linked = match fs::hard_link(&fresh, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    };
    fs::remove_file(&fresh).map_err(at(&fresh))?;
    linked.map_err(at(path))?;
    sync_parent(path)
}

/// Puts a file in the place of an older one, in one step.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let fresh = write_beside(path, content, mode)?;
    fs::rename(&fresh, path).map_err(at(path))?;
    sync_parent(path)
}

/// Gives a file another name, in the place of what was there.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(at(to))?;
    sync_parent(to)
}

/// Writes a file under another name in the same directory, down to the disk.
fn write_beside(path: &Path, content: &[u8], mode: u32) -> Result<PathBuf, Error> {
    let tag = getrandom::u64().map_err(Error::Random)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{tag:016x}.new"));
    let fresh = path.with_file_name(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)
        .map_err(at(&fresh))?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(source) = written {
        // A full disk: do not leave half a file behind. If even that fails, the first error says why.
        let _removed = fs::remove_file(&fresh);
        return Err(Error::File {
            path: fresh,
            source,
        });
    }
    Ok(fresh)
}

/// A new name is on the disk only when its directory is.
fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(at(parent))
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::File {
        path: path.to_owned(),
        source,
    }
}

/// Mode of a file with a private key.
pub(super) const OWNER_ONLY: u32 = 0o600;

/// Mode of a file that everybody may read.
pub(super) const PUBLIC: u32 = 0o644;

/// A key that the gateway made is nobody else's.
pub(super) const GROUP_AND_OTHERS: u32 = 0o077;

/// A key that the operator brings may be shared with a group, as distributions do (`ssl-cert`).
pub(super) const OTHERS: u32 = 0o007;

/// Characters of a line (RFC 7468 2).
const PEM_LINE: usize = 64;

const OWNER_ONLY_DIR: u32 = 0o700;
const MODE_BITS: u32 = 0o7777;
