//! A place in a tree, fully resolved: no wildcard, every key given.

use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

use super::Origin;

/// One step of a path: a name, and the keys that choose one entry of a list.
///
/// Cheap to clone: the text is shared. Key names are unique and sorted, so equal elements are equal as values.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Elem(Arc<ElemText>);

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ElemText {
    name: Arc<str>,
    keys: Box<[(Arc<str>, Arc<str>)]>,
}

/// An absolute, resolved path below one target. The root has no elements (gNMI spec 2.2.2).
///
/// Says neither tenant nor target: those belong to the message that carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// The schema that the elements belong to.
    pub origin: Origin,
    /// From the root down.
    pub elems: Vec<Elem>,
}

impl Elem {
    /// An element without keys.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(ElemText {
            name: name.into(),
            keys: Box::default(),
        }))
    }

    /// An element with keys. Sorts them; of two keys with one name the last is kept.
    pub fn with_keys<K, V>(
        name: impl Into<Arc<str>>,
        keys: impl IntoIterator<Item = (K, V)>,
    ) -> Self
    where
        K: Into<Arc<str>>,
        V: Into<Arc<str>>,
    {
        let mut sorted: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (key, value) in keys {
            let (key, value) = (key.into(), value.into());
            match sorted.binary_search_by(|(known, _)| known.cmp(&key)) {
                Ok(at) => {
                    if let Some(slot) = sorted.get_mut(at) {
                        slot.1 = value;
                    }
                }
                Err(at) => sorted.insert(at, (key, value)),
            }
        }
        Self(Arc::new(ElemText {
            name: name.into(),
            keys: sorted.into(),
        }))
    }

    /// The name.
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// The keys, sorted by name.
    pub fn keys(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0.keys
    }

    /// The value of the key called `name`.
    pub fn key(&self, name: &str) -> Option<&Arc<str>> {
        self.0
            .keys
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    }
}

impl Path {
    /// A path of the given origin.
    pub fn new(origin: Origin, elems: Vec<Elem>) -> Self {
        Self { origin, elems }
    }

    /// Whether `self` is `ancestor` or lies below it.
    pub fn is_under(&self, ancestor: &Self) -> bool {
        self.origin == ancestor.origin && self.elems.starts_with(&ancestor.elems)
    }
}

/// The textual form of gNMI path-strings: `/a/b[k=v]`, keys sorted by name.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.origin.is_default() {
            write!(f, "{}:", self.origin)?;
        }
        if self.elems.is_empty() {
            return f.write_str("/");
        }
        for elem in &self.elems {
            write!(f, "/{elem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Elem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(f, self.name())?;
        for (key, value) in self.keys() {
            write_key(f, key, value)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Elem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes an element's name, escaped where it would end the element or the line.
///
/// # Errors
///
/// Those of the formatter.
pub fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write_escaped(f, name, &['/', '[', '\\'])
}

/// Writes `[key=value]`; of values only `]` and `\` are escaped, and line ends by name (path-strings).
///
/// # Errors
///
/// Those of the formatter.
pub fn write_key(f: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    f.write_str("[")?;
    write_escaped(f, key, &['=', ']', '\\'])?;
    f.write_str("=")?;
    write_escaped(f, value, &[']', '\\'])?;
    f.write_str("]")
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str, special: &[char]) -> fmt::Result {
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            c if special.contains(&c) => write!(f, "\\{c}")?,
            _ => f.write_char(c)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elem_with_keys_in_any_order_is_equal() {
        let one = Elem::with_keys("interface", [("b", "2"), ("a", "1")]);
        let other = Elem::with_keys("interface", [("a", "0"), ("b", "2"), ("a", "1")]);
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "interface[a=1][b=2]");
    }

    #[test]
    fn path_text_escapes_only_what_it_must() {
        let elem = Elem::with_keys("policy", [("name", "a]b\\c/d\n")]);
        let path = Path::new(Origin::new("accedian"), vec![Elem::new("x/y"), elem]);
        assert_eq!(
            path.to_string(),
            "accedian:/x\\/y/policy[name=a\\]b\\\\c/d\\n]"
        );
    }
}
