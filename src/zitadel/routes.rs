//! The calls and where they are.

use std::future::Future;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::extract::RawPathParams;
use axum::extract::Request;
use axum::extract::State;
use axum::response::Response;
use axum::routing::MethodFilter;
use axum::routing::MethodRouter;
use axum::routing::on;
use http::HeaderName;
use http::HeaderValue;
use http::header::WARNING;
use serde_json::Value;

use crate::iam::request_id;
use crate::model::Expiry;

use super::Service;
use super::call::Call;
use super::error::Error;
use super::grants;
use super::machine;
use super::org;
use super::pats;
use super::secrets;
use super::status::failure;
use super::status::success;
use super::user_search;
use super::users;
use super::v2;

impl Service {
    /// One route per call; the rest of the port is not found.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/auth/v1/users/me", call(GET, users::me))
            .nest("/management/v1", management())
            .nest("/v2", v2())
            .method_not_allowed_fallback(async || failure(Error::MethodNotAllowed))
            .fallback(async || failure(Error::Nowhere))
            .with_state(self)
    }
}

fn management() -> Router<Service> {
    Router::new()
        .route("/orgs/me", call(GET, org::me))
        .route("/users/_search", call(POST, user_search::search))
        .route("/users/machine", call(POST, machine::add))
        .route("/users/{user}/machine", call(PUT, machine::update))
        .route(
            "/users/{user}",
            call(GET, users::get).merge(call(DELETE, users::remove)),
        )
        .route(
            "/users/{user}/secret",
            call(PUT, secrets::set).merge(call(DELETE, secrets::remove)),
        )
        .merge(states())
        .merge(tokens())
        .merge(authorizations())
}

fn states() -> Router<Service> {
    Router::new()
        .route("/users/{user}/_deactivate", call(POST, users::deactivate))
        .route("/users/{user}/_lock", call(POST, users::deactivate))
        .route("/users/{user}/_reactivate", call(POST, users::reactivate))
        .route("/users/{user}/_unlock", call(POST, users::reactivate))
}

fn tokens() -> Router<Service> {
    Router::new()
        .route("/users/{user}/pats", call(POST, pats::add))
        .route("/users/{user}/pats/_search", call(POST, pats::search))
        .route(
            "/users/{user}/pats/{token}",
            call(GET, pats::get).merge(call(DELETE, pats::remove)),
        )
}

fn authorizations() -> Router<Service> {
    Router::new()
        .route("/users/grants/_search", call(POST, grants::search))
        .route("/users/{user}/grants", call(POST, grants::add))
        .route(
            "/users/{user}/grants/{grant}",
            call(GET, grants::get)
                .merge(call(PUT, grants::update))
                .merge(call(DELETE, grants::remove)),
        )
        .route("/user_grants/_bulk", call(DELETE, grants::remove_many))
}

fn v2() -> Router<Service> {
    Router::new()
        .route("/users/pats/search", call(POST, v2::search))
        .route("/users/{user}/pats", call(POST, v2::add))
        .route("/users/{user}/pats/{token}", call(DELETE, v2::remove))
}

/// One call at its place. Every answer names the request and says when the caller's token ends.
fn call<H, F>(method: MethodFilter, handler: H) -> MethodRouter<Service>
where
    H: Fn(Call) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Value, Error>> + Send + 'static,
{
    on(
        method,
        async move |State(service): State<Service>, request: Request| {
            let given = request.headers().get(&REQUEST_ID);
            let id = request_id(given.and_then(|id| id.to_str().ok()));
            let (params, request) = params(request).await;
            let (answer, expires) = match Call::open(service, params, &id, request).await {
                Ok(call) => {
                    let expires = (call.principal.expires, call.warning.clone());
                    let tell = call.teller();
                    (handler(call).await.inspect_err(tell), Some(expires))
                }
                Err(error) => (Err(error), None),
            };
            finish(answer, &id, expires)
        },
    )
}

/// The variable parts of the path; none where they are not UTF-8.
async fn params(request: Request) -> (Vec<(String, String)>, Request) {
    let (mut parts, body) = request.into_parts();
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let params = params.map(|params| params.iter().map(owned).collect());
    (params.unwrap_or_default(), Request::from_parts(parts, body))
}

fn finish(
    answer: Result<Value, Error>,
    id: &str,
    expires: Option<(Expiry, Option<String>)>,
) -> Response {
    let mut response = answer.map_or_else(failure, success);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some((expires, warning)) = expires {
        if let Ok(expires) = HeaderValue::try_from(expires.to_string()) {
            headers.insert(TOKEN_EXPIRES, expires);
        }
        if let Some(Ok(warning)) = warning.map(HeaderValue::try_from) {
            headers.insert(WARNING, warning);
        }
    }
    response
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TOKEN_EXPIRES: HeaderName = HeaderName::from_static("x-token-expires-at");
