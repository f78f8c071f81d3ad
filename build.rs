//! Compiles `proto/` with protox, so that building needs no protoc.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(["gnmi/gnmi.proto", "gnmi_ext/gnmi_ext.proto"])?;
    // The reflection service and the test against pygnmi's descriptors read this file. Only the
    // compiler itself encodes custom options, such as the service's version.
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(
        out.join("descriptors.bin"),
        compiler.encode_file_descriptor_set(),
    )?;
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".")
        .build_server(false)
        .compile_fds(compiler.file_descriptor_set())?;
    // What tonic makes of the files when nothing is chosen: `benches/naive` measures that.
    let stock = out.join("stock");
    fs::create_dir_all(&stock)?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_client(false)
        .out_dir(stock)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
