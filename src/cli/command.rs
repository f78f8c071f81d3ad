//! The commands, and which one the command line names.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

use super::admin;
use super::ca;
use super::check_config;
use super::demo;
use super::enroll;
use super::gnmicli;
use super::load;
use super::print_config;
use super::reload;
use super::serve;
use super::sources::SourceArgs;

/// A gNMI streaming gateway with Personal Access Tokens
#[derive(Debug, Parser)]
#[command(name = "tollgate", version)]
struct Tollgate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Manage tenants, people, service accounts and tokens of a data directory
    Admin(admin::AdminArgs),
    /// The certificate authority of a data directory: make, show, roll over, revoke
    Ca(ca::CaArgs),
    /// Check the configuration and say everything that is wrong with it
    CheckConfig(SourceArgs),
    /// Run a gateway to try out: own store, own CA, real measurements, ready commands
    Demo(demo::DemoArgs),
    /// Make a key, have a gateway certify it, and keep the certificate fresh
    Enroll(enroll::EnrollArgs),
    /// Stream one query from a gNMI server and print a line per value
    Gnmicli(gnmicli::GnmicliArgs),
    /// Put load on a gNMI server and measure what arrives
    Load(Box<load::LoadArgs>),
    /// Print every setting, where it comes from, and what it may be
    PrintConfig(SourceArgs),
    /// Have the running gateway read its certificate files again
    Reload(SourceArgs),
    /// Run the gateway
    Serve(SourceArgs),
}

/// Does what the process's command line says. Called by the name `gnmicli`, the program is that client.
pub fn run() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let name = words.first().and_then(|word| Path::new(word).file_stem());
    if name.is_some_and(|name| name == GNMICLI) {
        words.insert(1, GNMICLI.into());
    }
    match Tollgate::parse_from(words).command {
        Command::Admin(args) => admin::run(args),
        Command::Ca(args) => ca::run(args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Enroll(args) => enroll::run(args),
        Command::Gnmicli(args) => gnmicli::run(&args),
        Command::Load(args) => load::run(&args),
        Command::PrintConfig(args) => print_config::run(&args),
        Command::Reload(args) => reload::run(&args),
        Command::Serve(args) => serve::run(&args),
    }
}

const GNMICLI: &str = "gnmicli";
