//! What has been asked for, found and complained about.

use std::collections::BTreeSet;

use super::Fault;
use super::Mistake;
use super::Mistakes;
use super::Origin;
use super::raw::Entry;
use super::raw::Given;
use super::raw::Raw;
use super::section::Row;
use super::section::Section;
use super::sources::PREFIX;
use super::sources::Sources;
use super::sources::variable;
use super::suggestion::suggestion;

/// Answers the sections' questions from the sources, and keeps the list of both.
pub(super) struct Reader<'a> {
    sources: &'a Sources,
    is_documenting: bool,
    raw: Raw,
    known: BTreeSet<String>,
    rows: Vec<Row>,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    /// Parses the file. The mistake of a text that is not TOML stands alone: nothing else can be said of it.
    pub(super) fn new(sources: &'a Sources) -> Result<Self, Mistakes> {
        let raw = match &sources.file {
            Some(file) => Raw::parse(file).map_err(|mistake| Mistakes::new(vec![mistake]))?,
            None => Raw::default(),
        };
        let (known, is_documenting) = (BTreeSet::new(), false);
        Ok(Self {
            sources,
            is_documenting,
            raw,
            known,
            rows: Vec::new(),
            mistakes: Vec::new(),
        })
    }

    /// A reader without sources: it shows what sections ask for, and misses nothing.
    pub(super) fn documenting() -> Reader<'static> {
        Reader {
            sources: &NO_SOURCES,
            is_documenting: true,
            raw: Raw::default(),
            known: BTreeSet::new(),
            rows: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Whether the answers do not matter, only the questions.
    pub(super) const fn is_documenting(&self) -> bool {
        self.is_documenting
    }

    /// Every key that was asked for.
    pub(super) fn rows(self) -> Vec<Row> {
        self.rows
    }

    /// The keys under `[name]`.
    pub(super) fn section(&mut self, name: &str) -> Section<'_, 'a> {
        self.know(name);
        if let Some(entry) = self.raw.0.get(name)
            && entry.given != Given::Table
        {
            let fault = Fault::Expected("a section in brackets");
            self.complain(entry.origin.clone(), name, fault);
        }
        Section::new(self, name.to_owned())
    }

    /// Every key that was asked for; or every mistake, keys that nobody asked for among them.
    pub(super) fn finish(mut self) -> Result<Vec<Row>, Mistakes> {
        self.note_unknown_keys();
        self.note_unknown_variables();
        if self.mistakes.is_empty() {
            Ok(self.rows)
        } else {
            Err(Mistakes::new(self.mistakes))
        }
    }

    /// Somebody asks for this key or section.
    pub(super) fn know(&mut self, path: &str) {
        self.known.insert(path.to_owned());
    }

    /// What is given for a key: flag before environment before file.
    pub(super) fn find(&self, path: &str) -> Option<Entry> {
        let word = |value: &String| Given::Word(value.clone());
        if let Some((_, value)) = self
            .sources
            .flags
            .iter()
            .rev()
            .find(|(flag, _)| flag == path)
        {
            return Some(Entry {
                given: word(value),
                origin: Origin::Flag(path.to_owned()),
            });
        }
        let name = variable(path);
        // An empty variable is how a container's environment says "not set".
        let is_set = |(other, value): &&(String, String)| *other == name && !value.is_empty();
        if let Some((_, value)) = self.sources.environment.iter().find(is_set) {
            return Some(Entry {
                given: word(value),
                origin: Origin::Environment(name),
            });
        }
        self.raw.0.get(path).cloned()
    }

    pub(super) fn note(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(super) fn complain(&mut self, origin: Origin, key: &str, fault: Fault) {
        self.mistakes.push(Mistake {
            origin,
            key: key.to_owned(),
            fault,
        });
    }

    fn note_unknown_keys(&mut self) {
        let flags = self
            .sources
            .flags
            .iter()
            .map(|(key, _)| (key, Origin::Flag(key.clone())));
        let file = self
            .raw
            .0
            .iter()
            .map(|(key, entry)| (key, entry.origin.clone()));
        for (key, origin) in file
            .chain(flags)
            .filter(|(key, _)| !self.known.contains(*key))
        {
            // A section that is unknown speaks for all its keys.
            let is_inside = key.rsplit_once('.').is_some_and(|(section, _)| {
                self.raw.0.contains_key(section) && !self.known.contains(section)
            });
            if !is_inside {
                let fault = Fault::Unknown {
                    suggestion: suggestion(key, &self.known),
                };
                self.mistakes.push(Mistake {
                    origin,
                    key: key.clone(),
                    fault,
                });
            }
        }
    }

    /// A misspelt variable would be without effect, and nobody would see it.
    fn note_unknown_variables(&mut self) {
        let known: BTreeSet<_> = self.known.iter().map(|key| variable(key)).collect();
        let sections: BTreeSet<_> = self
            .rows
            .iter()
            .map(|row| variable(&row.section) + "_")
            .collect();
        for (name, _) in &self.sources.environment {
            let is_ours = sections.iter().any(|section| name.starts_with(section));
            if is_ours && !known.contains(name) && !is_set_by_kubernetes(name) {
                let fault = Fault::Unknown {
                    suggestion: suggestion(name, &known),
                };
                let origin = Origin::Environment(name.clone());
                self.mistakes.push(Mistake {
                    origin,
                    key: String::new(),
                    fault,
                });
            }
        }
    }
}

static NO_SOURCES: Sources = Sources::new();

/// Kubernetes tells every container where the services of its namespace are; one may be called like us.
fn is_set_by_kubernetes(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    rest.ends_with("_SERVICE_HOST")
        || rest.contains("_SERVICE_PORT")
        || rest.ends_with("_PORT")
        || rest.contains("_PORT_")
}
