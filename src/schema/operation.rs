//! The input of operations and actions.

use serde_json::Map;
use serde_json::Value;
use yang5::data::DataOperation;
use yang5::data::DataParserFlags;
use yang5::data::DataPrinterFlags;
use yang5::data::DataTree;

use super::Fault;
use super::Format;
use super::Kind;
use super::NodeId;
use super::Schema;
use super::Step;
use super::Tag;
use super::document::to_map;
use super::guard::check;
use super::guard::check_object;
use super::guard::contained;
use super::message::fault;
use super::wrapping;

impl Schema {
    /// Parses the input of an operation that stands in `parent`; `body` is what stands inside the `input` element or
    /// member. Mandatory nodes must be there.
    pub fn parse_input(
        &self,
        parent: &[Step],
        operation: NodeId,
        body: &str,
        format: Format,
    ) -> Result<Map<String, Value>, Fault> {
        check(body)?;
        let mut path = parent.to_vec();
        path.push(Step {
            node: operation,
            keys: Vec::new(),
        });
        let is_empty = match format {
            Format::Json => {
                check_object(body)?;
                body.trim_matches(['{', '}', ' ', '\t', '\r', '\n'])
                    .is_empty()
            }
            Format::Xml => body.trim().is_empty(),
        };
        let input = if is_empty {
            Map::new()
        } else {
            let text = match format {
                Format::Json => wrapping::json(self, &path, body)?,
                Format::Xml => wrapping::xml(self, &path, body)?,
            };
            let whole = contained(|| {
                let flags = DataParserFlags::STRICT;
                let kind = DataOperation::RpcYang;
                let tree =
                    DataTree::parse_op_string(&self.context, &text, format.raw(), flags, kind);
                to_map(&tree.map_err(fault)?, DataPrinterFlags::WD_EXPLICIT)
            })?;
            wrapping::unwrap(self, &path, whole)?
        };
        self.check_mandatory(operation, &input)?;
        Ok(input)
    }

    /// libyang does not look for mandatory nodes in operations unless it validates them, which the binding cannot.
    fn check_mandatory(&self, at: NodeId, members: &Map<String, Value>) -> Result<(), Fault> {
        let empty = Map::new();
        for &child in &self.node(at).children {
            let node = self.node(child);
            match members.get(&self.member(child)) {
                None if node.kind == Kind::Container => self.check_mandatory(child, &empty)?,
                None if node.is_mandatory => {
                    let message = format!("mandatory node \"{}\" is missing", node.name);
                    return Err(Fault::new(Tag::MissingElement, message).at(self.path(child)));
                }
                Some(Value::Object(inner)) => self.check_mandatory(child, inner)?,
                _ => {}
            }
        }
        Ok(())
    }
}
