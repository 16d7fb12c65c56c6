//! Compiles the messages between agents and coordinators as release 0.1.0 had them.

const RELEASED: &str = "released/0.1.0";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={RELEASED}");
    let files = protox::compile(["acai/v1/workers.proto", "acai/v1/blobs.proto"], [RELEASED])?;
    tonic_prost_build::configure().build_client(false).build_server(false).compile_fds(files)?;
    Ok(())
}
