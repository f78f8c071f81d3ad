//! What all requests have: a prefix with a target, and paths.

use crate::gnmi::error::Error;
use crate::gnmi::error::Place;
use crate::model::Glob;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::wire::Origins;
use crate::wire::proto::gnmi as pb;
use crate::wire::read_path;
use crate::wire::read_pattern;

/// The prefix of one request, with which its paths are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix<'a>(Option<&'a pb::Path>);

impl<'a> Prefix<'a> {
    /// A prefix that stands before `paths`. It may be missing altogether (cisco-gnmi sends none).
    ///
    /// # Errors
    ///
    /// Where paths are of several origins, the prefix must have no elements (gNMI spec 2.7).
    pub(super) fn read<'p>(
        prefix: Option<&'a pb::Path>,
        paths: impl Iterator<Item = &'p pb::Path>,
    ) -> Result<Self, Error> {
        if prefix.is_some_and(|prefix| !prefix.elem.is_empty()) {
            let mut origins = paths.map(|path| path.origin.as_str());
            let first = origins.next();
            if origins.any(|origin| Some(origin) != first) {
                let problem = "has elems although the paths are of several origins";
                return Err(Error::Field {
                    field: "prefix",
                    problem,
                });
            }
        }
        Ok(Self(prefix))
    }

    /// Whose data. No target is the gateway's own, `*` every named one (design 3).
    pub(super) fn selector(self) -> TargetSelector {
        match self.0.map_or("", |prefix| prefix.target.as_str()) {
            "*" => TargetSelector::All,
            name => TargetSelector::One(Target::new(name)),
        }
    }

    /// Reads a path that may leave things open. What a path covers is recursive, so `...` at its end says nothing.
    pub(super) fn pattern(self, place: Place, path: &pb::Path) -> Result<Pattern, Error> {
        let mut pattern =
            read_pattern(self.0, path, &ORIGINS).map_err(|source| Error::Path { place, source })?;
        if pattern.elems.last() == Some(&Glob::AnyDepth) {
            pattern.elems.pop();
        }
        Ok(pattern)
    }

    /// Reads the path of one node. `cli` takes commands, not data (gNMI spec 2.7.3): not offered.
    pub(super) fn path(self, place: Place, path: &pb::Path) -> Result<Path, Error> {
        if path.origin == CLI {
            return Err(Error::UnsupportedOrigin { place, origin: CLI });
        }
        read_path(self.0, path, &ORIGINS).map_err(|source| Error::Path { place, source })
    }
}

/// Refuses more than `limit` of a repeated field.
pub(super) fn check_count(what: &'static str, count: usize, limit: usize) -> Result<(), Error> {
    if count > limit {
        Err(Error::TooMany { what, limit })
    } else {
        Ok(())
    }
}

const ORIGINS: Origins = Origins::gateway();
const CLI: &str = "cli";
