//! Entity tags, times of change, and requests that depend on them (RFC 8040 3.4.1, 3.5.1, 3.5.2).

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header::ETAG;
use axum::http::header::IF_MATCH;
use axum::http::header::IF_MODIFIED_SINCE;
use axum::http::header::IF_NONE_MATCH;
use axum::http::header::IF_UNMODIFIED_SINCE;
use axum::http::header::LAST_MODIFIED;

use crate::datastore::Precondition;
use crate::datastore::port::Mark;
use crate::model::Timestamp;
use crate::schema::Step;

/// What a request says about the state of its target.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    matches: Option<Vec<String>>,
    matches_none: Option<Vec<String>>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

impl Conditions {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            matches: tags(headers, &IF_MATCH),
            matches_none: tags(headers, &IF_NONE_MATCH),
            modified_since: date(headers, &IF_MODIFIED_SINCE),
            unmodified_since: date(headers, &IF_UNMODIFIED_SINCE),
        }
    }

    /// Whether a reader knows this already.
    pub(super) fn is_known(&self, mark: Mark) -> bool {
        match (&self.matches_none, self.modified_since) {
            (Some(tags), _) => fits_weakly(tags, Some(mark)),
            (None, Some(since)) => mark.modified.secs() <= since.secs(),
            (None, None) => false,
        }
    }

    /// What a reader demands (RFC 9110 13.1.1): holds for any method.
    pub(super) fn holds(&self, mark: Option<Mark>) -> bool {
        let is_match = self.matches.as_ref().is_none_or(|tags| fits(tags, mark));
        let is_unmodified = match (&self.matches, self.unmodified_since, mark) {
            (None, Some(since), Some(mark)) => mark.modified.secs() <= since.secs(),
            (None, Some(_), None) => false,
            _ => true,
        };
        is_match && is_unmodified
    }

    /// What a writer demands of `target`; `None` when it demands nothing.
    pub(super) fn precondition(self, target: &[Step]) -> Option<Precondition> {
        let is_empty = self.matches.is_none()
            && self.matches_none.is_none()
            && self.unmodified_since.is_none();
        if is_empty {
            return None;
        }
        let holds = move |mark| {
            let tags = self.matches_none.as_ref();
            self.holds(mark) && tags.is_none_or(|tags| !fits_weakly(tags, mark))
        };
        Some(Precondition {
            target: target.to_vec(),
            holds: Arc::new(holds),
        })
    }
}

/// Puts the marks of a resource on its answer.
pub(super) fn put_marks(headers: &mut HeaderMap, mark: Mark) {
    if let Ok(tag) = HeaderValue::from_str(&tag_of(mark)) {
        headers.insert(ETAG, tag);
    }
    let date = mark.modified.http_date().map(HeaderValue::try_from);
    if let Some(Ok(date)) = date {
        headers.insert(LAST_MODIFIED, date);
    }
}

/// Revisions are never given twice, so a tag names one state of a resource for ever.
fn tag_of(mark: Mark) -> String {
    format!("\"{:x}\"", mark.revision)
}

fn fits(tags: &[String], mark: Option<Mark>) -> bool {
    mark.is_some_and(|mark| tags.iter().any(|tag| tag == "*" || *tag == tag_of(mark)))
}

/// Weak comparison, as `If-None-Match` wants it (RFC 9110 13.1.2).
fn fits_weakly(tags: &[String], mark: Option<Mark>) -> bool {
    let is_own = |tag: &String, own: &str| tag.strip_prefix("W/").unwrap_or(tag) == own;
    let own = mark.map(tag_of);
    own.is_some_and(|own| tags.iter().any(|tag| tag == "*" || is_own(tag, &own)))
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let values = headers.get_all(name);
    for value in values {
        let text = value.to_str().unwrap_or_default().split(',');
        found.extend(text.map(|tag| tag.trim().to_owned()));
    }
    (!found.is_empty()).then_some(found)
}

/// One that cannot be read counts as not given (RFC 9110 13.1.3).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    Timestamp::parse_http_date(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_compare_tags_weakly_and_writers_strongly() {
        let mark = Mark {
            revision: 5,
            modified: Timestamp::from_secs(1),
        };
        let with = |name, tag| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(tag));
            Conditions::of(&headers)
        };
        assert!(with(IF_NONE_MATCH, "W/\"5\"").is_known(mark));
        assert!(with(IF_NONE_MATCH, "\"5\"").is_known(mark));
        assert!(!with(IF_NONE_MATCH, "W/\"6\"").is_known(mark));
        assert!(!with(IF_MATCH, "W/\"5\"").holds(Some(mark)));
        assert!(with(IF_MATCH, "\"5\"").holds(Some(mark)));
    }
}
