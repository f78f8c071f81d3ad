//! SQLite behind the ports of the domain rooms.
//!
//! One file in WAL mode, one writer at a time and several readers; every acknowledged write is on the disk. The
//! tests of the ports are written once, in `tests/conformance.rs`, for every implementation to pass.

mod creation;
mod ending;
mod error;
mod fault;
mod log;
mod migrations;
mod mutation;
mod policy;
mod records;
mod rows;
mod search;
mod sqlite;
mod token;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use sqlite::Sqlite;
