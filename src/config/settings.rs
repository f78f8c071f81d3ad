//! All settings of a gateway, checked.

use std::path::PathBuf;

use crate::transport;

use super::Gateway;
use super::Log;
use super::Mistakes;
use super::Sources;
use super::gateway;
use super::log;
use super::reader::Reader;
use super::section::Row;

/// What `serve` runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `[gateway]`: the TLS port.
    pub gateway: Gateway,
    /// `[admin]`: metrics and health.
    pub admin: transport::Config,
    /// `[store]`: where database, pepper and certificates lie.
    pub data_dir: PathBuf,
    /// `[log]`.
    pub log: Log,
}

impl Settings {
    /// Checks everything that the sources say.
    ///
    /// # Errors
    ///
    /// [`Mistakes`], all of them. No file beside the configuration's own is looked at.
    pub fn load(sources: &Sources) -> Result<Self, Mistakes> {
        read(sources).map(|(settings, _)| settings)
    }
}

/// The settings, and one row for each key that there is.
pub(super) fn read(sources: &Sources) -> Result<(Settings, Vec<Row>), Mistakes> {
    let mut reader = Reader::new(sources)?;
    let settings = Settings {
        gateway: gateway::gateway(&mut reader.section("gateway")),
        admin: gateway::admin(&mut reader.section("admin")),
        data_dir: reader.section("store").get(
            "data_dir",
            PathBuf::from(DATA_DIR),
            "Directory of the database, the pepper and the certificates.",
        ),
        log: log::log(&mut reader.section("log")),
    };
    Ok((settings, reader.finish()?))
}

/// Where the Filesystem Hierarchy Standard puts a program's state.
const DATA_DIR: &str = "/var/lib/tollgate";
