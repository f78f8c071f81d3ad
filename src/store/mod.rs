//! SQLite or PostgreSQL behind the ports of the domain rooms.
//!
//! SQLite is one file in WAL mode, PostgreSQL a database that several gateways share. Both have one writer at a time
//! and several readers, and every acknowledged write is on the disk. A statement is written once, for both (`query`); only
//! the schema has a folder for each (`migrations/`). The tests of the ports are written once, too, in `tests/conformance.rs`.

mod address;
mod certificates;
mod changes;
mod committing;
mod creation;
mod database;
mod ending;
mod entries;
mod error;
mod fault;
mod log;
mod migrations;
mod mutation;
mod notices;
mod notifications;
mod outlets;
mod pepper;
mod policy;
mod pools;
mod postgres;
mod query;
mod records;
mod revoking;
mod rows;
mod search;
mod sqlite;
mod token;

#[cfg(test)]
mod tests;

pub use address::PostgresConfig;
pub use address::PostgresUrl;
pub use address::UrlError;
pub use error::Error;
pub use pools::Store;
