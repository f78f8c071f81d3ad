//! `tollgate print-config`: every setting and where it comes from.

use std::process::ExitCode;

use crate::config;

use super::output;
use super::sources::SourceArgs;

/// Prints all settings.
pub(super) fn run(args: &SourceArgs) -> ExitCode {
    match args.read(config::print_config) {
        Ok(report) => {
            let _printed = output::line(report.trim_end());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
