//! `[log]`: what is written to standard error.

use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use super::Fault;
use super::raw::Given;
use super::section::Section;
use super::setting::Setting;
use super::setting::quoted;
use super::setting::text;

/// How the process logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What is logged.
    pub filter: LogFilter,
    /// How it looks.
    pub format: LogFormat,
}

/// A filter in the language of `tracing_subscriber::EnvFilter`, known to parse: `info`, `info,tollgate::iam=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line, for collectors.
    Json,
    /// For people.
    Text,
}

/// Reads `[log]`.
pub(super) fn log(section: &mut Section<'_, '_>) -> Log {
    Log {
        filter: section.get(
            "level",
            LogFilter("info".to_owned()),
            "What is logged: error, warn, info, debug; also per part: `info,tollgate::iam=debug`.",
        ),
        format: section.get(
            "format",
            LogFormat::Text,
            "`text` for people, `json` for collectors.",
        ),
    }
}

impl LogFilter {
    /// The filter for the subscriber.
    pub fn to_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl FromStr for LogFilter {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let fault =
            Fault::Expected("a level, or levels per part such as \"info,tollgate::iam=debug\"");
        // The parser takes any word for a target; a lone misspelt level would silence everything.
        let are_levels = text.split(',').all(|part| {
            let level = part.rsplit('=').next().unwrap_or(part).trim();
            LEVELS.contains(&level.to_ascii_lowercase().as_str())
        });
        if are_levels && EnvFilter::builder().parse(text).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(fault)
        }
    }
}

impl Setting for LogFilter {
    const KIND: &'static str = "filter";

    fn read(given: &Given) -> Result<Self, Fault> {
        text(given).unwrap_or_default().parse()
    }

    fn write(&self) -> String {
        quoted(&self.0)
    }
}

impl Setting for LogFormat {
    const KIND: &'static str = "text or json";

    fn read(given: &Given) -> Result<Self, Fault> {
        match text(given) {
            Some("json") => Ok(Self::Json),
            Some("text") => Ok(Self::Text),
            _ => Err(Fault::Expected("\"text\" or \"json\"")),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
