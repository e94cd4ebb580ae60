//! Turns the protocol's messages into a server, without `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files =
        protox::compile(["streams.proto", "gossip.proto", "serverfeatures.proto"], ["proto"])?;
    tonic_build::configure()
        .build_client(false)
        .build_transport(false)
        .bytes(["."])
        .extern_path(".event_store.client.Empty", "()")
        .include_file("messages.rs")
        .compile_fds(files)?;
    Ok(())
}
