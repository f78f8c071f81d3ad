//! The command's words.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::audit::Kind;
use crate::cli::sources::SourceArgs;
use crate::iam::Role;

/// Manage tenants, people, service accounts and tokens of a gateway, or of all that share its store.
#[derive(Args, Debug)]
pub(in crate::cli) struct AdminArgs {
    /// Data directory of the gateway, where the configuration does not name it
    #[arg(long)]
    pub(super) data_dir: Option<PathBuf>,
    /// The gateway's configuration
    #[command(flatten)]
    pub(super) sources: SourceArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) noun: Noun,
}

#[derive(Debug, Subcommand)]
pub(super) enum Noun {
    /// What happened to accounts and credentials
    #[command(subcommand)]
    Audit(Audit),
    /// The configuration of devices that is stored for RESTCONF and gNMI
    #[command(subcommand)]
    Datastore(DatastoreVerb),
    /// Personal Access Tokens
    #[command(subcommand)]
    Pat(Pat),
    /// Make an administrator of all tenants, or let an existing person in as one again, with a new password
    RecoverAdmin(RecoverAdmin),
    /// Roles that accounts can have
    #[command(subcommand)]
    Role(RoleVerb),
    /// Service accounts: machines, known by tokens alone
    #[command(subcommand)]
    ServiceAccount(ServiceAccount),
    /// Tenants
    #[command(subcommand)]
    Tenant(Tenant),
    /// People, known by a password
    #[command(subcommand)]
    User(User),
}

/// Whom to let in.
#[derive(Args, Debug)]
pub(super) struct RecoverAdmin {
    #[command(flatten)]
    pub(super) account: Account,
    /// Where the password is written, for its owner alone; must not exist
    #[arg(long)]
    pub(super) password_out: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// List events, the oldest first
    List(EventArgs),
    /// Check that no event was changed or removed; fails with the first that does not fit
    Verify,
}

#[derive(Debug, Subcommand)]
pub(super) enum DatastoreVerb {
    /// Check what is stored against the YANG modules of the configuration (restconf.yang_dir); fails with what they
    /// refuse
    Verify,
}

