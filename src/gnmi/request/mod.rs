//! Messages become parsed requests: past here nothing is checked again.

mod extension;
mod get;
mod paths;
mod set;
mod subscribe;

pub(super) use extension::refuse_depth;
pub(super) use get::GetRequest;
pub(super) use get::read_get;
pub(super) use set::Change;
pub(super) use set::Operation;
pub(super) use set::SetRequest;
pub(super) use set::read_set;
pub(super) use subscribe::SubscribeRequest;
pub(super) use subscribe::read_subscribe;
