//! The managing side: tenants, people, service accounts, tokens. Commands, and later the HTTP faces, call it; it
//! checks the caller's rights, writes one change with its audit event, and makes the live side obey at once.

mod bootstrap;
mod by_value;
mod caller;
mod change;
mod creation;
mod error;
mod minting;
mod policy;
mod request;
mod rotation;
mod search;
mod secret;
mod service;
mod session;
mod sweep;
mod tokens;
mod trail;

pub use bootstrap::random_password;
pub use caller::Actor;
pub use caller::Caller;
pub use error::AccountsError;
pub use request::NewAccount;
pub use request::NewPat;
pub use rotation::Rotation;
pub use service::Accounts;
pub use tokens::Issued;
pub use tokens::PatView;
