//! The field's words as plain data.

mod class;
mod expiry;
mod timestamp;

pub use class::Class;
pub use expiry::Expiry;
pub use timestamp::NotATime;
pub use timestamp::Timestamp;
