//! Both databases pass the ports' tests, and say clearly what is wrong with a disk, a file or a server.

mod audit;
mod certificates;
mod conformance;
mod ending;
mod entries;
mod nodes;
mod notices;
mod policy;
mod postgres;
mod records;
mod sample;
#[path = "../../../tests/it/postgres.rs"]
mod server;
mod sqlite;
mod tokens;
