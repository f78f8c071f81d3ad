//! Reads of a SubscribeResponse what is measured, without decoding it: a few nanoseconds per field instead of
//! a tree of allocations per message.

use bytes::Bytes;
use bytes::BytesMut;

/// Cuts a response body into gRPC messages.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The beginning of a message whose rest has not come.
    partial: BytesMut,
}

/// The body is not a sequence of messages that this client reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a message says beside its updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) timestamp: i64,
    pub(super) updates: u64,
    pub(super) deletes: u64,
    pub(super) sync: bool,
}

/// One update of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// A number, in whatever form.
    pub(super) value: Option<u64>,
    pub(super) duplicates: u32,
}

impl Splitter {
    /// Calls `each` with every message that `chunk` completes.
    pub(super) fn feed(
        &mut self,
        chunk: &Bytes,
        mut each: impl FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if self.partial.is_empty() {
            let used = split(chunk, &mut each)?;
            self.partial
                .extend_from_slice(chunk.get(used..).unwrap_or_default());
            return Ok(());
        }
        self.partial.extend_from_slice(chunk);
        let used = split(&self.partial, &mut each)?;
        let _done = self.partial.split_to(used);
        Ok(())
    }
}

/// Calls `each` with the complete messages at the beginning, and says how many bytes they take.
fn split(
    bytes: &[u8],
    each: &mut impl FnMut(&[u8]) -> Result<(), Malformed>,
) -> Result<usize, Malformed> {
    let mut rest = bytes;
    while let Some(([flag, length @ ..], after)) = rest.split_first_chunk::<GRPC_HEADER_BYTES>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed)?;
        if *flag != 0 || length > MAX_MESSAGE_BYTES {
            return Err(Malformed);
        }
        let Some((message, after)) = after.split_at_checked(length) else {
            break;
        };
        each(message)?;
        rest = after;
    }
    Ok(bytes.len() - rest.len())
}

/// Reads one SubscribeResponse, and calls `each` with its updates.
pub(super) fn scan(message: &[u8], mut each: impl FnMut(Update)) -> Result<Head, Malformed> {
    let mut head = Head::default();
    for field in Fields(message) {
        match field? {
            (RESPONSE_UPDATE, Wire::Bytes(notification)) => {
                scan_notification(notification, &mut head, &mut each)?;
            }
            (RESPONSE_SYNC, Wire::Number(sync)) => head.sync = sync != 0,
            _ => {}
        }
    }
    Ok(head)
}

fn scan_notification(
    notification: &[u8],
    head: &mut Head,
    each: &mut impl FnMut(Update),
) -> Result<(), Malformed> {
    for field in Fields(notification) {
        match field? {
            (NOTIFICATION_TIMESTAMP, Wire::Number(nanos)) => {
                head.timestamp = nanos.cast_signed();
            }
            (NOTIFICATION_UPDATE, Wire::Bytes(update)) => {
                head.updates += 1;
                each(scan_update(update)?);
            }
            (NOTIFICATION_DELETE, Wire::Bytes(_)) => head.deletes += 1,
            _ => {}
        }
    }
    Ok(())
}

fn scan_update(bytes: &[u8]) -> Result<Update, Malformed> {
    let mut update = Update::default();
    for field in Fields(bytes) {
        match field? {
            (UPDATE_VAL, Wire::Bytes(value)) => update.value = scan_value(value)?,
            (UPDATE_DUPLICATES, Wire::Number(count)) => {
                update.duplicates = u32::try_from(count).unwrap_or(u32::MAX);
            }
            _ => {}
        }
    }
    Ok(update)
}

/// A whole number; JSON_IETF writes it as a string (RFC 7951 6.1).
fn scan_value(bytes: &[u8]) -> Result<Option<u64>, Malformed> {
    Ok(match Fields(bytes).next().transpose()? {
        Some((VALUE_INT | VALUE_UINT, Wire::Number(number))) => Some(number),
        Some((VALUE_JSON | VALUE_JSON_IETF, Wire::Bytes(text))) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim_matches('"').parse().ok()),
        _ => None,
    })
}

/// The fields of a protobuf message.
struct Fields<'b>(&'b [u8]);

enum Wire<'b> {
    Bytes(&'b [u8]),
    Fixed,
    Number(u64),
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Wire<'b>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Option<(u64, Wire<'b>)> {
        let key = self.varint()?;
        let wire = match key & 7 {
            0 => Wire::Number(self.varint()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((key >> 3, wire))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Compression flag and length, before every gRPC message.
const GRPC_HEADER_BYTES: usize = 5;

/// Large subtrees come as one message.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

// Field numbers of gnmi.proto.
const RESPONSE_UPDATE: u64 = 1;
const RESPONSE_SYNC: u64 = 3;
const NOTIFICATION_TIMESTAMP: u64 = 1;
const NOTIFICATION_UPDATE: u64 = 4;
const NOTIFICATION_DELETE: u64 = 5;
const UPDATE_VAL: u64 = 3;
const UPDATE_DUPLICATES: u64 = 4;
const VALUE_INT: u64 = 2;
const VALUE_UINT: u64 = 3;
const VALUE_JSON: u64 = 10;
const VALUE_JSON_IETF: u64 = 11;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::wire::proto::gnmi as pb;
    use pb::subscribe_response::Response;
    use pb::typed_value::Value;

    fn response(value: Value) -> Vec<u8> {
        let update = pb::Update {
            path: Some(crate::wire::parse_path_text("/a/b[c=d]").unwrap()),
            val: Some(pb::TypedValue { value: Some(value) }),
            duplicates: 3,
            ..Default::default()
        };
        let notification = pb::Notification {
            timestamp: 17,
            update: vec![update],
            ..Default::default()
        };
        let response = pb::SubscribeResponse {
            response: Some(Response::Update(notification)),
            extension: Vec::new(),
        };
        response.encode_to_vec()
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut out = vec![0];
        out.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        out.extend(message);
        out
    }

    #[test]
    fn every_form_of_a_number_is_read() {
        for value in [
            Value::IntVal(42),
            Value::UintVal(42),
            Value::JsonVal(b"42"[..].into()),
            Value::JsonIetfVal(b"\"42\""[..].into()),
        ] {
            let mut updates = Vec::new();
            let head = scan(&response(value), |update| updates.push(update)).unwrap();
            assert_eq!((head.timestamp, head.updates, head.sync), (17, 1, false));
            let expected = Update {
                value: Some(42),
                duplicates: 3,
            };
            assert_eq!(updates, [expected]);
        }
    }

    #[test]
    fn compressed_message_is_refused() {
        let chunk = Bytes::from_static(&[1, 0, 0, 0, 0]);
        assert_eq!(Splitter::default().feed(&chunk, |_| Ok(())), Err(Malformed));
    }

    proptest! {
        #[test]
        fn messages_survive_any_cut(cuts in proptest::collection::vec(1_usize..40, 1..40)) {
            let one = response(Value::UintVal(7));
            let mut rest = framed(&one).repeat(8);
            let (mut splitter, mut found, mut cuts) = (Splitter::default(), 0, cuts.into_iter().cycle());
            while !rest.is_empty() {
                let after = rest.split_off(cuts.next().unwrap().min(rest.len()));
                splitter.feed(&rest.into(), |message| {
                    assert_eq!(message, one);
                    found += 1;
                    Ok(())
                }).unwrap();
                rest = after;
            }
            prop_assert_eq!(found, 8);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _outcome = scan(&bytes, |_| ());
        }
    }
}
