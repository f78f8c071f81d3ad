//! Configuration of a tenant and its state as a part of the gNMI tree, under the origin `rfc7951`.
//!
//! Reading goes to a copy of the datastore in the telemetry core, where subscribers are served like those of any other
//! data: `mirror` keeps it and follows the commits, `loading` copies all, `leaves` turns entries into leaves. Writing goes to the datastore:
//! `plan` turns a Set into its edits, with the help of `steps` for paths and `value` for values. `access` says who may.

mod access;
mod leaves;
mod loading;
mod mirror;
mod plan;
mod refusal;
mod steps;
#[cfg(test)]
mod tests;
mod value;

pub(super) use access::Need;
pub(super) use access::is_provisioned;
pub(super) use access::narrow;
pub(super) use access::narrow_list;
pub(super) use access::need;
pub(super) use mirror::Mirror;
pub(super) use mirror::MirrorError;
pub(super) use plan::Plan;
pub(super) use plan::Wanted;
pub(super) use refusal::Refusal;
pub(super) use steps::module;
