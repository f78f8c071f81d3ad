//! Who may do what: credential → principal → permit; accounts, tokens, roles; and the open RPCs, which end
//! when their credential does.
//!
//! [`Identity`] is the whole room put together. Nothing here knows a wire protocol or a database: credentials come in
//! as [`Credential`], the store is behind [`port::Records`].

mod accounts;
mod authenticator;
mod cache;
mod config;
mod credential;
mod error;
mod id;
mod identity;
mod lockout;
mod login;
mod lookup;
mod meters;
mod password;
mod pat;
mod pepper;
pub mod policy;
pub mod port;
mod principal;
mod recent;
mod record;
mod registry;
mod revocation;
mod role;
mod scope;
mod session;
mod tail;
mod throttle;
mod time;
mod uses;

#[cfg(test)]
mod tests;

pub use accounts::Accounts;
pub use accounts::AccountsError;
pub use accounts::Actor;
pub use accounts::Caller;
pub use accounts::Issued;
pub use accounts::NewAccount;
pub use accounts::NewPat;
pub use accounts::PatView;
pub use authenticator::Authenticator;
pub use config::Config;
pub use config::PasswordConfig;
pub use config::ThrottleConfig;
pub use credential::Credential;
pub use error::AuthError;
pub use id::AccountId;
pub use id::NoRandomness;
pub use id::NotAnId;
pub use id::PatId;
pub use identity::Identity;
pub use identity::IdentityError;
pub use pat::Garbled;
pub use pat::PatText;
pub use pepper::PatDigest;
pub use pepper::Pepper;
pub use pepper::PepperError;
pub use policy::Action;
pub use policy::Denied;
pub use policy::Permit;
pub use policy::permit;
pub use principal::AccountKind;
pub use principal::Principal;
pub use record::AccountRecord;
pub use record::LastUse;
pub use record::PatFacts;
pub use record::PatRecord;
pub use record::Standing;
pub use record::State;
pub use record::TenantRecord;
pub use record::standing;
pub use registry::Registry;
pub use registry::RegistryError;
pub use revocation::Affected;
pub use revocation::Change;
pub use revocation::Revocation;
pub use role::NotARole;
pub use role::Role;
pub use role::Roles;
pub use scope::NotAScope;
pub use scope::Scope;
pub use session::End;
pub use session::LiveSession;
pub use session::Reason;
pub use time::Time;
