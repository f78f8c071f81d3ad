//! RESTCONF: its YANG modules, the datastore, and the service on top.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Settings;
use crate::datastore::Datastore;
use crate::restconf;
use crate::schema::Schema;
use crate::schema::Source;

use super::Error;
use super::Local;

/// Loads the modules of the configured folder, or the program's own, and puts RESTCONF on top of the store.
pub(super) fn open_restconf(
    settings: &Settings,
    local: &Local,
    clock: Clock,
) -> Result<restconf::Service, Error> {
    let source = settings.yang_dir.as_deref();
    let source = source.map_or(Source::Embedded, Source::Folder);
    let schema = Schema::load(source).map_err(Error::Schema)?;
    let datastore = Datastore::new(
        Arc::new(schema),
        Arc::new(local.store.clone()),
        clock.clone(),
    );
    let config = settings.restconf;
    Ok(restconf::Service::new(
        &local.identity,
        datastore,
        clock,
        config,
    ))
}
