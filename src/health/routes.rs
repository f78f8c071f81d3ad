//! The pages.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::HeaderName;
use axum::routing::get;

use super::Metrics;
use super::Readiness;
use super::operations::HEALTHZ;
use super::operations::READYZ;

/// `/healthz` and `/readyz`; GET and HEAD alone.
pub fn health_routes(readiness: Readiness) -> Router {
    Router::new()
        .route(HEALTHZ.path, get(healthz))
        .route(READYZ.path, get(readyz))
        .with_state(readiness)
}

/// `/metrics`; GET and HEAD alone.
pub fn metrics_routes(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(metrics_page))
        .with_state(metrics)
}

type Page = (StatusCode, [(HeaderName, &'static str); 2], String);

/// The process answers: nothing more is said.
async fn healthz() -> Page {
    page(StatusCode::OK, PLAIN, "ok\n".to_owned())
}

/// 200 when every component is ready, otherwise 503 with one line for each that is not.
async fn readyz(State(readiness): State<Readiness>) -> Page {
    let waiting = readiness.waiting();
    if waiting.is_empty() {
        return page(StatusCode::OK, PLAIN, "ready\n".to_owned());
    }
    let lines = waiting.join(
        ": not ready
",
    ) + ": not ready
";
    page(StatusCode::SERVICE_UNAVAILABLE, PLAIN, lines)
}

async fn metrics_page(State(metrics): State<Metrics>) -> Page {
    page(StatusCode::OK, PROMETHEUS, metrics.text())
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Page {
    (
        status,
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")],
        body,
    )
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// Prometheus exposition format 0.0.4.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::Response;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn call(router: Router, method: &str, path: &str) -> (Response<()>, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        (
            Response::from_parts(parts, ()),
            String::from_utf8(text.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn readyz_lists_what_is_not_ready() {
        let readiness = Readiness::new();
        let store = readiness.component("store");
        let routes = health_routes(readiness);
        let (answer, text) = call(routes.clone(), "GET", "/readyz").await;
        assert_eq!(
            (answer.status(), text.as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "store: not ready\n")
        );
        assert_eq!(
            call(routes.clone(), "GET", "/healthz").await.0.status(),
            StatusCode::OK
        );
        store.set_ready();
        assert_eq!(
            call(routes, "GET", "/readyz").await.0.status(),
            StatusCode::OK
        );
    }

    #[tokio::test]
    async fn pages_answer_get_and_head_alone() {
        let routes = health_routes(Readiness::new()).merge(metrics_routes(Metrics::install()));
        for path in ["/healthz", "/readyz", "/metrics"] {
            let (answer, text) = call(routes.clone(), "HEAD", path).await;
            assert_eq!(
                (answer.status(), text.as_str()),
                (StatusCode::OK, ""),
                "{path}"
            );
            for method in ["POST", "PUT", "DELETE"] {
                let (answer, _) = call(routes.clone(), method, path).await;
                assert_eq!(
                    answer.status(),
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{method} {path}"
                );
            }
        }
        let (answer, text) = call(routes, "GET", "/metrics").await;
        assert_eq!(answer.headers()[CONTENT_TYPE], PROMETHEUS);
        assert!(text.contains("tollgate_build_info"));
    }
}
