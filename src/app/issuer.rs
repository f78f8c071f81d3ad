//! Another issuer whose tokens are taken.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::Introspection;
use crate::iam::Authenticator;
use crate::oauth::HttpIssuer;
use crate::secret::Secret;
use crate::transport::Trust;

use super::Error;

/// Lets `authenticator` take the issuer's tokens.
pub(super) fn accept(
    authenticator: &Authenticator,
    settings: Introspection,
    clock: Clock,
) -> Result<(), Error> {
    let secret = read_secret(&settings.client_secret_file)?;
    let tls = Trust::from_pem_file(&settings.ca_file)
        .and_then(|trust| trust.client_config(&[b"http/1.1"]))
        .map_err(Error::IssuerTrust)?;
    let issuer =
        HttpIssuer::new(settings.issuer, &secret, tls, clock).map_err(Error::IssuerAddress)?;
    authenticator.accept(Arc::new(issuer), settings.foreign);
    Ok(())
}

/// The file's first line. What everybody may read is no secret.
fn read_secret(path: &Path) -> Result<Secret, Error> {
    let failed = |source| Error::IssuerSecret {
        path: path.to_owned(),
        source,
    };
    let exposed = || std::io::Error::other("open to others than its owner: chmod 600 it");
    let mode = fs::metadata(path).map_err(failed)?.mode();
    if mode & OTHERS != 0 {
        return Err(failed(exposed()));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    Ok(Secret::new(text.lines().next().unwrap_or_default().trim()))
}

const OTHERS: u32 = 0o077;
