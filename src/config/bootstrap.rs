//! `[bootstrap]`: the first administrator (iam 3.7).

use std::path::PathBuf;
use std::time::Duration;

use super::section::Section;

/// The first administrator, made when a gateway starts on a store without any account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Where the account is at home; made when it is missing.
    pub tenant: String,
    /// Its user name.
    pub username: String,
    /// The file with its password or the PHC string of one; without, a password is made up.
    pub password_file: Option<PathBuf>,
    /// Where to write a token of the account.
    pub token_file: Option<PathBuf>,
    /// How long that token lives.
    pub token_lifetime: Duration,
}

/// Reads `[bootstrap]`; `None` when it has no `tenant`.
pub(super) fn bootstrap(section: &mut Section<'_, '_>) -> Option<Bootstrap> {
    let tenant = section.optional::<String>(
        "tenant",
        "Where the first administrator is at home. It is made once, on a store without any account; later changes of this section have no effect.",
    );
    let username = section.get(
        "username",
        "admin".to_owned(),
        "The first administrator's user name.",
    );
    let password_file = section.optional::<PathBuf>(
        "password_file",
        "File with its password, or with the PHC string of an Argon2id hash, readable by the owner alone. Without, a password is written to `bootstrap-password` in the data directory.",
    );
    let token_file = section.optional::<PathBuf>(
        "token_file",
        "Where to write a Personal Access Token of the first administrator, for its owner alone.",
    );
    let token_lifetime = section.duration(
        "token_lifetime",
        Duration::from_hours(1),
        Duration::from_mins(1)..=Duration::from_hours(24),
        "How long that token lives.",
    );
    Some(Bootstrap {
        tenant: tenant?,
        username,
        password_file,
        token_file,
        token_lifetime,
    })
}
