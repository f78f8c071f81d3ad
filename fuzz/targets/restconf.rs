//! RESTCONF with every path, query and body: no panic, no 500, and JSON that is JSON.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tollgate_fuzz::Face;

static FACE: LazyLock<Face> = LazyLock::new(Face::restconf);

fuzz_target!(|input: &[u8]| {
    let Some(answer) = FACE.ask(input) else {
        return;
    };
    assert!(answer.status.as_u16() != 500, "{answer:?}");
    if answer.media.ends_with("json") {
        tollgate_fuzz::check_json(&answer);
    }
});
