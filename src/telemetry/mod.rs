//! The telemetry core: latest values, who listens to them, and how changes reach the listeners.
//!
//! A write goes tree → route → backlog and returns; the pump takes the backlog to the subscribers' queues; each
//! stream drains its own queue. So a source never waits for a subscriber, and a subscriber that reads slowly gets
//! the latest value of each leaf, with what it missed counted.
//!
//! Synchronous, without I/O, and without time of its own: `app` drives it. Knows nothing of who may see what: a
//! caller gets here with a permit for one tenant, and no path reaches across tenants.

mod backlog;
mod branches;
mod collected;
mod config;
mod core;
mod effects;
mod error;
mod fan_out;
mod group;
mod item;
mod journal;
mod label_watch;
mod labels;
mod leaf;
mod listeners;
mod matcher;
mod progress;
mod queue;
mod route;
mod slots;
mod snapshot;
mod subscriber;
mod tenant;
mod timers;
mod tree;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use core::Core;
pub use error::Error;
pub use error::Overrun;
pub use snapshot::Node;
pub use snapshot::Reading;
pub use snapshot::Snapshot;
pub use subscriber::Subscriber;
