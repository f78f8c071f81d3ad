//! TypedValue, written without the generated structs in between.

use prost::encoding::encoded_len_varint;

use super::encoding::Encoding;
use super::json_write::write_json;
use super::protobuf::Field;
use super::protobuf::delimited_len;
use super::protobuf::put_bytes;
use super::protobuf::put_delimited;
use super::protobuf::put_double;
use super::protobuf::put_varint;
use super::text::Text;
use super::value::decimal_double;
use crate::model::Value;

/// A value in the form in which it is written: its length is known, and its text rendered.
pub(super) enum Typed<'v> {
    Double(f64),
    List(&'v [Value]),
    Slice(Field, &'v [u8]),
    Text(Field, Text),
    Varint(Field, u64),
}

impl<'v> Typed<'v> {
    pub(super) fn new(encoding: Encoding, value: &'v Value) -> Self {
        match encoding {
            Encoding::Json => Self::json(JSON_VAL, encoding, value),
            Encoding::JsonIetf => Self::json(JSON_IETF_VAL, encoding, value),
            Encoding::Proto => Self::proto(value),
        }
    }

    fn json(field: Field, encoding: Encoding, value: &'v Value) -> Self {
        if let Value::Json(text) = value {
            return Self::Slice(field, text);
        }
        let mut text = Text::default();
        write_json(&mut text, value, encoding);
        Self::Text(field, text)
    }

    /// The same choices as [`super::write_value`] makes.
    fn proto(value: &'v Value) -> Self {
        match value {
            Value::Bool(value) => Self::Varint(BOOL_VAL, u64::from(*value)),
            Value::Bytes(bytes) => Self::Slice(BYTES_VAL, bytes),
            Value::Decimal { digits, precision } => {
                Self::Double(decimal_double(*digits, *precision))
            }
            Value::Double(value) => Self::Double(*value),
            Value::Empty => Self::Varint(BOOL_VAL, 1),
            Value::Int(value) | Value::Narrow(value) => {
                Self::Varint(INT_VAL, value.cast_unsigned())
            }
            Value::Json(text) => Self::Slice(JSON_VAL, text),
            Value::LeafList(values) => Self::List(values),
            Value::String(text) => Self::Slice(STRING_VAL, text.as_bytes()),
            Value::Uint(value) => Self::Varint(UINT_VAL, *value),
        }
    }

    /// Bytes of the message, without the key and length around it.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Double(_) => 1 + size_of::<f64>(),
            Self::List(values) => delimited_len(list_len(values)),
            Self::Slice(_, bytes) => delimited_len(bytes.len()),
            Self::Text(_, text) => delimited_len(text.as_bytes().len()),
            Self::Varint(_, value) => 1 + encoded_len_varint(*value),
        }
    }

    /// Writes exactly [`Typed::len`] bytes.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Double(value) => put_double(out, DOUBLE_VAL, *value),
            Self::List(values) => {
                put_delimited(out, LEAFLIST_VAL, list_len(values));
                for value in *values {
                    let typed = Self::proto(value);
                    put_delimited(out, ELEMENT, typed.len());
                    typed.put(out);
                }
            }
            Self::Slice(field, bytes) => put_bytes(out, *field, bytes),
            Self::Text(field, text) => put_bytes(out, *field, text.as_bytes()),
            Self::Varint(field, value) => put_varint(out, *field, *value),
        }
    }
}

fn list_len(values: &[Value]) -> usize {
    values
        .iter()
        .map(|value| delimited_len(Typed::proto(value).len()))
        .sum()
}

/// ScalarArray.element.
const ELEMENT: Field = 1;

// Fields of TypedValue.
const STRING_VAL: Field = 1;
const INT_VAL: Field = 2;
const UINT_VAL: Field = 3;
const BOOL_VAL: Field = 4;
const BYTES_VAL: Field = 5;
const LEAFLIST_VAL: Field = 8;
const JSON_VAL: Field = 10;
const JSON_IETF_VAL: Field = 11;
const DOUBLE_VAL: Field = 14;
