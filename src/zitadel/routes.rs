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

use crate::iam::RequestId;
use crate::model::Expiry;
use crate::openapi::Document;
use crate::openapi::Method;
use crate::openapi::Operation;

use super::Service;
use super::call::Call;
use super::error::Error;
use super::grants;
use super::machine;
use super::operations as op;
use super::org;
use super::pats;
use super::secrets;
use super::status::failure;
use super::status::success;
use super::user_search;
use super::users;
use super::v2;

/// An operation and who does it.
type Route = (Operation, MethodRouter<Service>);

impl Service {
    /// What is offered.
    pub fn operations() -> Vec<Operation> {
        let all = routes().into_iter();
        all.map(|(operation, _)| operation).collect()
    }

    /// What holds for all of it.
    pub const fn document() -> Document {
        op::DOCUMENT
    }

    /// One route per call; the rest of the port is not found.
    pub fn into_router(self) -> Router {
        let add = |router: Router<Self>, (operation, handler): Route| {
            router.route(operation.path, handler)
        };
        routes()
            .into_iter()
            .fold(Router::new(), add)
            .method_not_allowed_fallback(async || failure(Error::MethodNotAllowed))
            .fallback(async || failure(Error::Nowhere))
            .with_state(self)
    }
}

fn routes() -> Vec<Route> {
    vec![
        call(op::ME, users::me),
        call(op::ORG, org::me),
        call(op::USER_SEARCH, user_search::search),
        call(op::ADD_MACHINE, machine::add),
        call(op::UPDATE_MACHINE, machine::update),
        call(op::GET_USER, users::get),
        call(op::REMOVE_USER, users::remove),
        call(op::SET_SECRET, secrets::set),
        call(op::REMOVE_SECRET, secrets::remove),
        call(op::DEACTIVATE, users::deactivate),
        call(op::LOCK, users::deactivate),
        call(op::REACTIVATE, users::reactivate),
        call(op::UNLOCK, users::reactivate),
        call(op::ADD_PAT, pats::add),
        call(op::SEARCH_PATS, pats::search),
        call(op::GET_PAT, pats::get),
        call(op::REMOVE_PAT, pats::remove),
        call(op::SEARCH_GRANTS, grants::search),
        call(op::ADD_GRANT, grants::add),
        call(op::GET_GRANT, grants::get),
        call(op::UPDATE_GRANT, grants::update),
        call(op::REMOVE_GRANT, grants::remove),
        call(op::DEACTIVATE_GRANT, grants::deactivate),
        call(op::REACTIVATE_GRANT, grants::reactivate),
        call(op::REMOVE_GRANTS, grants::remove_many),
        call(op::V2_SEARCH, v2::search),
        call(op::V2_ADD, v2::add),
        call(op::V2_REMOVE, v2::remove),
    ]
}

/// One call at its place. Every answer names the request and says when the caller's token ends.
fn call<H, F>(operation: Operation, handler: H) -> Route
where
    H: Fn(Call) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Value, Error>> + Send + 'static,
{
    let method = match operation.method {
        Method::Delete => MethodFilter::DELETE,
        Method::Get => MethodFilter::GET,
        Method::Patch => MethodFilter::PATCH,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
    };
    // Searches are sent as POST, and read.
    let changes = operation.method != Method::Get && !operation.path.ends_with("search");
    let handler = on(
        method,
        async move |State(service): State<Service>, request: Request| {
            let id = RequestId::of(request.headers());
            let (params, request) = params(request).await;
            let (answer, expires) = match Call::open(service, params, id.as_str(), request).await {
                Ok(call) => {
                    if changes && let Err(error) = call.charge_write() {
                        return finish(Err(error), &id, None);
                    }
                    let expires = (call.principal.expires, call.warning.clone());
                    let tell = call.teller();
                    (handler(call).await.inspect_err(tell), Some(expires))
                }
                Err(error) => (Err(error), None),
            };
            finish(answer, &id, expires)
        },
    );
    (operation, handler)
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
    id: &RequestId,
    expires: Option<(Expiry, Option<String>)>,
) -> Response {
    let mut response = answer.map_or_else(failure, success);
    let headers = response.headers_mut();
    id.put(headers);
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

const TOKEN_EXPIRES: HeaderName = HeaderName::from_static("x-token-expires-at");
