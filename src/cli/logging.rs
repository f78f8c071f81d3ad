//! Starting the log.

use std::io;

use crate::config::Log;
use crate::config::LogFormat;

/// Sends log lines to standard error, as the settings say. The first call in a process counts.
pub(super) fn start(log: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(log.filter.to_filter())
        .with_writer(io::stderr);
    let _already_started = match log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
}
