//! The command's words.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

/// Make a key, have a gateway certify it, and keep the certificate fresh.
#[derive(Args, Debug)]
pub(in crate::cli) struct EnrollArgs {
    /// The gateway, host:port
    #[arg(long)]
    pub(super) gateway: String,
    /// Directory for client.key, client.pem and ca.pem; made when it is not there
    #[arg(long)]
    pub(super) out: PathBuf,
    /// Certificates that the gateway's own must lead to, PEM; ca.pem of --out when left out
    #[arg(long)]
    pub(super) ca_file: Option<PathBuf>,
    /// File with a Personal Access Token; - is standard input
    #[arg(long, conflicts_with = "token")]
    pub(super) token_file: Option<PathBuf>,
    /// The token itself; better in the environment, where other users do not see it
    #[arg(long, env = "TOLLGATE_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// User whom the certificate is for; the token's own when left out
    #[arg(long)]
    pub(super) username: Option<String>,
    /// Roles that the certificate is limited to, with commas between; all of the user's when left out
    #[arg(long)]
    pub(super) roles: Option<String>,
    /// Hours that the certificate is to hold; the gateway's default when left out
    #[arg(long)]
    pub(super) hours: Option<u32>,
    /// Kind of key
    #[arg(long, value_enum, default_value_t = KeyKind::P256)]
    pub(super) key: KeyKind,
    /// Make a new key at each renewal, instead of keeping it
    #[arg(long)]
    pub(super) rotate_key: bool,
    /// Stay, and renew the certificate when two thirds of its life are over
    #[arg(long)]
    pub(super) watch: bool,
}

/// Kinds of keys that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyKind {
    Ed25519,
    P256,
    P384,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}
