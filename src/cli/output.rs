//! What commands print: the one place that writes to the terminal.

use std::error::Error;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::process::ExitCode;

use crate::redact::mask;

/// Writes a line to standard output. An error means that nobody reads it any more.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Says why a command failed, with all causes, and gives its exit code.
pub(super) fn failure(error: &dyn Error) -> ExitCode {
    complain(&chain(error));
    ExitCode::FAILURE
}

/// Says what is wrong with the configuration. Exit code 64 is EX_USAGE of sysexits.
pub(super) fn misconfigured(error: &dyn Error) -> ExitCode {
    complain(&chain(error));
    ExitCode::from(64)
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn complain(text: &str) {
    let text = mask(text);
    // Nobody is left to tell when standard error is closed.
    let _unheard = writeln!(io::stderr().lock(), "tollgate: {text}");
}

/// Overwrites the progress line, where a person watches; an empty one removes it.
pub(super) fn progress(text: &str) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        // Progress that cannot be shown is not missed.
        let _unseen = write!(err, "\r\x1b[K{text}").and_then(|()| err.flush());
    }
}
