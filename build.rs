//! Compiles `proto/` with protox, so that building needs no protoc.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["gnmi/gnmi.proto", "gnmi_ext/gnmi_ext.proto"], ["proto"])?;
    // The reflection service and the test against pygnmi's descriptors read this file.
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?)
        .join("descriptors.bin");
    fs::write(out, prost_encode(&descriptors))?;
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".")
        .build_server(false)
        .compile_fds(descriptors)?;
    Ok(())
}

fn prost_encode(descriptors: &impl prost::Message) -> Vec<u8> {
    descriptors.encode_to_vec()
}
