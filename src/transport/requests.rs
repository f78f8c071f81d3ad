//! What one peer asks for.

use std::convert::Infallible;
use std::future::Ready;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use http::Request;
use hyper::body::Incoming;
use tokio::sync::watch;
use tower::Service;

use crate::clock::Clock;
use crate::model::Peer;

use super::Proxies;
use super::Tls;
use super::linger::linger;
use super::opening::Opening;

/// Hands each request to the router, with the peer in its extensions.
pub(super) struct Requests {
    pub(super) router: Router,
    /// On the heap: by value it would stand in the task once for each function that hands it on.
    pub(super) peer: Box<Peer>,
    pub(super) proxies: Proxies,
    pub(super) newest: Option<watch::Receiver<Arc<Tls>>>,
    pub(super) opening: Opening,
}

/// An answer that is being made. On the heap: it holds the request, which would keep its room in the task of a stream that
/// is open for days.
pub(super) type Answer =
    Pin<Box<Either<RouteFuture<Infallible>, Ready<Result<Response, Infallible>>>>>;

impl Requests {
    /// The answer to one request.
    pub(super) fn answer(&self, mut request: Request<Body>) -> Answer {
        self.opening.finish();
        let newest = self
            .newest
            .as_ref()
            .map(|newest| Arc::clone(&newest.borrow()));
        let headers = request.headers_mut();
        let client = self
            .proxies
            .peer_behind(&self.peer, headers, newest.as_deref());
        Box::pin(match client {
            Ok(client) => {
                request.extensions_mut().insert(client);
                // A router is always ready.
                Either::Left(self.router.clone().call(request))
            }
            Err(refused) => Either::Right(ready(Ok(refused.into_response()))),
        })
    }

    /// The clock by which answers are dated.
    pub(super) fn clock(&self) -> Clock {
        let tls = self.newest.as_ref().map(watch::Receiver::borrow);
        tls.map_or_else(Clock::system, |tls| tls.clock().clone())
    }
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        self.answer(linger(request))
    }
}
