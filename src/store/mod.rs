//! SQLite behind the ports of the domain rooms.
//!
//! One file in WAL mode, one writer at a time and several readers; every acknowledged write is on the disk.

mod error;
mod fault;
mod log;
mod migrations;
mod mutation;
mod records;
mod rows;
mod sqlite;

pub use error::Error;
pub use sqlite::Sqlite;
