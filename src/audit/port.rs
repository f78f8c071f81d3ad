//! Where events are stored.

use std::fmt::Debug;

use async_trait::async_trait;

use super::Event;
use super::Link;

/// An append-only, hash-chained store of events. `store` implements it for SQLite.
#[async_trait]
pub trait Log: Debug + Send + Sync {
    /// Appends events in order: all or none.
    async fn append(&self, events: &[Event]) -> Result<(), LogError>;

    /// Links after number `after`, oldest first, at most `limit`.
    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, LogError>;
}

/// The store cannot take or give events now. It has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit store is unavailable")]
pub struct LogError;
