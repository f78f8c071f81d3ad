//! TOML text as a flat list of keys, each with its line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml_edit::Document;
use toml_edit::Item;
use toml_edit::TableLike;
use toml_edit::Value;

use super::Fault;
use super::Mistake;
use super::Origin;
use super::sources::File;

/// A value as it was written, before anyone knows what it should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Several values.
    List(Vec<Self>),
    /// A value of a kind that no key has, such as a date.
    Other,
    /// An array of so many tables. Each row is an entry of its own, and so are its keys.
    Rows(usize),
    /// A table. Its keys are entries of their own.
    Table,
    /// Text in quotes.
    Text(String),
    /// Text without a type, from the environment or a flag.
    Word(String),
}

/// One key of the file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// All keys of the file, by their path: `gateway.listen`, `measure.sessions[0].target`.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw(pub(super) BTreeMap<String, Entry>);

impl Raw {
    /// Parses a file. Only text that is not TOML is a mistake yet.
    pub(super) fn parse(file: &File) -> Result<Self, Mistake> {
        let lines = Lines::of(&file.text);
        let document = Document::parse(file.text.as_str()).map_err(|error| Mistake {
            origin: origin(&file.name, lines.at(error.span())),
            key: String::new(),
            // The library's message may have several lines; the first says what it expected.
            fault: Fault::Syntax(
                error
                    .message()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            ),
        })?;
        let mut raw = Self::default();
        let mut walk = Walk {
            name: &file.name,
            lines: &lines,
            raw: &mut raw,
        };
        walk.table("", document.as_table());
        Ok(raw)
    }
}

/// The way through a document.
struct Walk<'a> {
    name: &'a Arc<str>,
    lines: &'a Lines,
    raw: &'a mut Raw,
}

impl Walk<'_> {
    fn table(&mut self, path: &str, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            let span = table
                .key(name)
                .and_then(toml_edit::Key::span)
                .or_else(|| item.span());
            self.item(&join(path, name), item, self.lines.at(span));
        }
    }

    fn item(&mut self, path: &str, item: &Item, line: usize) {
        let given = match item {
            Item::None => return,
            Item::Value(value) => return self.value(path, value, line),
            Item::Table(table) => {
                self.table(path, table);
                Given::Table
            }
            Item::ArrayOfTables(rows) => {
                for (index, row) in rows.iter().enumerate() {
                    let line = self.lines.at(row.span());
                    self.put(&format!("{path}[{index}]"), Given::Table, line);
                    self.table(&format!("{path}[{index}]"), row);
                }
                Given::Rows(rows.len())
            }
        };
        self.put(path, given, line);
    }

    fn value(&mut self, path: &str, value: &Value, line: usize) {
        let given = match value {
            Value::InlineTable(table) => {
                self.table(path, table);
                Given::Table
            }
            Value::Array(rows) if rows.iter().all(Value::is_inline_table) && !rows.is_empty() => {
                for (index, row) in rows.iter().enumerate() {
                    let line = self.lines.at(row.span());
                    self.value(&format!("{path}[{index}]"), row, line);
                }
                Given::Rows(rows.len())
            }
            scalar => given(scalar),
        };
        self.put(path, given, line);
    }

    fn put(&mut self, path: &str, given: Given, line: usize) {
        let entry = Entry {
            given,
            origin: origin(self.name, line),
        };
        self.raw.0.insert(path.to_owned(), entry);
    }
}

fn given(value: &Value) -> Given {
    match value {
        Value::Array(values) => Given::List(values.iter().map(given).collect()),
        Value::Boolean(value) => Given::Bool(*value.value()),
        Value::Integer(value) => Given::Integer(*value.value()),
        Value::String(value) => Given::Text(value.value().clone()),
        Value::Datetime(_) | Value::Float(_) | Value::InlineTable(_) => Given::Other,
    }
}

/// A key that needs quotes keeps them: `"a.b"` is not `a.b`.
fn join(path: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

fn origin(name: &Arc<str>, line: usize) -> Origin {
    Origin::File {
        name: Arc::clone(name),
        line,
    }
}

/// Where each line of a text begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
        )
    }

    /// The line, from 1, in which a span begins; 1 when it is not known.
    fn at(&self, span: Option<Range<usize>>) -> usize {
        span.map_or(1, |span| {
            self.0.partition_point(|start| *start <= span.start).max(1)
        })
    }
}
