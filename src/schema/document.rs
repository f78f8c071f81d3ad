//! Parsing, validating and printing. All of it blocks for some tens of microseconds.

use serde_json::Map;
use serde_json::Value;
use yang5::data::Data as _;
use yang5::data::DataFormat;
use yang5::data::DataNodeRef;
use yang5::data::DataParserFlags;
use yang5::data::DataPrinterFlags;
use yang5::data::DataTree;
use yang5::data::DataValidationFlags;

use super::Fault;
use super::Schema;
use super::Step;
use super::Tag;
use super::guard::check;
use super::guard::check_object;
use super::guard::contained;
use super::message::fault;
use super::wrapping;

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 7951.
    Json,
    /// RFC 7950.
    Xml,
}

/// Which default values are shown (RFC 6243 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defaults {
    /// What was set, be it the default or not.
    Explicit,
    /// All.
    ReportAll,
    /// All, and marked as such.
    ReportAllTagged,
    /// None.
    Trim,
}

impl Schema {
    /// Parses a body that stands in `parent`, which is the whole datastore where it has no steps. What comes back is in
    /// the canonical form, with unknown nodes and bad values refused; constraints are not looked at.
    pub fn parse(
        &self,
        parent: &[Step],
        body: &str,
        format: Format,
    ) -> Result<Map<String, Value>, Fault> {
        check(body)?;
        let text = match format {
            Format::Json => {
                check_object(body)?;
                wrapping::json(self, parent, body)?
            }
            Format::Xml => wrapping::xml(self, parent, body)?,
        };
        let whole = contained(|| {
            let flags = DataParserFlags::NO_VALIDATION | DataParserFlags::STRICT;
            let unchecked = DataValidationFlags::empty();
            let tree = DataTree::parse_string(&self.context, &text, format.raw(), flags, unchecked);
            let tree = tree.map_err(fault)?;
            to_map(&tree, DataPrinterFlags::KEEP_EMPTY_CONT)
        })?;
        wrapping::unwrap(self, parent, whole)
    }

    /// Validates a document from the top, as it would be alone in the datastore, and gives its canonical form, in
    /// which `when` has taken out nothing and defaults are not shown.
    pub fn validate(&self, document: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        self.shown(document, DataPrinterFlags::WD_EXPLICIT)
    }

    /// A valid document of configuration with the default values that are asked for.
    pub fn with_defaults(
        &self,
        document: &Map<String, Value>,
        defaults: Defaults,
    ) -> Result<Map<String, Value>, Fault> {
        self.shown(
            document,
            match defaults {
                Defaults::Explicit => DataPrinterFlags::WD_EXPLICIT,
                Defaults::ReportAll => DataPrinterFlags::WD_ALL,
                Defaults::ReportAllTagged => {
                    DataPrinterFlags::from_bits_retain(yang5::ffi::LYD_PRINT_WD_ALL_TAG)
                }
                Defaults::Trim => DataPrinterFlags::WD_TRIM,
            },
        )
    }

    /// The node at `path` of a document, as an XML element. The document holds nothing beside the path's own
    /// entries.
    pub fn xml(&self, document: &Map<String, Value>, path: &[Step]) -> Result<String, Fault> {
        let text = Value::Object(document.clone()).to_string();
        check(&text)?;
        contained(|| {
            let flags = DataParserFlags::NO_VALIDATION | DataParserFlags::STRICT;
            let unchecked = DataValidationFlags::empty();
            let tree =
                DataTree::parse_string(&self.context, &text, DataFormat::JSON, flags, unchecked);
            let tree = tree.map_err(fault)?;
            let shrunk = DataPrinterFlags::SHRINK | DataPrinterFlags::KEEP_EMPTY_CONT;
            let mut at: Option<DataNodeRef<'_>> = None;
            for step in path {
                let wanted = self.node(step.node);
                let among: Vec<_> = match &at {
                    None => tree
                        .reference()
                        .into_iter()
                        .flat_map(|it| it.inclusive_siblings())
                        .collect(),
                    Some(node) => node.children().collect(),
                };
                at = among.into_iter().find(|node| {
                    let schema = node.schema();
                    schema.name() == wanted.name && schema.module().name() == wanted.module
                });
                if at.is_none() {
                    break;
                }
            }
            let node =
                at.ok_or_else(|| Fault::new(Tag::Internal, "node is not in its document"))?;
            node.print_string(DataFormat::XML, shrunk).map_err(fault)
        })
    }

    fn shown(
        &self,
        document: &Map<String, Value>,
        printer: DataPrinterFlags,
    ) -> Result<Map<String, Value>, Fault> {
        let text = Value::Object(document.clone()).to_string();
        check(&text)?;
        contained(|| {
            let reading = DataParserFlags::STRICT | DataParserFlags::NO_STATE;
            let checking = DataValidationFlags::PRESENT | DataValidationFlags::NO_STATE;
            let tree =
                DataTree::parse_string(&self.context, &text, DataFormat::JSON, reading, checking);
            to_map(&tree.map_err(fault)?, printer)
        })
    }
}

impl Format {
    pub(super) const fn raw(self) -> DataFormat {
        match self {
            Self::Json => DataFormat::JSON,
            Self::Xml => DataFormat::XML,
        }
    }
}

/// A tree as JSON. The binding cannot print an empty one.
pub(super) fn to_map(
    tree: &DataTree<'_>,
    printer: DataPrinterFlags,
) -> Result<Map<String, Value>, Fault> {
    if tree.reference().is_none() {
        return Ok(Map::new());
    }
    let flags = printer | DataPrinterFlags::WITH_SIBLINGS | DataPrinterFlags::SHRINK;
    let text = tree.print_string(DataFormat::JSON, flags).map_err(fault)?;
    serde_json::from_str(&text).map_err(|_| Fault::new(Tag::Internal, "document cannot be printed"))
}
