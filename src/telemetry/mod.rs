//! The tree of latest values and its fan-out to subscribers.
