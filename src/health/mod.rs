//! Liveness, readiness and metrics.
