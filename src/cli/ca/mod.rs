//! `tollgate ca`: the certificate authority of a data directory, also while a gateway runs on it.

mod args;
mod error;
mod run;

pub(super) use args::CaArgs;
pub(super) use run::run;
