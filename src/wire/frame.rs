//! Complete gRPC messages of a Subscribe, ready for the socket: encoded once, shared by every
//! subscriber.
//!
//! Written straight from `model` types, without the generated structs: this is the hot path.
//! Whether a message is larger than a peer accepts is the caller's affair.

use bytes::Bytes;

use super::encoding::Encoding;
use super::protobuf::Field;
use super::protobuf::delimited_key;
use super::protobuf::delimited_len;
use super::protobuf::put_delimited;
use super::protobuf::put_text;
use super::protobuf::put_varint;
use super::protobuf::put_varint_unless_zero;
use super::protobuf::text_len;
use super::protobuf::varint_len;
use super::typed::Typed;
use crate::model::Elem;
use crate::model::Path;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Value;

/// What all messages about one path have in common, encoded: the prefix, with origin and target,
/// and the path.
///
/// Telemetry repeats its paths, so this is worth keeping per leaf. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafHead {
    /// The field Notification.prefix, or nothing; then the field Update.path.
    bytes: Bytes,
    prefix_len: usize,
}

impl LeafHead {
    /// Encodes both. The origin is left out where it is the default one, the target where it is the
    /// gateway's own data, and the whole prefix where it would be empty. The path is always there
    /// (gNMI spec 2.2.2).
    pub fn new(target: &Target, path: &Path) -> Self {
        let origin = path.origin.as_str();
        let prefix_len = prefix_len(origin, &[], target);
        let path_len = elems_len(&path.elems);
        let mut out = Vec::with_capacity(prefix_len + delimited_len(path_len));
        put_prefix(&mut out, origin, &[], target);
        put_delimited(&mut out, UPDATE_PATH, path_len);
        put_elems(&mut out, &path.elems);
        Self {
            bytes: out.into(),
            prefix_len,
        }
    }

    /// Bytes of memory beyond the value's own size.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes
            .split_at_checked(self.prefix_len)
            .unwrap_or((&[], &self.bytes))
    }
}

/// One leaf's value. `duplicates` counts the values that coalescing dropped before it (gNMI spec
/// 2.1).
pub fn frame_update(
    head: &LeafHead,
    encoding: Encoding,
    value: &Value,
    at: Timestamp,
    duplicates: u32,
) -> Bytes {
    let (prefix, path) = head.parts();
    let typed = Typed::new(encoding, value);
    let typed_len = typed.len();
    let update_len = update_len(path.len(), typed_len, duplicates);
    let mut out = start(at, prefix.len() + delimited_len(update_len));
    out.extend_from_slice(prefix);
    put_delimited(&mut out, UPDATE, update_len);
    out.extend_from_slice(path);
    put_value(&mut out, &typed, typed_len, duplicates);
    out.into()
}

/// Everything at and below one path is gone.
pub fn frame_delete(head: &LeafHead, at: Timestamp) -> Bytes {
    let (prefix, path) = head.parts();
    let mut out = start(at, prefix.len() + path.len());
    out.extend_from_slice(prefix);
    // The same message in another field, so only the key differs.
    out.push(delimited_key(DELETE));
    out.extend_from_slice(path.get(1..).unwrap_or_default());
    out.into()
}

/// The whole state below `prefix` (gNMI spec 2.1.1). Paths go out relative to it; leaves elsewhere
/// are left out.
pub fn frame_atomic<'l>(
    encoding: Encoding,
    target: &Target,
    prefix: &Path,
    at: Timestamp,
    leaves: impl IntoIterator<Item = (&'l Path, &'l Value, u32)>,
) -> Bytes {
    let origin = prefix.origin.as_str();
    let mut updates = Vec::new();
    for (path, value, duplicates) in leaves {
        let relative = path.elems.strip_prefix(prefix.elems.as_slice());
        let Some(relative) = relative.filter(|_| path.origin == prefix.origin) else {
            continue;
        };
        let path_len = elems_len(relative);
        let typed = Typed::new(encoding, value);
        let typed_len = typed.len();
        let update_len = update_len(delimited_len(path_len), typed_len, duplicates);
        put_delimited(&mut updates, UPDATE, update_len);
        put_delimited(&mut updates, UPDATE_PATH, path_len);
        put_elems(&mut updates, relative);
        put_value(&mut updates, &typed, typed_len, duplicates);
    }
    let prefix_len = prefix_len(origin, &prefix.elems, target);
    let mut out = start(at, prefix_len + updates.len() + varint_len(TRUE));
    put_prefix(&mut out, origin, &prefix.elems, target);
    out.extend_from_slice(&updates);
    put_varint(&mut out, ATOMIC, TRUE);
    out.into()
}

