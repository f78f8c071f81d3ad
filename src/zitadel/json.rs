//! Reading messages as protojson does: unknown members are passed over, absent and null are the same, both spellings of a
//! name are understood, 64-bit numbers come as numbers or as strings.

use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde::de::Error as _;

use super::error::Error;

/// Reads a message. No body at all is the empty message.
pub(super) fn parse<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Error> {
    match body.trim_ascii_start().first() {
        None => Ok(T::default()),
        // A sequence would be read as the members in order.
        Some(b'{') => serde_json::from_slice(body).map_err(|_| MALFORMED),
        Some(_) => Err(MALFORMED),
    }
}

/// An unsigned number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Uint(pub(super) u64);

impl<'de> Deserialize<'de> for Uint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
        }
    }
}

/// A value of an enumeration, by name or by number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Symbol {
    Number(u32),
    Name(String),
}

impl Symbol {
    /// Its place in `names`, which lists the enumeration from 0 on. `None` is the default, 0.
    pub(super) fn index(
        symbol: Option<&Self>,
        names: &[&str],
        field: &'static str,
    ) -> Result<usize, Error> {
        let found = match symbol {
            None => Some(0),
            Some(Self::Number(number)) => usize::try_from(*number)
                .ok()
                .filter(|index| *index < names.len()),
            Some(Self::Name(name)) => names.iter().position(|known| known == name),
        };
        found.ok_or(Error::field(field, "is not a value of its enumeration"))
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    pub(super) offset: Option<Uint>,
    pub(super) limit: Option<Uint>,
    pub(super) asc: Option<bool>,
}

impl ListQuery {
    /// The part of `items`, which are in ascending order.
    pub(super) fn part<T>(self, mut items: Vec<T>) -> Vec<T> {
        if self.asc != Some(true) {
            items.reverse();
        }
        let number = |uint: Option<Uint>| uint.map_or(0, |uint| uint.0);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let most = match number(self.limit) {
            0 => usize::MAX,
            limit => size(limit),
        };
        items
            .into_iter()
            .skip(size(number(self.offset)))
            .take(most)
            .collect()
    }
}

const MALFORMED: Error = Error::field("body", "is not JSON of the expected form");

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ListQuery, Error> {
        parse(text.as_bytes())
    }

    #[test]
    fn numbers_come_as_numbers_and_as_strings() {
        for text in [r#"{"limit":2}"#, r#"{"limit":"2","new":[1]}"#] {
            assert_eq!(read(text).unwrap().limit, Some(Uint(2)), "{text}");
        }
        for text in ["", " \n", "{}", r#"{"limit":null}"#] {
            assert_eq!(read(text).unwrap().limit, None, "{text}");
        }
        for text in [
            "[]",
            "[1,2,true]",
            "null",
            "1",
            "{",
            r#"{"limit":-1}"#,
            r#"{"limit":"x"}"#,
            r#"{"limit":1,"limit":2}"#,
            "{} {}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn part_goes_from_the_newest_unless_asked_otherwise() {
        let part = |text: &str| read(text).unwrap().part(vec![1, 2, 3, 4]);
        assert_eq!(part("{}"), [4, 3, 2, 1]);
        assert_eq!(part(r#"{"asc":true,"offset":"1","limit":2}"#), [2, 3]);
        assert_eq!(part(r#"{"offset":9}"#), Vec::<i32>::new());
        assert_eq!(part(r#"{"limit":"18446744073709551615"}"#).len(), 4);
    }

    #[test]
    fn symbols_have_names_and_numbers() {
        let names = ["A", "B"];
        let index = |symbol: Option<Symbol>| Symbol::index(symbol.as_ref(), &names, "x");
        assert_eq!(index(None), Ok(0));
        assert_eq!(index(Some(Symbol::Name("B".to_owned()))), Ok(1));
        assert_eq!(index(Some(Symbol::Number(1))), Ok(1));
        assert!(index(Some(Symbol::Number(2))).is_err());
        assert!(index(Some(Symbol::Name("C".to_owned()))).is_err());
    }
}
