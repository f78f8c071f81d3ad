//! Media types: what a body may be, and what an answer will be (RFC 8040 5.2).

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::header::CONTENT_TYPE;

use crate::schema::Format;

use super::error::Refusal;

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// Plain JSON, for clients that know no other.
    Json,
    /// Plain XML.
    Xml,
    YangJson,
    YangXml,
}

impl Media {
    pub(super) const ALL: [Self; 4] = [Self::YangJson, Self::YangXml, Self::Json, Self::Xml];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            Self::YangJson => "application/yang-data+json",
            Self::YangXml => "application/yang-data+xml",
        }
    }

    pub(super) const fn format(self) -> Format {
        match self {
            Self::Json | Self::YangJson => Format::Json,
            Self::Xml | Self::YangXml => Format::Xml,
        }
    }

    /// What the client likes best of what there is; `None` when it takes none of it. One that says nothing takes what it sends, or JSON.
    pub(super) fn chosen(headers: &HeaderMap) -> Option<Self> {
        let mut ranges = Vec::new();
        for value in headers.get_all(ACCEPT) {
            ranges.extend(value.to_str().unwrap_or_default().split(',').map(range));
        }
        if ranges.is_empty() {
            // As the request is written, so is the answer (RFC 8040 5.2).
            let is_xml = content_type(headers).ends_with("xml");
            return Some(if is_xml {
                Self::YangXml
            } else {
                Self::YangJson
            });
        }
        let weight = |media: Self| {
            // The most exact range counts (RFC 9110 12.5.1).
            let fitting = ranges.iter().filter_map(|(name, weight)| {
                let exactness = match name.as_str() {
                    "*/*" => 0,
                    "application/*" => 1,
                    name if name == media.as_str() => 2,
                    _ => return None,
                };
                Some((exactness, *weight))
            });
            fitting
                .max_by_key(|(exactness, _)| *exactness)
                .map_or(0, |(_, weight)| weight)
        };
        // Of equals the first in the list.
        let mut best: Option<(Self, u16)> = None;
        for media in Self::ALL {
            let weight = weight(media);
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((media, weight));
            }
        }
        best.map(|(media, _)| media)
    }
}

/// A media range and its weight in thousandths.
fn range(text: &str) -> (String, u16) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts
        .filter_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .find_map(thousandths);
    (name, weight.unwrap_or(1_000))
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = format!("{fraction:0<3}");
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    Some((whole * 1_000 + digits.get(..3)?.parse::<u16>().ok()?).min(1_000))
}

pub(super) fn not_acceptable() -> Refusal {
    let message = "answers are application/yang-data+json or application/yang-data+xml";
    Refusal::new(StatusCode::NOT_ACCEPTABLE, "invalid-value", message)
}

/// The type of a body; parameters do not count.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let name = value.unwrap_or_default().split(';').next();
    name.unwrap_or_default().trim().to_ascii_lowercase()
}

/// What a body is written in.
pub(super) fn body_format(headers: &HeaderMap, plain_json: bool) -> Result<Format, Refusal> {
    match content_type(headers).as_str() {
        "application/yang-data+json" => Ok(Format::Json),
        "application/json" if plain_json => Ok(Format::Json),
        "application/yang-data+xml" | "application/xml" | "text/xml" => Ok(Format::Xml),
        _ => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid-value",
            "send application/yang-data+json or application/yang-data+xml",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: Option<Media>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        assert_eq!(Media::chosen(&headers), expected, "{accept}");
    }

    #[test]
    fn accept_chooses_the_answers_form() {
        check("*/*", Some(Media::YangJson));
        check("application/yang-data+xml", Some(Media::YangXml));
        check("application/json", Some(Media::Json));
        check(
            "application/yang-data+json;q=0.1, application/yang-data+xml;q=0.9",
            Some(Media::YangXml),
        );
        check(
            "application/*;q=0.5, application/yang-data+json;q=0",
            Some(Media::YangXml),
        );
        check("text/html", None);
        check("application/yang-data+json;q=0", None);
        let mut headers = HeaderMap::new();
        assert_eq!(Media::chosen(&headers), Some(Media::YangJson));
        headers.insert(CONTENT_TYPE, "application/yang-patch+xml".parse().unwrap());
        assert_eq!(Media::chosen(&headers), Some(Media::YangXml));
    }
}