/// Which events; all conditions hold at once.
#[derive(Args, Debug)]
pub(super) struct EventArgs {
    /// Only those that this tenant may read of
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// Only those after this number
    #[arg(long, default_value_t = 0)]
    pub(super) after: u64,
    /// At most so many, up to 500
    #[arg(long, default_value_t = 100)]
    pub(super) limit: u32,
    /// Only of this kind: pat.created
    #[arg(long)]
    pub(super) kind: Option<Kind>,
    /// Only those by or about the account of this id
    #[arg(long)]
    pub(super) account: Option<String>,
    /// Only those from this time on (RFC 3339)
    #[arg(long)]
    pub(super) from: Option<String>,
    /// Only those before this time (RFC 3339)
    #[arg(long)]
    pub(super) to: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Tenant {
    /// Create a tenant
    Create {
        /// Its name
        name: String,
    },
    /// End everything of a tenant, until it is enabled again
    Disable {
        /// Its name
        name: String,
    },
    /// Let a tenant in again
    Enable {
        /// Its name
        name: String,
    },
    /// List tenants
    List,
    /// Show what a tenant allows its tokens, or change it; tokens beyond it end within a second
    Policy {
        /// Its name
        name: String,
        /// How long a token may live, from its creation: 12h, 90d, 1y; "none" lifts the limit
        #[arg(long)]
        max_lifetime: Option<String>,
        /// Void all tokens created before (RFC 3339), or "now"; cannot be taken back
        #[arg(long)]
        tokens_not_before: Option<String>,
        /// How many active tokens the tenant may have; "none" lifts the limit
        #[arg(long)]
        max_pats: Option<String>,
        /// How many active tokens each account may have; "none" lifts the limit
        #[arg(long)]
        max_pats_per_account: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RoleVerb {
    /// List the roles
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Create a person
    Create {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// Unique in the tenant
        #[arg(long)]
        username: String,
        /// For people to read
        #[arg(long, default_value = "")]
        name: String,
        /// What the person may do; may be repeated
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
        /// File with the password; - is standard input
        #[arg(long)]
        password_file: PathBuf,
    },
    /// Give a person another password
    SetPassword {
        #[command(flatten)]
        account: Account,
        /// File with the password; - is standard input
        #[arg(long)]
        password_file: PathBuf,
    },
    /// Let a person try passwords again who is locked out after wrong ones
    Unlock {
        #[command(flatten)]
        account: Account,
    },
    #[command(flatten)]
    Any(AnyAccount),
}

#[derive(Debug, Subcommand)]
pub(super) enum ServiceAccount {
    /// Create a service account
    Create {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// Unique in the tenant
        #[arg(long)]
        username: String,
        /// For people to read
        #[arg(long, default_value = "")]
        name: String,
        /// For people to read
        #[arg(long, default_value = "")]
        description: String,
        /// What it may do; may be repeated
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
    },
    #[command(flatten)]
    Any(AnyAccount),
}

/// What can be done with people and machines alike.
#[derive(Debug, Subcommand)]
pub(super) enum AnyAccount {
    /// Delete an account and all its tokens, for good
    Delete(Account),
    /// End an account's streams and refuse its tokens, until it is enabled again
    Disable(Account),
    /// Let an account in again
    Enable(Account),
    /// List accounts
    List {
        /// Tenant
        #[arg(long)]
        tenant: String,
    },
    /// Change from where an account's credentials may be used, and which tokens are void
    Policy {
        #[command(flatten)]
        account: Account,
        /// Network (192.0.2.0/24) or address from which alone credentials are taken; may be repeated
        #[arg(long = "allow", conflicts_with = "allow_any")]
        networks: Vec<String>,
        /// Take credentials from anywhere
        #[arg(long)]
        allow_any: bool,
        /// Void all tokens created before (RFC 3339), or "now"; cannot be taken back
        #[arg(long)]
        tokens_not_before: Option<String>,
    },
    /// Replace an account's roles; streams that they no longer allow end
    SetRoles {
        #[command(flatten)]
        account: Account,
        /// What it may do; may be repeated
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
    },
}

/// Names one account.
#[derive(Args, Debug)]
pub(super) struct Account {
    /// Tenant
    #[arg(long)]
    pub(super) tenant: String,
    /// User name
    #[arg(long)]
    pub(super) username: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Pat {
    /// Issue a token; it is shown this once
    Create {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// User name of the account
        #[arg(long)]
        account: String,
        /// How long it is valid: 12h, 90d, 1y
        #[arg(long, conflicts_with = "expires", required_unless_present = "expires")]
        ttl: Option<String>,
        /// When it ends (RFC 3339)
        #[arg(long)]
        expires: Option<String>,
        /// Unique among the account's tokens
        #[arg(long, default_value = "")]
        name: String,
        /// For people to read
        #[arg(long, default_value = "")]
        description: String,
        /// Narrow it: read-only, path:PATH, target:NAME; may be repeated
        #[arg(long = "scope")]
        scopes: Vec<String>,
        /// Network or address from which alone it may be used; may be repeated
        #[arg(long = "allow")]
        networks: Vec<String>,
    },
    /// List an account's tokens
    List {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// User name of the account
        #[arg(long)]
        account: String,
    },
    /// Revoke a token; its streams end within a second
    Revoke {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// The token's id, as `pat list` shows it
        id: String,
    },
    /// Revoke all tokens of an account
    RevokeAll {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// User name of the account
        #[arg(long)]
        account: String,
    },
    /// Revoke the tokens of a tenant to which all conditions apply, a thousand at most
    RevokeMatching {
        /// Tenant
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        conditions: Conditions,
        /// Only count them
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which tokens of a tenant.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct Conditions {
    /// Only those created before (RFC 3339), or "now"
    #[arg(long)]
    pub(super) created_before: Option<String>,
    /// Only those that were not used for so long, nor created since: 90d
    #[arg(long)]
    pub(super) unused_for: Option<String>,
    /// Only those that end before (RFC 3339)
    #[arg(long)]
    pub(super) expires_before: Option<String>,
}
