//! The questions of a section.
//!
//! Asking is declaring: the same call that reads a key gives its default, its limits and its documentation. So
//! a reader without sources, run over all sections, yields the whole documentation, and what was never asked for
//! is unknown.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Fault;
use super::Origin;
use super::raw::Entry;
use super::raw::Given;
use super::reader::Reader;
use super::setting::Bytes;
use super::setting::Setting;

/// The keys under one `[name]`.
pub(super) struct Section<'r, 'a> {
    reader: &'r mut Reader<'a>,
    name: String,
}

/// A key as its section declares it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// What kind of value it has, in a word or two.
    pub(super) kind: &'static str,
    /// The limits, for numbers.
    pub(super) range: Option<String>,
    /// The default as TOML; `None` when there is none.
    pub(super) default: Option<String>,
    /// The meaning, in a sentence.
    pub(super) doc: &'static str,
}

/// A key and what is given for it: what the reports are made of.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) section: String,
    pub(super) key: Key,
    /// The value in effect as TOML; `None` when there is none.
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
}

impl<'r, 'a> Section<'r, 'a> {
    pub(super) fn new(reader: &'r mut Reader<'a>, name: String) -> Self {
        Self { reader, name }
    }

    /// A value of any kind.
    pub(super) fn get<T: Setting>(
        &mut self,
        name: &'static str,
        default: T,
        doc: &'static str,
    ) -> T {
        let key = Key {
            default: Some(default.write()),
            ..Key::new::<T>(name, doc)
        };
        self.ask(key, T::read).unwrap_or(default)
    }

    /// A value that may be left out.
    pub(super) fn optional<T: Setting>(
        &mut self,
        name: &'static str,
        doc: &'static str,
    ) -> Option<T> {
        self.ask(Key::new::<T>(name, doc), T::read)
    }

    /// A value that must be given.
    pub(super) fn required<T: Setting>(
        &mut self,
        name: &'static str,
        doc: &'static str,
    ) -> Option<T> {
        if self.reader.find(&self.path(name)).is_none() && !self.reader.is_documenting() {
            self.mistake(name, Fault::Missing);
        }
        self.optional(name, doc)
    }

    /// Every `[[section.name]]`. Rows stand in the file alone.
    pub(super) fn each<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Section<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let path = self.path(name);
        self.reader.know(&path);
        let count = match self.reader.find(&path) {
            None => usize::from(self.reader.is_documenting()),
            Some(Entry {
                given: Given::Rows(count),
                ..
            }) => count,
            Some(Entry {
                given: Given::List(values),
                ..
            }) if values.is_empty() => 0,
            Some(entry) => {
                let fault = Fault::Expected("rows in double brackets");
                self.reader.complain(entry.origin, &path, fault);
                0
            }
        };
        let mut rows = Vec::new();
        for index in 0..count {
            let name = format!("{path}[{index}]");
            self.reader.know(&name);
            rows.extend(read(&mut Section {
                reader: &mut *self.reader,
                name,
            }));
        }
        rows
    }

    /// A duration within limits.
    pub(super) fn duration(
        &mut self,
        name: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
        doc: &'static str,
    ) -> Duration {
        self.within(name, default, &range, doc)
    }

    /// A number within limits, of whatever integer type the room has.
    pub(super) fn count<N>(
        &mut self,
        name: &'static str,
        default: N,
        range: RangeInclusive<u64>,
        doc: &'static str,
    ) -> N
    where
        N: Copy + TryInto<u64> + TryFrom<u64>,
    {
        let number = default.try_into().unwrap_or(u64::MAX);
        N::try_from(self.within(name, number, &range, doc)).unwrap_or(default)
    }

    /// A number of bytes within limits, of whatever integer type the room has.
    pub(super) fn bytes<N>(
        &mut self,
        name: &'static str,
        default: N,
        range: RangeInclusive<u64>,
        doc: &'static str,
    ) -> N
    where
        N: Copy + TryInto<u64> + TryFrom<u64>,
    {
        let bytes = Bytes(default.try_into().unwrap_or(u64::MAX));
        let range = Bytes(*range.start())..=Bytes(*range.end());
        N::try_from(self.within(name, bytes, &range, doc).0).unwrap_or(default)
    }

    /// Complains about a key for a reason that only the section knows. What is not given is missed where its
    /// section stands.
    pub(super) fn mistake(&mut self, name: &'static str, fault: Fault) {
        let path = self.path(name);
        let found = self
            .reader
            .find(&path)
            .or_else(|| self.reader.find(&self.name));
        let origin = found.map_or(Origin::Default, |entry| entry.origin);
        self.reader.complain(origin, &path, fault);
    }

    fn within<T: Setting + PartialOrd>(
        &mut self,
        name: &'static str,
        default: T,
        range: &RangeInclusive<T>,
        doc: &'static str,
    ) -> T {
        let (low, high) = (plain(range.start()), plain(range.end()));
        let key = Key {
            range: Some(format!("{low} to {high}")),
            default: Some(default.write()),
            ..Key::new::<T>(name, doc)
        };
        let read = |given: &Given| match T::read(given) {
            Ok(value) if !range.contains(&value) => Err(Fault::OutOfRange { low, high }),
            other => other,
        };
        self.ask(key, read).unwrap_or(default)
    }

    /// Finds, reads and records one key. `None` when it is not given, or wrong, which is then on the list.
    fn ask<T: Setting>(
        &mut self,
        key: Key,
        read: impl FnOnce(&Given) -> Result<T, Fault>,
    ) -> Option<T> {
        let path = self.path(key.name);
        self.reader.know(&path);
        let (value, origin) = match self.reader.find(&path) {
            None => (None, Origin::Default),
            Some(entry) => match read(&entry.given) {
                Ok(value) => (Some(value), entry.origin),
                Err(fault) => {
                    self.reader.complain(entry.origin.clone(), &path, fault);
                    (None, entry.origin)
                }
            },
        };
        let text = value.as_ref().map(T::write).or_else(|| key.default.clone());
        self.reader.note(Row {
            section: self.name.clone(),
            key,
            value: text,
            origin,
        });
        value
    }

    fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }
}

impl Key {
    const fn new<T: Setting>(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            kind: T::KIND,
            range: None,
            default: None,
            doc,
        }
    }
}

/// A value as people say it, without TOML's quotes.
fn plain<T: Setting>(value: &T) -> String {
    value.write().trim_matches('"').to_owned()
}
