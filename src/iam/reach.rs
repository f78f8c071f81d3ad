//! What part of a tenant's telemetry a credential reaches (gNMI rule 71).

use std::sync::Arc;

use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TooOpen;

use super::Scope;

/// The paths and targets of a token's scopes. Without any it is everything, which costs one look at an empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach(Arc<[Scope]>);

impl Reach {
    pub(super) fn of(scopes: &Arc<[Scope]>) -> Self {
        let limits = |scope: &Scope| matches!(scope, Scope::Path(_) | Scope::Target(_));
        if scopes.iter().any(limits) {
            Self(Arc::clone(scopes))
        } else {
            Self::default()
        }
    }

    /// Whether nothing is out of reach.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// What of the targets asked for can be reached; `None` where none can.
    pub fn select(&self, asked: &TargetSelector) -> Option<TargetSelector> {
        if self.targets().next().is_none() {
            return Some(asked.clone());
        }
        let mut reached = self
            .targets()
            .filter(|target| asked.means(target))
            .cloned()
            .collect::<Vec<_>>();
        reached.sort();
        reached.dedup();
        match asked {
            _ if reached.is_empty() => None,
            TargetSelector::One(_) => Some(asked.clone()),
            TargetSelector::All | TargetSelector::Among(_) => {
                Some(TargetSelector::Among(reached.into()))
            }
        }
    }

    /// What of the nodes asked for can be reached; nothing where none can.
    ///
    /// # Errors
    ///
    /// [`TooOpen`] where it cannot be named.
    pub fn narrow(&self, asked: &Pattern) -> Result<Vec<Pattern>, TooOpen> {
        if self.areas().next().is_none() || self.covers(asked) {
            return Ok(vec![asked.clone()]);
        }
        let mut parts: Vec<Pattern> = Vec::new();
        for area in self.areas() {
            for part in asked.within(area)? {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        Ok(parts)
    }

    /// Whether all of the nodes asked for can be reached.
    pub fn covers(&self, asked: &Pattern) -> bool {
        let mut areas = self.areas().peekable();
        areas.peek().is_none() || areas.any(|area| asked.is_within(area))
    }

    /// Whether a node can be reached.
    pub fn includes(&self, path: &Path) -> bool {
        let mut areas = self.areas().peekable();
        areas.peek().is_none() || areas.any(|area| area.includes(path))
    }

    fn areas(&self) -> impl Iterator<Item = &Pattern> {
        self.0.iter().filter_map(|scope| match scope {
            Scope::Path(area) => Some(area),
            _ => None,
        })
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
        self.0.iter().filter_map(|scope| match scope {
            Scope::Target(target) => Some(target),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(scopes: &[&str]) -> Reach {
        let scopes = scopes.iter().map(|text| text.parse().unwrap());
        Reach::of(&scopes.collect())
    }

    fn pattern(text: &str) -> Pattern {
        let Ok(Scope::Path(pattern)) = format!("path:{text}").parse() else {
            panic!("{text}");
        };
        pattern
    }

    fn narrowed(reach: &Reach, text: &str) -> Vec<String> {
        let parts = reach.narrow(&pattern(text)).unwrap();
        parts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reach_without_paths_and_targets_is_everything() {
        let all = reach(&["read-only"]);
        assert!(all.is_everything());
        assert_eq!(narrowed(&all, "/a"), ["/a"]);
        assert_eq!(all.select(&TargetSelector::All), Some(TargetSelector::All));
    }

    #[test]
    fn reach_leaves_of_a_request_what_the_paths_allow() {
        let some = reach(&["path:/a/b[k=1]", "path:/c", "path:/a/b[k=2]/d"]);
        assert_eq!(narrowed(&some, "/a"), ["/a/b[k=1]", "/a/b[k=2]/d"]);
        assert_eq!(narrowed(&some, "/*/b[k=2]"), ["/c/b[k=2]", "/a/b[k=2]/d"]);
        assert_eq!(narrowed(&some, "/c/e"), ["/c/e"]);
        assert!(narrowed(&some, "/a/b[k=3]").is_empty());
        assert!(some.covers(&pattern("/a/b[k=1]/x")));
        assert!(!some.covers(&pattern("/a/b")));
    }

    #[test]
    fn reach_leaves_of_the_targets_those_that_are_named() {
        let one = |name: &str| TargetSelector::One(Target::new(name));
        let some = reach(&["target:r2", "target:r1", "target:"]);
        let among = TargetSelector::Among([Target::new("r1"), Target::new("r2")].into());
        assert_eq!(some.select(&TargetSelector::All), Some(among));
        assert_eq!(some.select(&one("r1")), Some(one("r1")));
        assert_eq!(some.select(&one("")), Some(one("")));
        assert_eq!(some.select(&one("r3")), None);
        assert_eq!(reach(&["target:"]).select(&TargetSelector::All), None);
    }
}
