//! Media types: what a body may be, and what an answer will be (iam 2.1; JSON:API 1.1).

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::header::CONTENT_TYPE;

use super::error::Problem;
use super::error::Refusal;
use super::error::Source;

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    JsonApi,
}

/// What the client accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepts {
    json: bool,
    json_api: bool,
}

impl Media {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::JsonApi => JSON_API,
        }
    }
}

impl Accepts {
    /// A client that says nothing accepts everything.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut accepts = Self {
            json: false,
            json_api: false,
        };
        let mut is_silent = true;
        for value in headers.get_all(ACCEPT) {
            is_silent = false;
            for range in value.to_str().unwrap_or_default().split(',') {
                accepts.add(range);
            }
        }
        if is_silent {
            accepts.add(ANYTHING);
        }
        accepts
    }

    /// The form that suits the answer, or the other one; `None` when the client takes neither.
    pub(super) const fn choose(self, preferred: Media) -> Option<Media> {
        match (self.json, self.json_api) {
            (true, true) => Some(preferred),
            (true, false) => Some(Media::Json),
            (false, true) => Some(Media::JsonApi),
            (false, false) => None,
        }
    }

    fn add(&mut self, range: &str) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut has_other = false;
        for parameter in parts {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "q" if value
                    .trim()
                    .parse::<f32>()
                    .is_ok_and(|weight| weight <= 0.0) =>
                {
                    return;
                }
                "q" | "profile" => {}
                _ => has_other = true,
            }
        }
        match name.as_str() {
            ANYTHING | "application/*" => {
                self.json = true;
                self.json_api = true;
            }
            JSON => self.json = true,
            // JSON:API 1.1: an instance with other parameters is not to be served.
            JSON_API => self.json_api |= !has_other,
            _ => {}
        }
    }
}

/// Whether a body of this type is taken as JSON.
pub(super) fn check_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let (name, mut parameters) = content_type(headers);
    let fits = match name.as_str() {
        JSON => true,
        JSON_API => parameters.all(|key| key == "profile"),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(unsupported(
            "send application/json or application/vnd.api+json",
        ))
    }
}

/// Whether a body of this type is taken as a form.
pub(super) fn check_form(headers: &HeaderMap) -> Result<(), Refusal> {
    if content_type(headers).0 == FORM {
        Ok(())
    } else {
        Err(unsupported("send application/x-www-form-urlencoded"))
    }
}

pub(super) fn not_acceptable() -> Refusal {
    let detail = "answers are application/json or application/vnd.api+json";
    let problem = Problem::new("not_acceptable", detail).from(Source::Header("Accept"));
    Refusal::new(StatusCode::NOT_ACCEPTABLE, problem)
}

fn unsupported(detail: &'static str) -> Refusal {
    let problem =
        Problem::new("unsupported_media_type", detail).from(Source::Header("Content-Type"));
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem)
}

/// The type, and the names of its parameters.
fn content_type(headers: &HeaderMap) -> (String, impl Iterator<Item = String>) {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let mut parts = value.unwrap_or_default().split(';');
    let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let key = |parameter: &str| {
        let key = parameter.split('=').next().unwrap_or_default();
        key.trim().to_ascii_lowercase()
    };
    (name, parts.map(key))
}

const ANYTHING: &str = "*/*";
const JSON: &str = "application/json";
const JSON_API: &str = "application/vnd.api+json";
const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, preferred: Media, expected: Option<Media>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        assert_eq!(
            Accepts::of(&headers).choose(preferred),
            expected,
            "{accept}"
        );
    }

    #[test]
    fn accept_chooses_the_answer_form() {
        check("*/*", Media::Json, Some(Media::Json));
        check("application/json", Media::JsonApi, Some(Media::Json));
        check(
            "text/html, application/*;q=0.1",
            Media::JsonApi,
            Some(Media::JsonApi),
        );
        check("application/json;q=0", Media::Json, None);
        check("application/vnd.api+json;version=1", Media::JsonApi, None);
        check("text/html", Media::Json, None);
    }
}
