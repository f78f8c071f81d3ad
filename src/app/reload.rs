//! Asking for the certificates to be read again.

use std::error::Error as _;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::Error;

/// Asks a running gateway to read its certificate files again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader(mpsc::Sender<Asked>);

/// Somebody who waits for the answer.
pub(super) type Asked = oneshot::Sender<Result<(), Error>>;

impl Reloader {
    /// A way to ask, and where the questions come out.
    pub(super) fn new() -> (Self, mpsc::Receiver<Asked>) {
        let (asking, asked) = mpsc::channel(WAITING);
        (Self(asking), asked)
    }

    /// Reads the server's certificate, the authorities of clients and their revocation lists again, and puts them in
    /// force for new handshakes. When anything is wrong with them, everything stays as it was.
    ///
    /// # Errors
    ///
    /// What is wrong; [`Error::Stopping`] when the gateway is about to end.
    pub async fn reload(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.map_err(|_| Error::Stopping)?;
        answered.await.unwrap_or(Err(Error::Stopping))
    }
}

/// `POST /reload` on the admin port: reads the certificates again and says what came of it. It changes nothing that was
/// not put into the files before, so whoever reaches the port may ask.
pub(super) fn reload_routes(reloader: Reloader) -> Router {
    Router::new()
        .route("/reload", post(reload))
        .with_state(reloader)
}

async fn reload(State(reloader): State<Reloader>) -> (StatusCode, Json<Value>) {
    match reloader.reload().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "reloaded": true }))),
        Err(error) => {
            let mut reasons = vec![error.to_string()];
            let mut source = error.source();
            while let Some(cause) = source {
                reasons.push(cause.to_string());
                source = cause.source();
            }
            let body = json!({ "reloaded": false, "reasons": reasons });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
        }
    }
}

/// Questions that wait: one at a time is asked by a person, the rest are repetitions.
const WAITING: usize = 8;
