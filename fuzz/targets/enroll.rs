//! Certificates over HTTP, with every path, query and body (PEM, DER, JSON, EST): no panic, no 500, and JSON that is JSON.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tollgate_fuzz::Face;

static FACE: LazyLock<Face> = LazyLock::new(Face::enroll);

fuzz_target!(|input: &[u8]| {
    let Some(answer) = FACE.ask(input) else {
        return;
    };
    assert!(!answer.status.is_server_error(), "{answer:?}");
    if answer.media.ends_with("json") {
        tollgate_fuzz::check_json(&answer);
    }
});
