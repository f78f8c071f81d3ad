//! File, flags and environment become checked settings.
//!
//! Three steps: text is parsed with the place of every value kept ([`Sources`], `raw`); each section reads its keys
//! through one reader that knows precedence, defaults and documentation (`section`, `reader`); what comes out
//! is [`Settings`], made of the rooms' own configurations. Every mistake is collected and reported with the others
//! ([`Mistakes`]); nothing is opened here.
//!
//! Precedence: flag, then environment (`TOLLGATE_SECTION_KEY`), then file, then default. The environment is read
//! here alone. The configuration holds no secrets, only names of files that do.
//!
//! A new key is one line in its section's file: name, default, limits, documentation. The table in the README is
//! made from the same line ([`documentation`]).

mod bootstrap;
mod clients;
mod enroll;
mod gateway;
mod iam;
mod introspection;
mod log;
mod measure;
mod mistake;
mod origin;
mod raw;
mod reader;
mod report;
mod restconf;
mod section;
mod setting;
mod settings;
mod sources;
mod store;
mod suggestion;
mod syslog;
mod telemetry;
mod webhook;

#[cfg(test)]
mod tests;

pub use bootstrap::Bootstrap;
pub use clients::Clients;
pub use gateway::Certificate;
pub use gateway::Gateway;
pub use introspection::Introspection;
pub use log::Log;
pub use log::LogFilter;
pub use log::LogFormat;
pub use measure::Measure;
pub use measure::Session;
pub use mistake::Fault;
pub use mistake::Mistake;
pub use mistake::Mistakes;
pub use origin::Origin;
pub use report::check_config;
pub use report::documentation;
pub use report::print_config;
pub use settings::Settings;
pub use sources::ReadError;
pub use sources::Sources;
