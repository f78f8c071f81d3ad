//! The protobuf messages, and everything between them and `model`: paths, values, JSON, and
//! complete gRPC frames. The only room that includes generated code. It does no I/O and knows no
//! stored data: what a request means for the tree is decided by its callers.

mod encoding;
mod error;
mod frame;
mod json_read;
mod json_tree;
mod json_write;
mod origin;
mod path;
mod path_text;
pub mod proto;
mod protobuf;
mod text;
mod typed;
mod value;
mod value_text;

#[cfg(test)]
mod tests;

pub use encoding::Encoding;
pub use encoding::parse_encoding;
pub use error::EncodingError;
pub use error::Part;
pub use error::PathError;
pub use error::PathTextError;
pub use error::Place;
pub use error::ValueError;
pub use frame::LeafHead;
pub use frame::frame_atomic;
pub use frame::frame_delete;
pub use frame::frame_sync;
pub use frame::frame_update;
pub use json_write::Modules;
pub use json_write::write_subtree;
pub use json_write::write_subtree_of;
pub use origin::Origins;
pub use origin::RFC7951;
pub use path::MAX_ELEMS;
pub use path::MAX_KEYS;
pub use path::MAX_PATH_BYTES;
pub use path::read_path;
pub use path::read_pattern;
pub use path::write_elems;
pub use path::write_path;
pub use path_text::parse_path_text;
pub use path_text::path_text;
pub use proto::DESCRIPTORS;
pub use proto::GNMI_SERVICE;
pub use proto::GNMI_VERSION;
pub use value::is_empty_object;
pub use value::read_updates;
pub use value::value_of;
pub use value::write_value;
pub use value_text::value_text;
