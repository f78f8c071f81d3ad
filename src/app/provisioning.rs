//! What RESTCONF and gNMI provision: YANG modules and the datastore.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::schema::Schema;
use crate::schema::Source;

use super::Error;
use super::Local;

/// Loads the modules of `folder`, or the program's own, and opens what the store has for them.
pub(super) fn open_datastore(
    folder: Option<&Path>,
    local: &Local,
    clock: Clock,
) -> Result<Datastore, Error> {
    let source = folder.map_or(Source::Embedded, Source::Folder);
    let schema = Schema::load(source).map_err(Error::Schema)?;
    Ok(Datastore::new(
        Arc::new(schema),
        Arc::new(local.store.clone()),
        clock,
    ))
}
