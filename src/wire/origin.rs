//! Which schema a path belongs to, where the client did not say so in the field that is meant for
//! it.
//!
//! No schema is consulted: a short table of known origins decides (gNMI spec 2.7.1, rule 11).

use super::path::is_wildcard;
use crate::model::Origin;

/// The origins that paths may name in other ways than by the `origin` field.
#[derive(Clone, Copy, Debug)]
pub struct Origins {
    known: &'static [KnownOrigin],
    default_roots: &'static [&'static str],
}

/// One origin and how it is recognised.
#[derive(Debug)]
struct KnownOrigin {
    name: &'static str,
    /// The YANG module whose name qualifies members in RFC 7951 JSON, where it is one.
    module: Option<&'static str>,
    /// What may stand before the colon: the module's name and its prefix.
    prefixes: &'static [&'static str],
    /// Names of its root elements.
    roots: &'static [&'static str],
    /// A first element that clients write though the schema has none: it is dropped.
    envelope: &'static str,
}

/// The outcome: the origin, and how many leading elements said only that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// `None` spans all origins.
    pub(super) origin: Option<Origin>,
    pub(super) dropped: usize,
}

impl Origins {
    /// Those of the gateway's own data.
    pub const fn gateway() -> Self {
        Self {
            known: &[ACCEDIAN, PROVISIONED],
            default_roots: &[],
        }
    }

    /// The YANG module that an origin's names belong to, where that is known.
    pub fn module_of(&self, origin: &Origin) -> Option<&'static str> {
        self.named(origin.as_str())?.module
    }

    /// Finds the origin of a path from the field's content and the names of its elements.
    pub(super) fn resolve<'n>(
        &self,
        field: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Resolved {
        let mut names = names.into_iter();
        if !field.is_empty() {
            let envelope = self.named(field).zip(names.next());
            return Resolved {
                origin: Some(Origin::new(field)),
                // pygnmi turns `/accedian:session/..` into origin `accedian` and a bare `session`.
                dropped: usize::from(envelope.is_some_and(|(known, name)| {
                    known.is_envelope(name) || name == known.envelope
                })),
            };
        }
        match names.next() {
            None => Resolved {
                origin: None,
                dropped: 0,
            },
            Some(first) if is_wildcard(first) => Resolved {
                origin: None,
                dropped: 0,
            },
            Some(first) => self.resolve_first(first, names.next()),
        }
    }

    fn resolve_first(&self, first: &str, second: Option<&str>) -> Resolved {
        let found = |known: &KnownOrigin, dropped: usize| Resolved {
            origin: Some(Origin::new(known.name)),
            dropped,
        };
        let default = Resolved {
            origin: Some(Origin::default()),
            dropped: 0,
        };
        if let Some((module, _)) = split_module(first) {
            // The module says it, whatever the node: `accedian:object-type`, `accedian:session`.
            return self
                .known
                .iter()
                .find(|known| known.prefixes.contains(&module))
                .map_or(default, |known| {
                    found(known, usize::from(known.is_envelope(first)))
                });
        }
        if self.default_roots.contains(&first) {
            return default;
        }
        if let Some(known) = self.named(first) {
            let envelope = second.is_some_and(|second| known.is_envelope(second));
            return found(known, 1 + usize::from(envelope));
        }
        self.known
            .iter()
            .find(|known| known.roots.contains(&first))
            .map_or(default, |known| found(known, 0))
    }

    fn named(&self, name: &str) -> Option<&'static KnownOrigin> {
        self.known.iter().find(|known| known.name == name)
    }
}

impl KnownOrigin {
    fn is_envelope(&self, name: &str) -> bool {
        split_module(name)
            .is_some_and(|(module, rest)| self.prefixes.contains(&module) && rest == self.envelope)
    }
}

/// `module:name` in two, where the first part is a YANG identifier (RFC 7950 6.2) and the second is
/// not empty.
pub(super) fn split_module(name: &str) -> Option<(&str, &str)> {
    name.split_once(':')
        .filter(|(module, rest)| is_identifier(module) && !rest.is_empty())
}

/// A name without its module.
pub(super) fn bare_name(name: &str) -> &str {
    split_module(name).map_or(name, |(_, rest)| rest)
}

