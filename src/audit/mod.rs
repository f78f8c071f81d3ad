//! What happened to credentials and rights, for those who must prove it: events, the chain that makes a
//! later change visible, and the port through which they are stored.
//!
//! Mutations hand their event to the store together with the change, so that both happen or neither does.
//! Everything else goes through the bounded [`Trail`], which never makes its caller wait. A [`Relay`] passes what is
//! stored on to others.

mod chain;
mod event;
mod kind;
mod origin;
mod port;
mod query;
mod relay;
mod trail;
mod verify;

pub use chain::Beginning;
pub use chain::Broken;
pub use chain::Hash;
pub use chain::Link;
pub use chain::hash_of;
pub use chain::hex;
pub use chain::verify;
pub use event::Actor;
pub use event::Event;
pub use event::Outcome;
pub use event::Subject;
pub use kind::Kind;
pub use kind::NotAKind;
pub use origin::Origin;
pub use port::Log;
pub use port::LogError;
pub use port::Outlets;
pub use port::Tenure;
pub use query::EventQuery;
pub use query::MOST_EVENTS;
pub use relay::Relay;
pub use relay::Sink;
pub use relay::Undelivered;
pub use trail::Trail;
pub use verify::Verified;
pub use verify::VerifyError;
pub use verify::verify_all;
