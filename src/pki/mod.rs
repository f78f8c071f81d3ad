//! Certificates: the issuing CA and the gateway's own identity.
//!
//! Keys and certificates lie as files in one directory; `certs/README.md` describes each. Certificates are
//! built from the profiles here and from nothing that a peer says.

mod authority;
mod client;
mod error;
mod files;
mod identity;
mod name;
pub mod port;
mod profile;
mod reason;

#[cfg(test)]
mod tests;

pub use authority::Authority;
pub use client::ClientIdentity;
pub use client::NotAClient;
pub use error::Error;
pub use files::read_certificates;
pub use identity::ServerIdentity;
pub use identity::provider;
pub use name::Name;
pub use name::NotAName;
pub use reason::NotAReason;
pub use reason::Reason;
