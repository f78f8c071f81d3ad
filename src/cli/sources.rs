//! Where a command's configuration comes from.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::config::Mistakes;
use crate::config::ReadError;
use crate::config::Sources;

use super::output;

/// The configuration's file and flags.
#[derive(Args, Debug)]
pub(super) struct SourceArgs {
    /// Configuration file (TOML)
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting that overrides file and environment, such as --set gateway.listen=127.0.0.1:8443
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
}

impl SourceArgs {
    /// File, environment and flags together.
    pub(super) fn sources(&self) -> Result<Sources, ReadError> {
        let mut sources = Sources::new().with_process_environment();
        if let Some(file) = &self.config {
            sources = sources.with_file(file)?;
        }
        for (key, value) in &self.settings {
            sources = sources.with_flag(key, value);
        }
        Ok(sources)
    }

    /// What `read` makes of them. Mistakes are told, and the exit code for them returned.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Sources) -> Result<T, Mistakes>,
    ) -> Result<T, ExitCode> {
        let sources = self
            .sources()
            .map_err(|error| output::misconfigured(&error))?;
        read(&sources).map_err(|mistakes| output::misconfigured(&mistakes))
    }
}

fn parse_setting(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("not of the form KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
