//! Where events are stored.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::model::Timestamp;

use super::Beginning;
use super::Event;
use super::EventQuery;
use super::Link;

/// A store of events, hash-chained: it takes new ones at its end, and lets go of the oldest. `store` implements it.
#[async_trait]
pub trait Log: Debug + Send + Sync {
    /// Appends events in order: all or none.
    async fn append(&self, events: &[Event]) -> Result<(), LogError>;

    /// Links after number `after`, oldest first, at most `limit`.
    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, LogError>;

    /// The links that `query` asks for, oldest first.
    async fn find(&self, query: &EventQuery) -> Result<Vec<Link>, LogError>;

    /// Where the chain begins.
    async fn beginning(&self) -> Result<Beginning, LogError>;

    /// Removes the oldest events from before `before`, at most `limit` of them, and says so in an event at `now`: all or
    /// nothing. The chain begins after them then. Returns how many they were.
    async fn cut(&self, before: Timestamp, limit: u32, now: Timestamp) -> Result<u64, LogError>;
}

/// Who serves an outlet, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// A number that no other gateway has.
    pub holder: i64,
    /// The time.
    pub now: Timestamp,
    /// Until when nobody else may take it over.
    pub until: Timestamp,
}

/// How far each outlet of the trail has come: kept with the events, so that neither a restart nor another gateway loses
/// or repeats many. `store` implements it.
#[async_trait]
pub trait Outlets: Debug + Send + Sync {
    /// Takes an outlet, or keeps it. Returns the number of the last event that it has delivered; for an outlet that is
    /// new, of the newest event there is. `None` while another gateway serves it.
    async fn claim(&self, name: &str, tenure: Tenure) -> Result<Option<u64>, LogError>;

    /// Notes that all up to `seq` are delivered, and keeps the outlet. Says whether it was still the holder's.
    async fn advance(&self, name: &str, tenure: Tenure, seq: u64) -> Result<bool, LogError>;

    /// The number of the newest event.
    async fn newest(&self) -> Result<u64, LogError>;
}

/// The store cannot take or give events now. It has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit store is unavailable")]
pub struct LogError;
