//! `tollgate admin`: tenants, people, service accounts, tokens and configuration of a local store, also while a gateway runs on it.

mod account;
mod args;
mod audit;
mod datastore;
mod error;
mod pat;
mod run;
mod show;
mod tenant;

pub(super) use args::AdminArgs;
pub(super) use run::run;
