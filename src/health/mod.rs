//! Liveness, readiness and metrics.
//!
//! Three pages for machines: `/healthz` (the process answers), `/readyz` (every component is ready, or which is
//! not) and `/metrics` (Prometheus text). Who may reach them is decided by where the caller of these routes
//! mounts them; nothing here is secret, and nothing here asks who calls.

mod operations;
mod process;
mod readiness;
mod recorder;
mod routes;

pub use operations::DOCUMENT;
pub use operations::OPERATIONS;
pub use readiness::Component;
pub use readiness::Readiness;
pub use recorder::Metrics;
pub use routes::health_routes;
pub use routes::metrics_routes;
