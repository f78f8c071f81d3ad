//! The command's words.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::Subcommand;

use crate::cli::sources::SourceArgs;
use crate::pki::Reason;

/// The certificate authority of a data directory.
#[derive(Args, Debug)]
pub(in crate::cli) struct CaArgs {
    /// Data directory of the gateway, where the configuration does not name it
    #[arg(long)]
    pub(super) data_dir: Option<PathBuf>,
    /// The gateway's configuration
    #[command(flatten)]
    pub(super) sources: SourceArgs,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Sign the revocation list and print it, or write it to a file
    Crl(CrlArgs),
    /// Take an authority that was made elsewhere, and sign with it from now on
    Import(ImportArgs),
    /// Make the authority; does nothing when there is one
    Init,
    /// Announce the next authority: trusted and handed out, but not signing yet
    Prepare,
    /// Revoke certificates
    Revoke(RevokeArgs),
    /// Sign with the announced authority, or with a new one; the old one stays trusted until it ends
    Rotate,
    /// Show all authorities
    Show,
}

#[derive(Args, Debug)]
pub(super) struct CrlArgs {
    /// Key identifier of the authority; the one that signs now when left out
    #[arg(long)]
    pub(super) issuer: Option<String>,
    /// Hours until the list is out of date
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub(super) hours: u32,
    /// File to write, DER where its name ends in .crl or .der, else PEM; standard output and PEM when left out
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// Its certificate and those above it, PEM, its own first
    #[arg(long)]
    pub(super) cert: PathBuf,
    /// Its private key, PEM, readable by its owner alone
    #[arg(long)]
    pub(super) key: PathBuf,
    /// Only announce it, as `prepare` does
    #[arg(long)]
    pub(super) announce: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true))]
pub(super) struct RevokeArgs {
    /// One certificate
    #[arg(long, group = "which")]
    pub(super) serial: Option<String>,
    /// All of a user, together with --tenant
    #[arg(long, group = "which", requires = "tenant")]
    pub(super) username: Option<String>,
    /// All that depend on the token of this id
    #[arg(long, group = "which")]
    pub(super) token_id: Option<String>,
    /// All that were issued before this time (RFC 3339)
    #[arg(long, group = "which")]
    pub(super) issued_before: Option<String>,
    /// Only in this tenant
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// Why: keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn, unspecified
    #[arg(long, default_value = "unspecified")]
    pub(super) reason: Reason,
}
