//! The protobuf wire format, as far as frames need it. All field numbers used are below 16: one
//! byte of key.

use prost::encoding::encode_varint;
use prost::encoding::encoded_len_varint;

/// A field's number.
pub(super) type Field = u8;

/// How long a length-delimited field of `len` bytes is, its key and length included.
pub(super) const fn delimited_len(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

/// How long a varint field is, its key included; zero is the default and is not written.
pub(super) const fn varint_len(value: u64) -> usize {
    if value == 0 {
        0
    } else {
        1 + encoded_len_varint(value)
    }
}

/// How long a text field is, its key included; empty is the default and is not written.
pub(super) const fn text_len(text: &str) -> usize {
    if text.is_empty() {
        0
    } else {
        delimited_len(text.len())
    }
}

/// Writes the key and the length of a field whose `len` bytes follow.
pub(super) fn put_delimited(out: &mut Vec<u8>, field: Field, len: usize) {
    out.push(key(field, LENGTH_DELIMITED));
    encode_varint(len as u64, out);
}

/// Writes a whole length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, field: Field, bytes: &[u8]) {
    put_delimited(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Writes a text field unless it is empty.
pub(super) fn put_text(out: &mut Vec<u8>, field: Field, text: &str) {
    if !text.is_empty() {
        put_bytes(out, field, text.as_bytes());
    }
}

/// Writes a varint field, zero too: within a oneof that is a value.
pub(super) fn put_varint(out: &mut Vec<u8>, field: Field, value: u64) {
    out.push(key(field, VARINT));
    encode_varint(value, out);
}

/// Writes a varint field unless it is zero.
pub(super) fn put_varint_unless_zero(out: &mut Vec<u8>, field: Field, value: u64) {
    if value != 0 {
        put_varint(out, field, value);
    }
}

/// Writes a double field, zero too.
pub(super) fn put_double(out: &mut Vec<u8>, field: Field, value: f64) {
    out.push(key(field, FIXED_64));
    out.extend_from_slice(&value.to_le_bytes());
}

/// A field's key with wire type 2.
pub(super) const fn delimited_key(field: Field) -> u8 {
    key(field, LENGTH_DELIMITED)
}

const fn key(field: Field, wire_type: u8) -> u8 {
    field << 3 | wire_type
}

const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;
