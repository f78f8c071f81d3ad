//! All settings of a gateway, checked.

use std::path::PathBuf;

use crate::accounts;
use crate::enroll;
use crate::gnmi;
use crate::iam;
use crate::oauth;
use crate::restconf;
use crate::store::PostgresConfig;
use crate::syslog;
use crate::telemetry;
use crate::transport;
use crate::webhook;

use super::Bootstrap;
use super::Gateway;
use super::Introspection;
use super::Log;
use super::Measure;
use super::Mistakes;
use super::Sources;
use super::gateway;
use super::introspection::introspection;
use super::log;
use super::reader::Reader;
use super::section::Row;

/// What `serve` runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[gateway]`: the TLS port.
    pub gateway: Gateway,
    /// `[admin]`: metrics and health.
    pub admin: transport::Config,
    /// `[store]`: where pepper, certificates and, unless it is shared, the database lie.
    pub data_dir: PathBuf,
    /// `[store]`: the database that gateways share, instead of one of our own.
    pub shared_store: Option<PostgresConfig>,
    /// `[log]`.
    pub log: Log,
    /// `[bootstrap]`: the first administrator.
    pub bootstrap: Option<Bootstrap>,
    /// `[iam]`: how credentials are checked.
    pub iam: iam::Config,
    /// `[iam]`: what the token endpoint gives.
    pub oauth: oauth::Config,
    /// `[iam.introspection]`: another issuer whose tokens are taken.
    pub introspection: Option<Introspection>,
    /// `[compat]`: where the account API departs from the vendor's.
    pub accounts: accounts::Config,
    /// `[enroll]`: who is given certificates, and for how long.
    pub enroll: enroll::Config,
    /// The keys of `[iam]` that begin with `webhook_`: whom to tell of tokens that end.
    pub webhook: Option<webhook::Config>,
    /// The keys of `[iam]` that begin with `syslog_`: who is sent the audit trail.
    pub syslog: Option<syslog::Config>,
    /// `[telemetry]`: what tree and queues may hold.
    pub telemetry: telemetry::Config,
    /// `[gnmi]`: what requests may ask for.
    pub gnmi: gnmi::Config,
    /// `[restconf]`: a folder of YANG modules instead of the program's own.
    pub yang_dir: Option<PathBuf>,
    /// `[restconf.compat]`: where RESTCONF departs from the RFCs.
    pub restconf: restconf::Config,
    /// `[measure]`: what the gateway measures itself.
    pub measure: Measure,
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
    let settings = ask(&mut reader);
    Ok((settings, reader.finish()?))
}

/// One row for each key that there can be, with one example of each array.
pub(super) fn document() -> Vec<Row> {
    let mut reader = Reader::documenting();
    ask(&mut reader);
    reader.rows()
}

fn ask(reader: &mut Reader<'_>) -> Settings {
    let gateway = gateway::gateway(&mut reader.section("gateway"));
    let admin = gateway::admin(&mut reader.section("admin"));
    let (data_dir, shared_store) = super::store::store(&mut reader.section("store"));
    let lists_url = gateway.lists_url();
    Settings {
        gateway,
        admin,
        data_dir,
        shared_store,
        log: log::log(&mut reader.section("log")),
        bootstrap: super::bootstrap::bootstrap(&mut reader.section("bootstrap")),
        iam: super::iam::iam(&mut reader.section("iam")),
        oauth: super::iam::oauth(&mut reader.section("iam")),
        webhook: super::webhook::webhook(&mut reader.section("iam")),
        syslog: super::syslog::syslog(&mut reader.section("iam")),
        introspection: introspection(&mut reader.section("iam.introspection")),
        enroll: super::enroll::enroll(&mut reader.section("enroll"), lists_url),
        accounts: super::iam::compat(&mut reader.section("compat")),
        telemetry: super::telemetry::telemetry(&mut reader.section("telemetry")),
        gnmi: super::telemetry::gnmi(&mut reader.section("gnmi")),
        yang_dir: reader.section("restconf").optional(
            "yang_dir",
            "Folder of `.yang` files to serve instead of the program's own modules.",
        ),
        restconf: super::restconf::compat(&mut reader.section("restconf.compat")),
        measure: super::measure::measure(&mut reader.section("measure")),
    }
}
