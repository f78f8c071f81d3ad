//! A growing buffer of JSON text, on the stack while it is short.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use smallvec::SmallVec;

/// JSON text under construction. Numbers and most strings need no allocation.
#[derive(Debug, Default)]
pub(super) struct Text(SmallVec<[u8; INLINE_BYTES]>);

impl Text {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from(self.0.into_vec())
    }

    /// Appends text that is JSON already.
    pub(super) fn raw(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    /// Appends a number, a boolean or a string, quoted and escaped.
    pub(super) fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Memory takes all that is written, and scalars have no form that JSON lacks.
        let _written = serde_json::to_writer(self, value);
    }
}

impl io::Write for Text {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds any number and a short string; larger would cost more to set aside than it saves.
const INLINE_BYTES: usize = 64;
