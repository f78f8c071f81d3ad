//! The command line: one file per command. Commands read arguments, call a room, and print what it says.

mod admin;
mod ca;
mod check_config;
mod command;
mod demo;
mod enroll;
mod gnmicli;
mod load;
mod logging;
mod output;
mod print_config;
mod reload;
mod serve;
mod sources;

pub use command::run;
