//! The query parameters (RFC 8040 4.8).

use axum::http::Method;

use crate::datastore::tree::Position;
use crate::schema::Defaults;
use crate::schema::Schema;

use super::error::Refusal;
use super::fields::Fields;
use super::target::Target;
use super::target::decode;

/// Which of the target's descendants are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) content: Content,
    /// Levels, the target's own included; `None` is all.
    pub(super) depth: Option<u16>,
    pub(super) fields: Option<Fields>,
    pub(super) defaults: Defaults,
    /// What is in force is wanted, not what was configured (RFC 8342 5.3).
    pub(super) in_force: bool,
    /// Where values come from is told (RFC 8527 3.2.2).
    pub(super) origin: bool,
}

/// Configuration, state or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    All,
    Config,
    State,
}

/// Which datastores a request is about (RFC 8527).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datastores {
    /// What is in force of `running`: with nothing between the two, the same.
    Intended,
    /// Configuration in force and state, which is what the unified one shows to readers, too.
    Operational,
    /// What was configured.
    Running,
    /// The one of RFC 8040 3.3.1.
    Unified,
}

impl Datastores {
    /// By the identity below `/restconf/ds`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "ietf-datastores:intended" => Some(Self::Intended),
            "ietf-datastores:operational" => Some(Self::Operational),
            "ietf-datastores:running" => Some(Self::Running),
            _ => None,
        }
    }

    pub(super) const fn are_writable(self) -> bool {
        matches!(self, Self::Running | Self::Unified)
    }

    pub(super) const fn has_state(self) -> bool {
        matches!(self, Self::Operational | Self::Unified)
    }
}

impl View {
    pub(super) const ALL: Self = Self {
        content: Content::All,
        depth: None,
        fields: None,
        defaults: Defaults::Explicit,
        in_force: false,
        origin: false,
    };
}

/// Names and values of a query.
#[derive(Clone, Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Each parameter at most once, and only those that the method takes.
    pub(super) fn parse(method: &Method, text: Option<&str>) -> Result<Self, Refusal> {
        Self::read(text, method.as_str(), Self::known(method))
    }

    /// The parameters that a data resource takes.
    pub(super) const fn known(method: &Method) -> &'static [&'static str] {
        match *method {
            Method::GET | Method::HEAD => {
                &["content", "depth", "fields", "with-defaults", "with-origin"]
            }
            Method::POST | Method::PUT => &["insert", "point"],
            _ => &[],
        }
    }

    /// The parameters that a stream takes.
    pub(super) const fn known_of_stream(group_id: bool) -> &'static [&'static str] {
        if group_id {
            &["filter", "group-id", "start-time", "stop-time"]
        } else {
            &["filter", "start-time", "stop-time"]
        }
    }

    /// The query of a request for an event stream.
    pub(super) fn of_stream(text: Option<&str>, group_id: bool) -> Result<Self, Refusal> {
        Self::read(text, "a stream", Self::known_of_stream(group_id))
    }

    fn read(text: Option<&str>, method: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut found: Vec<(String, String)> = Vec::new();
        for pair in text
            .unwrap_or_default()
            .split('&')
            .filter(|it| !it.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                let message = format!("query parameter \"{name}\" is not known for {method}");
                return Err(Refusal::invalid(message));
            }
            if found.iter().any(|(other, _)| *other == name) {
                let message = format!("query parameter \"{name}\" is given twice");
                return Err(Refusal::invalid(message));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Refuses parameters where none mean anything.
    pub(super) fn expect_none(&self) -> Result<(), Refusal> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(bad(name, "has no meaning there")),
        }
    }

    /// The view of a GET.
    pub(super) fn view(
        &self,
        schema: &Schema,
        target: &Target,
        datastores: Datastores,
    ) -> Result<View, Refusal> {
        let content = match self.get("content") {
            Some(_) if datastores != Datastores::Unified => {
                return Err(bad("content", "is not for a datastore of NMDA"));
            }
            None if !datastores.has_state() => Content::Config,
            None | Some("all") => Content::All,
            Some("config") => Content::Config,
            Some("nonconfig") => Content::State,
            Some(_) => return Err(bad("content", "is none of all, config, nonconfig")),
        };
        let depth = match self.get("depth") {
            None | Some("unbounded") => None,
            Some(text) => match text.parse::<u16>() {
                Ok(depth) if depth > 0 && !text.starts_with('+') => Some(depth),
                _ => return Err(bad("depth", "is neither unbounded nor 1 to 65535")),
            },
        };
        let in_force = datastores == Datastores::Operational;
        let origin = match self.get("with-origin") {
            None => false,
            Some(_) if !in_force => {
                return Err(bad("with-origin", "is for the operational datastore"));
            }
            Some("") => true,
            Some(_) => return Err(bad("with-origin", "takes no value")),
        };
        let defaults = match self.get("with-defaults") {
            // Values in use are part of what is operational.
            None if in_force => Defaults::ReportAll,
            None | Some("explicit") => Defaults::Explicit,
            Some("report-all") => Defaults::ReportAll,
            Some("report-all-tagged") => Defaults::ReportAllTagged,
            Some("trim") => Defaults::Trim,
            Some(_) => return Err(bad("with-defaults", "is not one of RFC 6243's modes")),
        };
        let fields = self.get("fields");
        let fields = fields.map(|text| Fields::parse(schema, target.node(), text));
        Ok(View {
            content,
            depth,
            fields: fields.transpose()?,
            defaults,
            in_force,
            origin,
        })
    }

    /// Where a new entry of `list` goes, if it matters.
    pub(super) fn position(
        &self,
        schema: &Schema,
        list: &Target,
    ) -> Result<Option<Position>, Refusal> {
        let insert = self.get("insert");
        let point = self.get("point");
        if insert.is_none() && point.is_none() {
            return Ok(None);
        }
        let is_ordered = list
            .node()
            .is_some_and(|node| schema.node(node).is_user_ordered);
        if !is_ordered {
            return Err(bad("insert", "is for lists that are ordered by the user"));
        }
        let neighbour = || {
            let path = point.ok_or_else(|| bad("point", "is missing"))?;
            let mut point = Target::parse(schema, path)?;
            let entry = point.steps.pop();
            let mut expected = list.steps.clone();
            let own = expected.pop();
            let is_same_list = entry.as_ref().map(|it| it.node) == own.map(|it| it.node)
                && point.steps == expected;
            entry
                .filter(|entry| is_same_list && !entry.keys.is_empty())
                .map(|entry| entry.keys)
                .ok_or_else(|| bad("point", "is no entry of the same list"))
        };
        match insert {
            Some("first") if point.is_none() => Ok(Some(Position::First)),
            Some("last") if point.is_none() => Ok(Some(Position::Last)),
            Some("before") => Ok(Some(Position::Before(neighbour()?))),
            Some("after") => Ok(Some(Position::After(neighbour()?))),
            Some("first" | "last") | None => {
                Err(bad("point", "is for insert=before and insert=after"))
            }
            Some(_) => Err(bad("insert", "is none of first, last, before, after")),
        }
    }
}

fn bad(name: &str, what: &str) -> Refusal {
    Refusal::invalid(format!("query parameter \"{name}\" {what}"))
}
