//! One typed datum.

use std::sync::Arc;

use bytes::Bytes;

/// What a leaf holds.
///
/// Equality is that of the data, not of its text: a double equals itself bit for bit, so that a rewritten NaN
/// is no change.
#[derive(Clone, Debug)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// Opaque bytes.
    Bytes(Bytes),
    /// `digits` x 10^-`precision`: YANG decimal64 (RFC 7950 9.3). `precision` is at most 18.
    Decimal {
        /// All digits, the sign included.
        digits: i64,
        /// How many of them stand after the point.
        precision: u8,
    },
    /// A floating point number.
    Double(f64),
    /// A YANG `empty` leaf: it is there, and that is all (RFC 7951 6.9).
    Empty,
    /// A signed integer.
    Int(i64),
    /// JSON text, because without a schema it cannot be taken apart: an array of objects.
    Json(Bytes),
    /// The values of a leaf-list.
    LeafList(Arc<[Self]>),
    /// An integer of at most 32 bits, as a JSON number is (RFC 7951 6.1).
    Narrow(i64),
    /// Text.
    String(Arc<str>),
    /// An unsigned integer.
    Uint(u64),
}

impl Value {
    /// Text from anything that becomes it.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// Bytes of memory beyond the value's own size: what limits count.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Bool(_)
            | Self::Decimal { .. }
            | Self::Double(_)
            | Self::Empty
            | Self::Int(_)
            | Self::Narrow(_)
            | Self::Uint(_) => 0,
            Self::Bytes(bytes) | Self::Json(bytes) => bytes.len(),
            Self::LeafList(values) => values
                .iter()
                .map(|value| size_of::<Self>() + value.heap_bytes())
                .sum(),
            Self::String(text) => text.len(),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) | (Self::Json(a), Self::Json(b)) => a == b,
            (
                Self::Decimal {
                    digits: a,
                    precision: p,
                },
                Self::Decimal {
                    digits: b,
                    precision: q,
                },
            ) => a == b && p == q,
            (Self::Double(a), Self::Double(b)) => a.to_bits() == b.to_bits(),
            (Self::Empty, Self::Empty) => true,
            (Self::Int(a), Self::Int(b)) | (Self::Narrow(a), Self::Narrow(b)) => a == b,
            (Self::LeafList(a), Self::LeafList(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Uint(a), Self::Uint(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}
