//! SQLite passes the ports' tests, and says clearly what is wrong with a disk or a file.

mod audit;
mod certificates;
mod conformance;
mod sample;
mod sqlite;
mod tokens;
