//! gzip of outgoing messages, for clients that take it.

use std::io::Write;

use bytes::BufMut;
use bytes::Bytes;
use bytes::BytesMut;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;

/// Whether a client takes gzip (gRPC over HTTP/2: grpc-accept-encoding).
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get("grpc-accept-encoding")
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| list.split(',').any(|name| name.trim() == "gzip"))
}

/// Compresses the large messages of a chunk. Small ones stay as they are: an update of ordinary size would grow, and
/// the flag is per message. A chunk without large ones is handed on without a copy.
pub(super) fn compress_large(chunk: Bytes) -> Bytes {
    if !messages(&chunk).any(|(_, body)| body.len() >= COMPRESS_FROM) {
        return chunk;
    }
    let mut out = BytesMut::with_capacity(chunk.len());
    for (whole, body) in messages(&chunk) {
        match gzip(body).filter(|_| body.len() >= COMPRESS_FROM) {
            Some(compressed) => {
                out.put_u8(1);
                out.put_u32(u32::try_from(compressed.len()).unwrap_or(u32::MAX));
                out.extend_from_slice(&compressed);
            }
            None => out.extend_from_slice(whole),
        }
    }
    out.freeze()
}

/// The messages of a chunk, each with and without its header.
fn messages(chunk: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = chunk;
    std::iter::from_fn(move || {
        let (header, _) = rest.split_first_chunk::<HEADER_BYTES>()?;
        let [_, length @ ..] = *header;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let (whole, after) = rest.split_at_checked(HEADER_BYTES.checked_add(length)?)?;
        rest = after;
        Some((whole, whole.get(HEADER_BYTES..)?))
    })
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// One flag byte and four of length.
const HEADER_BYTES: usize = 5;

/// Below a kilobyte the processor time costs more than the bytes.
const COMPRESS_FROM: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &[u8]) -> Vec<u8> {
        let mut message = vec![0];
        message.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        message.extend(body);
        message
    }

    #[test]
    fn only_large_messages_are_compressed() {
        let small = message(b"small");
        let large = message(&[7; 5_000]);
        let chunk: Bytes = [small.clone(), large, small.clone()].concat().into();

        let out = compress_large(chunk);

        assert!(out.starts_with(&small) && out.ends_with(&small));
        assert!(out.len() < 200, "{}", out.len());
        assert_eq!(out[small.len()], 1, "the flag says compressed");
    }

    #[test]
    fn chunk_of_small_messages_is_not_copied() {
        let chunk = Bytes::from(message(b"small"));
        let at = chunk.as_ptr();
        assert_eq!(compress_large(chunk).as_ptr(), at);
    }
}