/// The initial values are complete (gNMI spec 3.5.1.4).
pub fn frame_sync() -> Bytes {
    let mut out = Vec::with_capacity(GRPC_HEADER_BYTES + varint_len(TRUE));
    put_grpc_header(&mut out, varint_len(TRUE));
    put_varint(&mut out, SYNC_RESPONSE, TRUE);
    out.into()
}

/// A buffer of the exact size, with everything written that stands before a Notification's prefix.
/// `rest` is how many bytes of the Notification follow.
fn start(at: Timestamp, rest: usize) -> Vec<u8> {
    let timestamp = at.nanos().cast_unsigned();
    let notification_len = varint_len(timestamp) + rest;
    let response_len = delimited_len(notification_len);
    let mut out = Vec::with_capacity(GRPC_HEADER_BYTES + response_len);
    put_grpc_header(&mut out, response_len);
    put_delimited(&mut out, RESPONSE_UPDATE, notification_len);
    put_varint_unless_zero(&mut out, TIMESTAMP, timestamp);
    out
}

/// Not compressed, and the message's length. A length beyond 4 GiB is beyond every limit of the
/// caller.
fn put_grpc_header(out: &mut Vec<u8>, len: usize) {
    out.push(0);
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}

fn update_len(path_field_len: usize, typed_len: usize, duplicates: u32) -> usize {
    path_field_len + delimited_len(typed_len) + varint_len(u64::from(duplicates))
}

fn put_value(out: &mut Vec<u8>, typed: &Typed<'_>, typed_len: usize, duplicates: u32) {
    put_delimited(out, VAL, typed_len);
    typed.put(out);
    put_varint_unless_zero(out, DUPLICATES, u64::from(duplicates));
}

/// Of the field Notification.prefix; zero where it would say nothing.
fn prefix_len(origin: &str, elems: &[Elem], target: &Target) -> usize {
    match text_len(origin) + elems_len(elems) + text_len(target.as_str()) {
        0 => 0,
        len => delimited_len(len),
    }
}

fn put_prefix(out: &mut Vec<u8>, origin: &str, elems: &[Elem], target: &Target) {
    let len = text_len(origin) + elems_len(elems) + text_len(target.as_str());
    if len > 0 {
        put_delimited(out, PREFIX, len);
        put_text(out, PATH_ORIGIN, origin);
        put_elems(out, elems);
        put_text(out, PATH_TARGET, target.as_str());
    }
}

fn elems_len(elems: &[Elem]) -> usize {
    elems.iter().map(|elem| delimited_len(elem_len(elem))).sum()
}

fn put_elems(out: &mut Vec<u8>, elems: &[Elem]) {
    for elem in elems {
        put_delimited(out, PATH_ELEM, elem_len(elem));
        put_text(out, ELEM_NAME, elem.name());
        for (key, value) in elem.keys() {
            put_delimited(out, ELEM_KEY, text_len(key) + text_len(value));
            put_text(out, MAP_KEY, key);
            put_text(out, MAP_VALUE, value);
        }
    }
}

fn elem_len(elem: &Elem) -> usize {
    let keys = elem.keys().iter();
    let keys = keys.map(|(key, value)| delimited_len(text_len(key) + text_len(value)));
    text_len(elem.name()) + keys.sum::<usize>()
}

/// Compression flag and length, before every gRPC message.
const GRPC_HEADER_BYTES: usize = 5;

/// A set boolean.
const TRUE: u64 = 1;

// Fields of SubscribeResponse.
const RESPONSE_UPDATE: Field = 1;
const SYNC_RESPONSE: Field = 3;

// Fields of Notification.
const TIMESTAMP: Field = 1;
const PREFIX: Field = 2;
const UPDATE: Field = 4;
const DELETE: Field = 5;
const ATOMIC: Field = 6;

// Fields of Update.
const UPDATE_PATH: Field = 1;
const VAL: Field = 3;
const DUPLICATES: Field = 4;

// Fields of Path.
const PATH_ORIGIN: Field = 2;
const PATH_ELEM: Field = 3;
const PATH_TARGET: Field = 4;

// Fields of PathElem, and of the entries of its map.
const ELEM_NAME: Field = 1;
const ELEM_KEY: Field = 2;
const MAP_KEY: Field = 1;
const MAP_VALUE: Field = 2;
