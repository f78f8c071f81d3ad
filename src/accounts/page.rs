//! Pages of a search: which one is asked for, and how it is answered (JSON:API 1.1; iam 2.4).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

use crate::form::encode;

use super::error::Refusal;
use super::media::Media;
use super::request::Query;
use super::request::bad_parameter;
use super::view::Members;
use super::view::answer;

/// The page that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    number: u64,
    pub(super) size: u32,
}

impl Page {
    /// From the query; the first 25 when it says nothing.
    pub(super) fn of(query: &Query) -> Result<Self, Refusal> {
        let number = parameter(query, &NUMBERS)?;
        let size = parameter(query, &SIZES)?;
        let page = Self {
            number: number.map_or(1, |(_, number)| number),
            size: match size {
                None => DEFAULT_SIZE,
                Some((name, size)) => u32::try_from(size)
                    .ok()
                    .filter(|size| *size <= MOST)
                    .ok_or_else(|| bad_parameter(name, "is not from 1 to 500"))?,
            },
        };
        Ok(page)
    }

    /// How many come before it.
    pub(super) fn offset(self) -> u64 {
        (self.number - 1).saturating_mul(self.size.into())
    }

    /// The answer: `data`, and how to get at the rest.
    pub(super) fn answer(self, path: &str, query: &Query, total: u64, found: &Found) -> Response {
        let pages = total.div_ceil(self.size.into());
        let mut rest = String::new();
        for (name, value) in query.without(&[NUMBERS, SIZES].concat()) {
            for part in ["&", &encode(name), "=", &encode(value)] {
                rest.push_str(part);
            }
        }
        let link = |number: u64| format!("{path}?page={number}&pageSize={}{rest}", self.size);
        let there = |number: u64| (1..=pages).contains(&number).then(|| link(number));
        let previous = self.number.checked_sub(1);
        let body = json!({
            "data": found.data,
            "links": {
                "self": link(self.number),
                "first": link(1),
                "prev": previous.and_then(there),
                "next": self.number.checked_add(1).and_then(there),
                "last": link(pages.max(1)),
            },
            "meta": {
                "count": total,
                "page": {
                    "number": self.number,
                    "size": self.size,
                    "totalPages": pages,
                    "totalElements": total,
                },
            },
            "jsonapi": { "version": "1.1" },
        });
        answer(StatusCode::OK, found.media, body)
    }
}

/// What a search has found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) media: Media,
    pub(super) data: Vec<Value>,
}

/// One resource of a list.
pub(super) fn resource(kind: &str, id: &str, link: &str, attributes: &Members) -> Value {
    json!({
        "type": kind,
        "id": id,
        "attributes": attributes,
        "links": { "self": link },
    })
}

/// A number from 1 on, under one of two names.
fn parameter<'n>(query: &Query, names: &[&'n str; 2]) -> Result<Option<(&'n str, u64)>, Refusal> {
    let mut given = names
        .iter()
        .filter_map(|name| query.get(name).map(|value| (*name, value)));
    let Some((name, value)) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(bad_parameter(name, "is given under two names"));
    }
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| is_plain && *number > 0);
    number
        .map(|number| Some((name, number)))
        .ok_or_else(|| bad_parameter(name, "is not a whole number from 1 on"))
}

/// The page's number: the vendor's name, and JSON:API's.
const NUMBERS: [&str; 2] = ["page", "page[number]"];
const SIZES: [&str; 2] = ["pageSize", "page[size]"];

/// The query parameters of a search.
pub(super) const PARAMETERS: &[&str] = &["page", "page[number]", "pageSize", "page[size]", "sort"];

const DEFAULT_SIZE: u32 = 25;
const MOST: u32 = 500;
