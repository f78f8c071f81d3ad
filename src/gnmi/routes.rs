//! The service's place on the gateway's port.

use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::routing::post;

use super::Service;

impl Service {
    /// One route per RPC.
    pub fn into_router(self) -> Router {
        Router::new()
            .route(
                "/gnmi.gNMI/Capabilities",
                post(|State(service): State<Self>, request: Request| async move {
                    service.capabilities(request).await
                }),
            )
            .route(
                "/gnmi.gNMI/Get",
                post(|State(service): State<Self>, request: Request| async move {
                    service.get(request).await
                }),
            )
            .route(
                "/gnmi.gNMI/Set",
                post(|State(service): State<Self>, request: Request| async move {
                    service.set(request).await
                }),
            )
            .route(
                "/gnmi.gNMI/Subscribe",
                post(|State(service): State<Self>, request: Request| async move {
                    service.subscribe(request).await
                }),
            )
            .with_state(self)
    }
}
