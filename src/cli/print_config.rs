//! `tollgate print-config`: every setting and where it comes from.

use std::process::ExitCode;

use crate::config;

use super::output;
use super::sources::SourceArgs;

/// Prints all settings.
pub(super) fn run(args: &SourceArgs) -> ExitCode {
    let sources = match args.sources() {
        Ok(sources) => sources,
        Err(error) => return output::misconfigured(&error),
    };
    match config::print_config(&sources) {
        Ok(report) => {
            let _printed = output::line(report.trim_end());
            ExitCode::SUCCESS
        }
        Err(mistakes) => output::misconfigured(&mistakes),
    }
}
