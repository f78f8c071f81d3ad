//! `tollgate demo`: a gateway to try out, on loopback, with real measurements and ready commands.

mod accounts;
mod banner;
mod facts;
mod run;
mod sessions;

pub(super) use run::DemoArgs;
pub(super) use run::run;
