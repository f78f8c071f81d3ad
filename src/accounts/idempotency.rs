//! `Idempotency-Key`: a creation that is sent again is not made again (iam 2.4: A1, A2).

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::StatusCode;
use axum::response::Response;
use parking_lot::Mutex;
use serde_json::Value;
use sha2::Digest as _;
use sha2::Sha256;

use crate::iam::AccountId;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::error::Problem;
use super::error::Refusal;
use super::error::Source;
use super::media::Media;
use super::view;
use super::view::Members;

/// The creations of late that had a key, of this process. Secrets are not kept, so a repetition is told everything but
/// the token. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Idempotency(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    order: VecDeque<(Key, Timestamp)>,
}

/// Whose key it is, and for what page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) account: AccountId,
    pub(super) tenant: TenantId,
    pub(super) path: String,
    pub(super) text: String,
}

enum Entry {
    Done(Hash, String, Members),
    Running(Hash),
}

type Hash = [u8; 32];

/// What is to be done with a request.
pub(super) enum Begun {
    /// It is the first: do it, and say how it ended.
    First(Attempt),
    /// It has been done.
    Repeated {
        /// Where the new thing is.
        location: String,
        /// What was answered, without the secret.
        body: Members,
    },
}

/// A creation on its way. Forgotten when it comes to nothing, so that it may be tried again.
pub(super) struct Attempt {
    kept: Idempotency,
    key: Option<Key>,
    hash: Hash,
}

impl Idempotency {
    /// Looks whether the request has been done. `what` is all that makes it another request.
    pub(super) fn begin(
        &self,
        key: Option<Key>,
        what: &[&[u8]],
        now: Timestamp,
    ) -> Result<Begun, Refusal> {
        let mut hash = Sha256::new();
        for part in what {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let hash: Hash = hash.finalize().into();
        let first = |key| {
            Ok(Begun::First(Attempt {
                kept: self.clone(),
                key,
                hash,
            }))
        };
        let Some(key) = key else {
            return first(None);
        };
        let mut kept = self.0.lock();
        kept.forget(now);
        match kept.entries.get(&key) {
            Some(Entry::Done(known, ..) | Entry::Running(known)) if *known != hash => {
                let detail = "the key was used for another request";
                let problem = Problem::new("idempotency_key_reused", detail).from(SOURCE);
                Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, problem))
            }
            Some(Entry::Running(_)) => {
                let detail = "the first request with this key is not done yet";
                let problem = Problem::new("in_progress", detail).from(SOURCE);
                Err(Refusal::new(StatusCode::CONFLICT, problem))
            }
            Some(Entry::Done(_, location, body)) => Ok(Begun::Repeated {
                location: location.clone(),
                body: body.clone(),
            }),
            None => {
                kept.order.push_back((key.clone(), now));
                kept.entries.insert(key.clone(), Entry::Running(hash));
                drop(kept);
                first(Some(key))
            }
        }
    }
}

impl Begun {
    /// The answer to a repetition.
    pub(super) fn answer(media: Media, location: &str, mut body: Members) -> Response {
        body.insert("code".to_owned(), "idempotent_replay".into());
        view::created(media, location, body)
    }
}

impl Attempt {
    /// It is done: this is what a repetition will be told.
    pub(super) fn finish(mut self, location: &str, body: &Members) {
        let Some(key) = self.key.take() else {
            return;
        };
        let mut body = body.clone();
        if let Some(secret) = body.get_mut("pat") {
            *secret = Value::Null;
        }
        let entry = Entry::Done(self.hash, location.to_owned(), body);
        self.kept.0.lock().entries.insert(key, entry);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.kept.0.lock().entries.remove(&key);
        }
    }
}

impl Kept {
    fn forget(&mut self, now: Timestamp) {
        while let Some((key, at)) = self.order.front()
            && (self.order.len() >= MOST || now.since(*at) >= MEMORY)
        {
            self.entries.remove(key);
            self.order.pop_front();
        }
    }
}

/// The key that the client has given, if it has.
pub(super) fn given(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(&HEADER) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > LONGEST || !is_printable {
        let detail = "is not 1 to 255 printable characters";
        let problem = Problem::new("invalid_header", detail).from(SOURCE);
        return Err(Refusal::malformed(problem));
    }
    Ok(Some(text.to_owned()))
}

impl fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Idempotency({})", self.0.lock().entries.len())
    }
}

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const SOURCE: Source = Source::Header("Idempotency-Key");

/// A UUID has 36.
const LONGEST: usize = 255;

/// Creations that are remembered, about a kilobyte each.
const MOST: usize = 10_000;

/// Who has not tried again by then does not.
const MEMORY: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key {
            account: AccountId::from_raw(1),
            tenant: TenantId::new("pca"),
            path: "/".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn keys_are_bounded_and_end_with_their_day() {
        let kept = Idempotency::default();
        let now = Timestamp::from_secs(1_000_000);
        for number in 0..MOST + 10 {
            let begun = kept.begin(Some(key(&number.to_string())), &[], now);
            let Ok(Begun::First(attempt)) = begun else {
                panic!("{number}")
            };
            attempt.finish("/x", &Members::new());
        }
        assert!(kept.0.lock().entries.len() <= MOST);
        let again = |at| kept.begin(Some(key("10000")), &[], at);
        assert!(matches!(again(now), Ok(Begun::Repeated { .. })));
        assert!(kept.begin(Some(key("10000")), &[b"other"], now).is_err());
        let tomorrow = now.saturating_add(MEMORY);
        assert!(matches!(again(tomorrow), Ok(Begun::First(_))));
        assert_eq!(kept.0.lock().entries.len(), 0);
    }

    #[test]
    fn attempt_that_fails_may_be_tried_again_and_one_on_its_way_not() {
        let kept = Idempotency::default();
        let begin = || kept.begin(Some(key("k")), &[], Timestamp::EPOCH);
        let first = begin().ok();
        assert!(begin().is_err());
        drop(first);
        assert!(matches!(begin(), Ok(Begun::First(_))));
    }
}
