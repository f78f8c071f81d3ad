//! YANG modules and the data that they describe: looking nodes up, parsing, validating, printing.
//!
//! The one place that touches libyang. A [`Schema`] is made once and never changes; it holds the nodes as plain data,
//! so that looking up costs no call into C. What parses or validates does call, takes some tens of microseconds and
//! belongs on a blocking thread. Data goes in and out as JSON in the form of RFC 7951.

mod build;
mod document;
mod error;
mod guard;
mod lenient;
mod library;
mod message;
mod modules;
mod node;
mod operation;
mod statement;
mod wrapping;

#[cfg(test)]
mod tests;

pub use document::Defaults;
pub use document::Format;
pub use error::Fault;
pub use error::LoadError;
pub use error::Tag;
pub use guard::check_json;
pub use lenient::Lenience;
pub use library::content_id;
pub use library::modules_state;
pub use library::yang_library;
pub use modules::Source;
pub use node::Collection;
pub use node::Kind;
pub use node::Module;
pub use node::Node;
pub use node::NodeId;
pub use node::Number;
pub use node::Schema;
pub use node::Step;
