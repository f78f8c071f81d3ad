//! Which notifications a reader wants (RFC 8040 4.8.4, Accedian's group ids).

use serde_json::Value;

use crate::datastore::Notice;
use crate::schema::Schema;

use super::error::Refusal;

/// A filter. Without any part, all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// `module:notification`; without one, any.
    pub(super) kind: Option<String>,
    pub(super) group: Option<String>,
    /// Any of these must fit, if there are some.
    paths: Vec<Branch>,
}

/// `/module:notification[leaf='value']`: of several conditions all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Branch {
    kind: String,
    conditions: Vec<(String, String)>,
}

impl Filter {
    /// Adds what `filter` says: one path or several with `|` between them, each a notification with conditions on leaves
    /// of its own. This is the part of XPath that is understood.
    pub(super) fn narrow(&mut self, schema: &Schema, text: &str) -> Result<(), Refusal> {
        let mut rest = text.trim();
        loop {
            let (branch, after) = Branch::parse(schema, rest)?;
            self.paths.push(branch);
            if self.paths.len() > MOST_BRANCHES {
                return Err(broken());
            }
            match after.trim_start().strip_prefix('|') {
                Some(after) => rest = after.trim_start(),
                None if after.trim().is_empty() => return Ok(()),
                None => return Err(broken()),
            }
        }
    }

    /// Whether a notification passes.
    pub(super) fn passes(&self, notice: &Notice) -> bool {
        let is_kind = self.kind.as_deref().is_none_or(|kind| kind == notice.kind);
        let is_group = self.group.is_none() || self.group == notice.group;
        let is_path = self.paths.is_empty() || self.paths.iter().any(|it| it.fits(notice));
        is_kind && is_group && is_path
    }
}

impl Branch {
    fn parse<'a>(schema: &Schema, text: &'a str) -> Result<(Self, &'a str), Refusal> {
        let text = text.strip_prefix('/').ok_or_else(broken)?;
        let end = text.find(['[', '|', ' ']).unwrap_or(text.len());
        let (kind, mut rest) = text.split_at(end);
        if !schema.notifications().iter().any(|it| it == kind) {
            return Err(Refusal::invalid("filter names no notification"));
        }
        let mut conditions = Vec::new();
        while let Some(inner) = rest.trim_start().strip_prefix('[') {
            let (leaf, after) = inner.split_once('=').ok_or_else(broken)?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let after = after.strip_prefix(quote.ok_or_else(broken)?);
            let (value, after) = after
                .and_then(|after| after.split_once(quote.unwrap_or('"')))
                .ok_or_else(broken)?;
            rest = after.trim_start().strip_prefix(']').ok_or_else(broken)?;
            let leaf = leaf.trim().trim_start_matches("./");
            let leaf = leaf.split_once(':').map_or(leaf, |(_, leaf)| leaf);
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if leaf.is_empty() || !leaf.chars().all(is_name) {
                return Err(broken());
            }
            conditions.push((leaf.to_owned(), value.to_owned()));
        }
        let kind = kind.to_owned();
        Ok((Self { kind, conditions }, rest))
    }

    fn fits(&self, notice: &Notice) -> bool {
        let holds = |(leaf, value): &(String, String)| {
            notice.content.get(leaf).and_then(Value::as_str) == Some(value)
        };
        self.kind == notice.kind && self.conditions.iter().all(holds)
    }
}

fn broken() -> Refusal {
    Refusal::invalid("filter is not of the form /module:notification[leaf='value']")
}

/// Each costs a comparison for each notification.
const MOST_BRANCHES: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::Timestamp;
    use crate::schema::Source;

    use super::*;

    #[test]
    fn filter_selects_by_path_and_leaf() {
        let schema = Schema::load(Source::Embedded).unwrap();
        let kind = "Accedian-session:state-change-event";
        let notice = Notice {
            id: 1,
            at: Timestamp::EPOCH,
            kind: kind.to_owned(),
            group: None,
            content: json!({ "session-id": "s", "status": "running" }),
        };
        let passes = |text: &str| {
            let mut filter = Filter::default();
            filter.narrow(&schema, text)?;
            Ok::<_, Refusal>(filter.passes(&notice))
        };
        for (filter, expected) in [
            (format!("/{kind}"), true),
            (
                format!("/{kind}[session-id='s'][status = \"running\"]"),
                true,
            ),
            (format!("/{kind}[session-id='t']"), false),
            (
                format!("/{kind}[session-id='t'] | /{kind}[status='running']"),
                true,
            ),
            ("/Accedian-service:state-change-event".to_owned(), false),
        ] {
            assert_eq!(passes(&filter).unwrap(), expected, "{filter}");
        }
        for filter in [
            "",
            "/",
            "//x",
            "/nothing:here",
            "count(/)",
            "/Accedian-session:state-change-event[",
            "/Accedian-session:state-change-event[a='b",
        ] {
            assert!(passes(filter).is_err(), "{filter}");
        }
    }
}
