//! The path of a request as steps of the schema (RFC 8040 3.5.3).

use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::error::Refusal;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The data resource; none for the datastore.
    pub(super) steps: Vec<Step>,
    /// The action of that resource, if the path ends with one.
    pub(super) action: Option<NodeId>,
}

impl Target {
    /// Parses what follows `/restconf/data`, as it came: split first, decoded then.
    pub(super) fn parse(schema: &Schema, path: &str) -> Result<Self, Refusal> {
        let mut target = Self {
            steps: Vec::new(),
            action: None,
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(target);
        }
        for segment in path.split('/') {
            if target.action.is_some() {
                return Err(Refusal::not_found("nothing is below an action"));
            }
            target.push(schema, segment)?;
        }
        Ok(target)
    }

    /// The last node; none for the datastore.
    pub(super) fn node(&self) -> Option<NodeId> {
        self.steps.last().map(|step| step.node)
    }

    /// Whether it is a list or leaf-list as a whole.
    pub(super) fn is_whole_list(&self, schema: &Schema) -> bool {
        self.steps.last().is_some_and(|step| {
            let kind = schema.node(step.node).kind;
            matches!(kind, Kind::List | Kind::LeafList) && step.keys.is_empty()
        })
    }

    fn push(&mut self, schema: &Schema, segment: &str) -> Result<(), Refusal> {
        let (name, keys) = match segment.split_once('=') {
            Some((name, keys)) => (name, Some(keys)),
            None => (segment, None),
        };
        let name = decode(name)?;
        if self.is_whole_list(schema) {
            return Err(Refusal::invalid("keys of a list are missing in the path"));
        }
        let parent = self.node();
        let Some(node) = schema.find(parent, &name) else {
            self.action = parent.and_then(|parent| action(schema, parent, &name));
            return match (self.action, keys) {
                (Some(_), None) => Ok(()),
                _ => Err(Refusal::not_found(format!(
                    "no module has a node \"{name}\" there"
                ))),
            };
        };
        let wanted = match schema.node(node).kind {
            Kind::List => schema.node(node).keys.len(),
            Kind::LeafList => 1,
            _ => 0,
        };
        let keys: Vec<String> = match keys {
            None => Vec::new(),
            Some(keys) => keys.split(',').map(decode).collect::<Result<_, _>>()?,
        };
        if !keys.is_empty() && keys.len() != wanted {
            return Err(Refusal::invalid(format!("\"{name}\" has {wanted} keys")));
        }
        self.steps.push(Step { node, keys });
        Ok(())
    }
}

fn action(schema: &Schema, parent: NodeId, name: &str) -> Option<NodeId> {
    let node = schema.node(parent);
    let (module, name) = name.split_once(':').unwrap_or((&node.module, name));
    schema.named(&node.actions, module, name)
}

/// Decodes percent signs; a plus sign stands for itself.
pub(super) fn decode(text: &str) -> Result<String, Refusal> {
    let malformed = || Refusal::invalid("path or query has a broken escape");
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = char::from(bytes.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let (high, low) = (digit(), digit());
        let (Some(high), Some(low)) = (high, low) else {
            return Err(malformed());
        };
        decoded.push(high << 4 | low);
    }
    if decoded.contains(&0) {
        return Err(malformed());
    }
    String::from_utf8(decoded).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use crate::schema::Source;

    use super::*;

    #[test]
    fn path_is_split_before_it_is_decoded() {
        let schema = Schema::load(Source::Embedded).unwrap();
        let keys = |path: &str| {
            let target = Target::parse(&schema, path)?;
            Ok::<_, Refusal>(target.steps.last().unwrap().keys.clone())
        };
        let policy = |key: &str| format!("/Accedian-alert:alert-policies/alert-policy={key}");
        for (key, expected) in [
            ("a%2Fb", "a/b"),
            ("a%2Cb", "a,b"),
            ("a%3Ab%25", "a:b%"),
            ("a+b", "a+b"),
            ("%C3%A9", "é"),
            ("", ""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(keys(&policy(key)).unwrap(), [expected], "{key}");
        }
        for (path, status) in [
            (policy("a,b"), 400),
            (policy("%0"), 400),
            (policy("%00"), 400),
            (policy("%ff"), 400),
            (policy("a") + "/nothing", 404),
            ("/Accedian-alert:alert-policies=x".to_owned(), 400),
            ("/alert-policies".to_owned(), 404),
            (
                "/Accedian-alert:alert-policies/alert-policy/policy-id".to_owned(),
                400,
            ),
            ("/Accedian-alert:alert-policies//x".to_owned(), 404),
            ("/../x".to_owned(), 404),
        ] {
            assert_eq!(keys(&path).unwrap_err().status, status, "{path}");
        }
    }

    #[test]
    fn action_is_at_the_end_of_its_entrys_path() {
        let schema = Schema::load(Source::Embedded).unwrap();
        let parse = |path: &str| Target::parse(&schema, path);
        let target = parse("/Accedian-session:sessions/session=s/start").unwrap();
        assert_eq!((target.steps.len(), target.action.is_some()), (2, true));
        assert!(parse("/Accedian-session:sessions/session=s/start/x").is_err());
    }
}
