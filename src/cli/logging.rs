//! Starting the log, in which no secret may stand (iam A3).

use std::backtrace::Backtrace;
use std::backtrace::BacktraceStatus;
use std::io;
use std::io::Write;
use std::panic::Location;
use std::panic::PanicHookInfo;

use tracing_subscriber::fmt::MakeWriter;

use crate::config::Log;
use crate::config::LogFormat;
use crate::redact::mask;

/// Sends log lines to standard error, as the settings say, and panics to the log. The first call in a process counts.
pub(super) fn start(log: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(log.filter.to_filter())
        .with_writer(Masked(io::stderr));
    let started = match log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// What a panic says goes the way of every other line. The default hook would print it as it is.
fn log_panic(panic: &PanicHookInfo<'_>) {
    log_panicked(panic.payload_as_str(), panic.location());
}

fn log_panicked(said: Option<&str>, at: Option<&Location<'_>>) {
    let at = at.map(ToString::to_string);
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(said, at, trace, "panicked");
}

/// Makes writers through which no secret passes.
struct Masked<M>(M);

/// Masks each text that is written at once. The log writes a line, whole, at once.
struct MaskedWriter<W>(W);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Masked<M> {
    type Writer = MaskedWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        MaskedWriter(self.0.make_writer())
    }
}

impl<W: Write> Write for MaskedWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(mask(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::iam::AuthError;
    use crate::iam::Credential;
    use crate::secret::Secret;

    const TOKEN: &str = "tgpat_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ_0aB1cD";

    /// What was written.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `say` logs, as text and as JSON.
    fn logged(say: impl Fn()) -> String {
        let lines = Lines::default();
        let writer = || {
            let lines = lines.clone();
            Masked(move || lines.clone())
        };
        let text = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(writer());
        let json = tracing_subscriber::fmt::layer()
            .json()
            .with_writer(writer());
        let subscriber = tracing_subscriber::registry().with(text).with(json);
        tracing::subscriber::with_default(subscriber, say);
        let bytes = lines.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_token_or_password_passes_through_events_spans_errors_debug_and_panics() {
        let password = "correct horse";
        let credential = Credential::Password {
            username: TOKEN.to_owned(),
            password: Secret::new(password),
        };
        let log = logged(|| {
            let span = tracing::error_span!("request", token = TOKEN, header = ?TOKEN);
            let _entered = span.enter();
            tracing::error!("used {TOKEN}");
            tracing::error!(authorization = %format!("Bearer {TOKEN}"), "refused");
            tracing::error!(password, ?credential, "logged in");
            tracing::error!(error = %AuthError::Garbled, path = format!("/x?token={TOKEN}"), "failed");
            log_panicked(Some(&format!("with {TOKEN}")), Some(Location::caller()));
        });
        assert!(log.contains("panicked"), "{log}");
        assert!(log.contains("tgpat_***"), "{log}");
        for hidden in [TOKEN, "abcdefghij", password, "correct"] {
            assert!(!log.contains(hidden), "{log}");
        }
    }
}
