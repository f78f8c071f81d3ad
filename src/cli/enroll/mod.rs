//! `tollgate enroll`: makes a key and a CSR, has a gateway sign it, and keeps the certificate fresh.

mod args;
mod call;
mod error;
mod files;
mod run;
mod schedule;

#[cfg(test)]
mod tests;

pub(super) use args::EnrollArgs;
pub(super) use run::run;
