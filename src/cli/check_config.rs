//! `tollgate check-config`: says everything that is wrong with the configuration, before any port opens.

use std::process::ExitCode;

use crate::config;

use super::output;
use super::sources::SourceArgs;

/// Checks and reports.
pub(super) fn run(args: &SourceArgs) -> ExitCode {
    match args.read(config::check_config) {
        Ok(report) => {
            let _printed = output::line(report.trim_end());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
