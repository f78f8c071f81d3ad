//! The protobuf messages and their conversion to and from `model`.
