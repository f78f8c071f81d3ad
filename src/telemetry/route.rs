//! Who is told of a leaf's changes.

use std::sync::Arc;

use super::subscriber::Shared;

/// The subscribers of one or many leaves. Leaves with the same subscribers share one route.
#[derive(Debug)]
pub(super) struct Route {
    /// Unique in the tenant.
    pub(super) id: u64,
    /// Each once.
    pub(super) subscribers: Vec<Arc<Shared>>,
}

/// A route as found at some generation of the matcher. Older than the matcher's, it is void.
///
/// Telemetry repeats its paths, so nearly every write finds its route here: some 15 ns instead of a search.
#[derive(Clone, Debug)]
pub(super) struct CachedRoute {
    /// The matcher's generation at the search.
    pub(super) generation: u64,
    /// What was found.
    pub(super) route: Arc<Route>,
}
