//! SQLite behind the ports of the domain rooms.
//!
//! One file in WAL mode, one writer at a time and several readers; every acknowledged write is on the disk. The
//! tests of the ports are written once, in `tests/conformance.rs`, for every implementation to pass.

mod creation;
mod error;
mod fault;
mod log;
mod migrations;
mod mutation;
mod records;
mod rows;
mod sqlite;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use sqlite::Sqlite;
