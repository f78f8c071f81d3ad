//! The room as a whole, on a real store and a clock that is set by hand.

mod accounts;
mod authenticate;
mod bounds;
mod chores;
mod fixture;
mod live;
mod outage;
mod secrecy;
mod throttling;
mod zombies;