/// Whether a text is a YANG identifier (RFC 7950 6.2).
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// The vendor's gNMI model. Its public example starts with an element that its YANG does not have.
const ACCEDIAN: KnownOrigin = KnownOrigin {
    name: "accedian",
    module: Some("accedian-session"),
    prefixes: &["accedian", "accedian-session"],
    roots: &["object-type"],
    envelope: "session",
};

/// The origin of what the datastore holds: configuration and state of the RESTCONF models.
pub const RFC7951: &str = "rfc7951";

/// The RESTCONF models. A path may say so by a module's name, as RFC 7951 and RESTCONF write it:
/// `Accedian-session:sessions`. A bare root does not: sources may publish what they call `services`.
const PROVISIONED: KnownOrigin = KnownOrigin {
    name: RFC7951,
    module: None,
    prefixes: &[
        "Accedian-alert",
        "Accedian-metadata",
        "Accedian-service",
        "Accedian-service-endpoint",
        "Accedian-session",
    ],
    roots: &[],
    envelope: "",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: &str, names: &[&str], origin: Option<&str>, dropped: usize) {
        let resolved = Origins::gateway().resolve(field, names.iter().copied());
        let origin = origin.map(Origin::new);
        assert_eq!(resolved, Resolved { origin, dropped }, "{field} {names:?}");
    }

    #[test]
    fn origin_is_found_however_clients_say_it() {
        check(
            "",
            &["accedian:session", "object-type"],
            Some("accedian"),
            1,
        );
        check("", &["accedian:object-type"], Some("accedian"), 0);
        check("", &["accedian-session:object-type"], Some("accedian"), 0);
        check("", &["accedian", "object-type"], Some("accedian"), 1);
        check(
            "",
            &["accedian", "accedian:session", "x"],
            Some("accedian"),
            2,
        );
        check("", &["accedian"], Some("accedian"), 1);
        check("", &["object-type"], Some("accedian"), 0);
        check("accedian", &["accedian:session"], Some("accedian"), 1);
        check("accedian", &["object-type"], Some("accedian"), 0);
    }

    #[test]
    fn origin_of_the_restconf_models_is_named_or_comes_with_a_module() {
        check("rfc7951", &["sessions"], Some("rfc7951"), 0);
        check(
            "rfc7951",
            &["Accedian-session:sessions"],
            Some("rfc7951"),
            0,
        );
        check("", &["Accedian-session:sessions"], Some("rfc7951"), 0);
        check("", &["rfc7951", "sessions"], Some("rfc7951"), 1);
        check("", &["sessions"], Some(""), 0);
        check("accedian", &["sessions"], Some("accedian"), 0);
    }

    #[test]
    fn origin_is_the_default_where_nothing_else_is_known() {
        check("", &["interfaces"], Some(""), 0);
        check("", &["openconfig-interfaces:interfaces"], Some(""), 0);
        check("", &["unknown:*"], Some(""), 0);
        check("openconfig", &["object-type"], Some(""), 0);
        check("other", &["accedian:session"], Some("other"), 0);
        check("other", &[], Some("other"), 0);
    }

    #[test]
    fn origin_is_open_for_the_root_and_leading_wildcards() {
        check("", &[], None, 0);
        check("", &["*", "object-type"], None, 0);
        check("", &["..."], None, 0);
        check("", &["accedian:*"], Some("accedian"), 0);
    }

    #[test]
    fn origin_name_that_is_a_default_root_stays_an_element() {
        let origins = Origins {
            default_roots: &["accedian"],
            ..Origins::gateway()
        };
        let resolved = origins.resolve("", ["accedian"]);
        assert_eq!(resolved.origin, Some(Origin::default()));
        assert_eq!(resolved.dropped, 0);
    }

    #[test]
    fn module_is_split_off_only_where_it_is_an_identifier() {
        assert_eq!(split_module("a-b.c_1:x:y"), Some(("a-b.c_1", "x:y")));
        for name in ["a", ":a", "a:", "1a:b", "a b:c", "a/b:c", "é:c"] {
            assert_eq!(split_module(name), None, "{name}");
        }
    }
}
