//! The first administrator (iam 3.7).

use std::fs;
use std::path::Path;

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

/// Makes the first administrator where there is no account yet. Secrets go to files for their owner alone, and never
/// to the log.
pub(super) async fn bootstrap(
    config: &Bootstrap,
    data_dir: &Path,
    accounts: &Accounts,
    clock: &Clock,
) -> Result<(), Error> {
    let made_up = data_dir.join(PASSWORD);
    if !accounts.is_empty().await.map_err(Error::Bootstrap)? {
        if made_up.exists() {
            tracing::warn!(path = %made_up.display(), "the first administrator's password still lies there: change it, and remove the file");
        }
        return Ok(());
    }
    let secret = match &config.password_file {
        Some(path) => read_password(path)?,
        None => make_up(&made_up)?,
    };
    let first_pat = config.token_file.as_ref().map(|path| {
        // Whether it can be written must be known before the one time that there is something to write.
        write_secret(path, b"").map_err(Error::BootstrapFile)?;
        let secs = i64::try_from(config.token_lifetime.as_secs()).unwrap_or(0);
        let expires = Expiry::from_secs(clock.now().secs().saturating_add(secs));
        Ok(NewPat {
            name: "bootstrap".to_owned(),
            ..NewPat::until(expires)
        })
    });
    let tenant = TenantId::new(config.tenant.as_str());
    let made = accounts
        .bootstrap(&tenant, &config.username, &secret, first_pat.transpose()?)
        .await;
    match (made, &config.token_file) {
        (Ok((_, issued)), Some(path)) => {
            let token = issued.as_ref().map_or("", |issued| issued.token.expose());
            write_secret(path, format!("{token}\n").as_bytes()).map_err(Error::BootstrapFile)?;
        }
        (Ok(_), None) => {}
        // Another gateway on this store was faster; what was made up here is nobody's.
        (Err(AccountsError::Records(RecordsError::UsernameTaken(_))), token_file) => {
            for path in token_file.iter().chain([&made_up]) {
                let _gone = fs::remove_file(path);
            }
            return Ok(());
        }
        (Err(error), _) => return Err(Error::Bootstrap(error)),
    }
    let (tenant, username) = (&config.tenant, &config.username);
    tracing::warn!(tenant, username, "the first administrator was made");
    Ok(())
}

/// The first line: a password, or a PHC string.
fn read_password(path: &Path) -> Result<Secret, Error> {
    let content = read_secret(path).map_err(Error::BootstrapFile)?;
    let text = std::str::from_utf8(&content).unwrap_or_default();
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

fn make_up(path: &Path) -> Result<Secret, Error> {
    let password = random_password().map_err(|_| Error::NoRandomness)?;
    let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
    write_secret(path, line.as_bytes()).map_err(Error::BootstrapFile)?;
    Ok(password)
}

/// In the data directory.
const PASSWORD: &str = "bootstrap-password";
