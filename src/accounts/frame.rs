//! What holds for every request and every answer, whatever is asked for (iam 2.1).

use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::PRAGMA;
use axum::http::header::VARY;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::form;
use crate::iam::RequestId;
use crate::iam::TokenKind;
use crate::model::Peer;

use super::Config;
use super::error::Problem;
use super::error::Refusal;
use super::error::Source;
use super::media::Accepts;
use super::media::Media;

/// Names the request, refuses what no page takes, and finishes the answer.
pub(super) async fn frame(
    State(config): State<Config>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::of(request.headers());
    let accepts = Accepts::of(request.headers());
    if let Err(refusal) = check(&request) {
        return finish(refusal.into_response(), config, &id, accepts);
    }
    strip_assertions(request.headers_mut());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(accepts);
    finish(next.run(request).await, config, &id, accepts)
}

fn check(request: &Request) -> Result<(), Refusal> {
    let is_encrypted = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|peer| peer.is_encrypted);
    if !is_encrypted {
        let problem = Problem::new("tls_required", "credentials are not taken over plain text");
        return Err(Refusal::new(StatusCode::FORBIDDEN, problem));
    }
    if request.headers().get_all(AUTHORIZATION).iter().count() > 1 {
        let problem = Problem::new("invalid_header", "given more than once")
            .from(Source::Header("Authorization"));
        return Err(Refusal::malformed(problem));
    }
    if has_token(request.uri().query().unwrap_or_default()) {
        let detail = "tokens do not belong in an address, where logs keep them";
        return Err(Refusal::malformed(Problem::new("token_in_query", detail)));
    }
    Ok(())
}

/// Whether a query holds a token, under whatever name; or something under the name that RFC 6750 2.3 gives it.
fn has_token(query: &str) -> bool {
    let pairs = form::pairs(query).unwrap_or_default();
    pairs.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("access_token") || TokenKind::of(value).is_some()
    })
}

/// Headers by which a proxy would assert who somebody is. Inbound they are worth nothing (iam X7); some servers take
/// underscores for hyphens.
fn strip_assertions(headers: &mut HeaderMap) {
    let hyphen = |byte| if byte == b'_' { b'-' } else { byte };
    let asserted = |name: &&HeaderName| {
        let begins_with = |prefix: &&str| {
            let name = name.as_str().bytes().map(hyphen);
            name.take(prefix.len()).eq(prefix.bytes())
        };
        ASSERTIONS.iter().any(begins_with)
    };
    let names: Vec<HeaderName> = headers.keys().filter(asserted).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn finish(mut response: Response, config: Config, id: &RequestId, accepts: Accepts) -> Response {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let refusal = refusal.if_expired(config.expired_pat_status);
        *response.status_mut() = refusal.status();
        let media = accepts.choose(Media::JsonApi).unwrap_or(Media::JsonApi);
        *response.body_mut() = Body::from(refusal.document(id.as_str()).to_string());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.as_str()));
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    id.put(headers);
    response
}

const ASSERTIONS: &[&str] = &[
    "x-forwarded-user",
    "x-forwarded-role",
    "x-forwarded-group",
    "x-forwarded-jwt",
    "x-forwarded-email",
];

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn nothing_is_reached_without_tls() {
        let router = || {
            Router::new()
                .route("/", get(|| async { "reached" }))
                .layer(from_fn_with_state(Config::default(), frame))
        };
        let mut peer = Peer::plain(([192, 0, 2, 1], 1).into());
        for (is_encrypted, status) in [(false, StatusCode::FORBIDDEN), (true, StatusCode::OK)] {
            peer.is_encrypted = is_encrypted;
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(peer.clone());
            let answer = router().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status);
        }
        let answer = router().oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn assertions_go_whatever_their_spelling() {
        let mut headers = HeaderMap::new();
        for name in [
            "X-Forwarded-User-Id",
            "x_forwarded_user",
            "x-forwarded_Usergroups",
            "X-Forwarded-JWT",
            "x-forwarded-roles",
        ] {
            let name: HeaderName = name.to_lowercase().parse().unwrap();
            headers.insert(name, HeaderValue::from_static("root"));
        }
        headers.insert("x-forwarded-tenant-id", HeaderValue::from_static("pca"));
        strip_assertions(&mut headers);
        assert_eq!(headers.len(), 1, "{headers:?}");
    }

    #[test]
    fn tokens_in_queries_are_seen() {
        assert!(has_token("a=tgpat_x"));
        assert!(has_token("a=%74gses_x"));
        assert!(has_token("access_token=abc"));
        assert!(!has_token("page=1&pageSize=25"));
    }
}
