//! The first administrator (iam 3.7).

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::clock::Clock;
use crate::config::Bootstrap;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::NewPat;
use crate::iam::port::RecordsError;
use crate::iam::random_password;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::pki::read_secret;
use crate::pki::write_secret;
use crate::secret::Secret;

use super::Error;

/// Makes the first administrator where there has never been an account. Secrets go to files for their owner alone, and never
/// to the log. What is made up is on the disk before it counts, so that it cannot be lost, and gets its name when it
/// counts: another gateway that starts on the same store at the same time makes up its own.
pub(super) async fn bootstrap(
    config: &Bootstrap,
    data_dir: &Path,
    accounts: &Accounts,
    clock: &Clock,
) -> Result<(), Error> {
    let made_up = data_dir.join(PASSWORD);
    if !accounts.is_unused().await.map_err(Error::Bootstrap)? {
        if made_up.exists() {
            tracing::warn!(path = %made_up.display(), "the first administrator's password still lies there: change it, and remove the file");
        }
        return Ok(());
    }
    let password_out = Draft::beside(&made_up);
    let secret = match &config.password_file {
        Some(path) => read_password(path)?,
        None => make_up(&password_out)?,
    };
    let token_out = config.token_file.as_deref().map(Draft::beside);
    let first_pat = token_out.as_ref().map(|draft| {
        // Whether it can be written must be known before the one time that there is something to write.
        draft.write(b"")?;
        Ok(token_until(config, clock))
    });
    let tenant = TenantId::new(config.tenant.as_str());
    let made = accounts
        .bootstrap(&tenant, &config.username, &secret, first_pat.transpose()?)
        .await;
    let issued = match made {
        Ok((_, issued)) => issued,
        // Another gateway on this store was faster; what was made up here is nobody's.
        Err(AccountsError::Records(RecordsError::UsernameTaken(_))) => return Ok(()),
        Err(error) => return Err(Error::Bootstrap(error)),
    };
    // The password first: with it everything else can be had again.
    if config.password_file.is_none() {
        password_out.name()?;
    }
    if let (Some(draft), Some(issued)) = (token_out, issued) {
        draft.write(format!("{}\n", issued.token.expose()).as_bytes())?;
        draft.name()?;
    }
    let (tenant, username) = (&config.tenant, &config.username);
    tracing::warn!(tenant, username, "the first administrator was made");
    Ok(())
}

fn token_until(config: &Bootstrap, clock: &Clock) -> NewPat {
    let secs = i64::try_from(config.token_lifetime.as_secs()).unwrap_or(0);
    let expires = Expiry::from_secs(clock.now().secs().saturating_add(secs));
    NewPat {
        name: "bootstrap".to_owned(),
        ..NewPat::until(expires)
    }
}

/// A file with a secret that does not count yet: under a name that no other process uses, and gone with this value.
struct Draft<'p> {
    path: &'p Path,
    draft: PathBuf,
}

impl<'p> Draft<'p> {
    fn beside(path: &'p Path) -> Self {
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}", std::process::id()));
        Self {
            path,
            draft: draft.into(),
        }
    }

    fn write(&self, content: &[u8]) -> Result<(), Error> {
        write_secret(&self.draft, content).map_err(Error::BootstrapFile)
    }

    /// It counts.
    fn name(self) -> Result<(), Error> {
        let content = read_secret(&self.draft).map_err(Error::BootstrapFile)?;
        write_secret(self.path, &content).map_err(Error::BootstrapFile)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.draft);
    }
}

/// The first line: a password, or a PHC string.
fn read_password(path: &Path) -> Result<Secret, Error> {
    let content = read_secret(path).map_err(Error::BootstrapFile)?;
    let text = std::str::from_utf8(&content).unwrap_or_default();
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

fn make_up(draft: &Draft<'_>) -> Result<Secret, Error> {
    let password = random_password().map_err(|_| Error::NoRandomness)?;
    let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
    draft.write(line.as_bytes())?;
    Ok(password)
}

/// In the data directory.
const PASSWORD: &str = "bootstrap-password";
