//! Certificates: the issuing CA and the gateway's own identity.
//!
//! Keys and certificates lie as files in one directory; `certs/README.md` describes each. Certificates are
//! built from the profiles here and from nothing that a peer says.

mod authority;
mod ca;
mod client;
mod crl;
mod csr;
mod error;
mod files;
mod identity;
mod issuance;
mod key;
mod name;
pub mod port;
mod profile;
mod reason;
mod rollover;
mod signing;
mod statement;

#[cfg(test)]
mod tests;

pub use authority::Authority;
pub use authority::IssuerRole;
pub use ca::IssuerView;
pub use ca::hex;
pub use client::ClientIdentity;
pub use client::NotAClient;
pub use crl::Crl;
pub use csr::Csr;
pub use csr::CsrError;
pub use csr::MAX_CSR_BYTES;
pub use error::Error;
pub use files::key_to_pem;
pub use files::make_secret_dir;
pub use files::read_certificates;
pub use files::read_secret;
pub use files::write_public;
pub use files::write_secret;
pub use identity::ServerIdentity;
pub use identity::provider;
pub use issuance::Grant;
pub use issuance::Issuance;
pub use issuance::chain_to_pem;
pub use issuance::chain_to_pkcs7;
pub use key::KeyError;
pub use key::KeyKind;
pub use key::PublicKey;
pub use name::Name;
pub use name::NotAName;
pub use profile::CLIENT_BACKDATE;
pub use reason::NotAReason;
pub use reason::Reason;
pub use statement::StatementKey;
