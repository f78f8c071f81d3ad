//! Configuration of tenants: one record for each entry of the YANG model's lists, and the edits that change them.
//!
//! An edit is validated one entry at a time, never against the whole datastore; whether what an entry refers to exists,
//! whether something refers to it, and whether a name is free, the store's indexes say. An edit is made whole or not at
//! all, and is lost to nobody: two writers of one entry cannot both believe that they were first.

mod apply;
mod changing;
mod edit;
mod effective;
mod error;
mod feed;
mod index;
mod lists;
mod notices;
mod operation;
pub mod port;
mod record;
mod service;
mod state;
pub mod tree;
mod verify;
mod working;

pub use edit::Edit;
pub use edit::Op;
pub use edit::Place;
pub use error::EditError;
pub use feed::Feed;
pub use index::key_of;
pub use index::key_text;
pub use index::keys_of;
pub use notices::Batch;
pub use notices::Notice;
pub use notices::Notices;
pub use operation::DeleteService;
pub use service::Datastore;
pub use service::Outcome;
pub use service::Precondition;
pub use state::Status;
pub use verify::Refused;
pub use verify::Verified;
