//! Extensions of requests (gNMI spec 2.8). Unknown and registered ones are ignored; those that are known and change
//! what is answered are obeyed or refused, never ignored.

use crate::gnmi::error::Error;
use crate::wire::proto::gnmi_ext as ext;
use crate::wire::proto::gnmi_ext::extension::Ext;

/// The depth that a Get or Subscribe asks for; `None` is all levels (gnmi-depth: level 0 is no limit).
pub(super) fn read_depth(extensions: &[ext::Extension]) -> Result<Option<u32>, Error> {
    refuse_history(extensions)?;
    let mut depth = None;
    for extension in extensions {
        if let Some(Ext::Depth(asked)) = &extension.ext
            && depth
                .replace(asked.level)
                .is_some_and(|before| before != asked.level)
        {
            return Err(Error::ExtensionMisplaced("depth, twice and not the same,"));
        }
    }
    Ok(depth.filter(|level| *level > 0))
}

/// Depth means nothing for Capabilities and Set (gnmi-depth).
pub(in crate::gnmi) fn refuse_depth(extensions: &[ext::Extension]) -> Result<(), Error> {
    if extensions
        .iter()
        .any(|extension| matches!(extension.ext, Some(Ext::Depth(_))))
    {
        return Err(Error::ExtensionMisplaced("depth"));
    }
    Ok(())
}

/// The arbitration claim of a Set. Commits cannot be confirmed: free-form telemetry has nothing to roll back to.
pub(super) fn read_arbitration(
    extensions: &[ext::Extension],
) -> Result<Option<ext::MasterArbitration>, Error> {
    refuse_depth(extensions)?;
    let mut claim = None;
    for extension in extensions {
        match &extension.ext {
            Some(Ext::Commit(_)) => return Err(Error::ExtensionUnsupported("commit")),
            Some(Ext::MasterArbitration(asked)) => claim = Some(asked.clone()),
            _ => {}
        }
    }
    Ok(claim)
}

/// No history is kept, and nothing tells configuration from state well enough to subscribe to the one alone.
fn refuse_history(extensions: &[ext::Extension]) -> Result<(), Error> {
    for extension in extensions {
        match &extension.ext {
            Some(Ext::ConfigSubscription(_)) => {
                return Err(Error::ExtensionUnsupported("config_subscription"));
            }
            Some(Ext::History(_)) => return Err(Error::ExtensionUnsupported("history")),
            _ => {}
        }
    }
    Ok(())
}
