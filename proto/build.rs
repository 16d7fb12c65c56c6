//! Compiles `acai/v1/*.proto` in pure Rust: no system `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=acai");
    let files = protox::compile(["acai/v1/sweeps.proto", "acai/v1/workers.proto"], ["."])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
