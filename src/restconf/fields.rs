//! The `fields` parameter (RFC 8040 4.8.3).

use crate::schema::NodeId;
use crate::schema::Schema;

use super::error::Refusal;

/// What is wanted of a node: these children and what is wanted of them. Without any, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(pub(super) Vec<(NodeId, Self)>);

impl Fields {
    /// What is wanted of `node`, of which there is no top for the datastore.
    pub(super) fn parse(
        schema: &Schema,
        node: Option<NodeId>,
        text: &str,
    ) -> Result<Self, Refusal> {
        let mut parser = Parser {
            schema,
            rest: text,
            depth: 0,
        };
        let fields = parser.expression(node)?;
        if parser.rest.is_empty() {
            Ok(fields)
        } else {
            Err(broken())
        }
    }

    fn add(&mut self, way: &[NodeId], below: Self) {
        let Some((first, rest)) = way.split_first() else {
            self.0.extend(below.0);
            return;
        };
        match self.0.iter_mut().find(|(node, _)| node == first) {
            // All of it was asked for already.
            Some((_, fields)) if fields.0.is_empty() => {}
            Some((_, fields)) if rest.is_empty() && below.0.is_empty() => fields.0.clear(),
            Some((_, fields)) => fields.add(rest, below),
            None => {
                let mut fields = Self::default();
                fields.add(rest, below);
                self.0.push((*first, fields));
            }
        }
    }
}

struct Parser<'a> {
    schema: &'a Schema,
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    /// `path [ "(" expression ")" ] [ ";" expression ]`
    fn expression(&mut self, node: Option<NodeId>) -> Result<Fields, Refusal> {
        let mut fields = Fields::default();
        loop {
            let way = self.path(node)?;
            let mut below = Fields::default();
            if self.eat('(') {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(broken());
                }
                below = self.expression(way.last().copied())?;
                self.depth -= 1;
                if !self.eat(')') {
                    return Err(broken());
                }
            }
            fields.add(&way, below);
            if !self.eat(';') {
                return Ok(fields);
            }
        }
    }

    fn path(&mut self, mut node: Option<NodeId>) -> Result<Vec<NodeId>, Refusal> {
        let mut way = Vec::new();
        loop {
            let end = self.rest.find(['/', '(', ')', ';']);
            let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            let found = self.schema.find(node, name);
            let found = found.ok_or_else(|| {
                Refusal::invalid(format!("no module has a node \"{name}\" in fields"))
            })?;
            self.rest = rest;
            way.push(found);
            node = Some(found);
            if !self.eat('/') {
                return Ok(way);
            }
        }
    }

    fn eat(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn broken() -> Refusal {
    Refusal::invalid("fields is not well-formed")
}

/// The model is less deep.
const DEEPEST: usize = 32;
