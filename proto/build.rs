//! Compiles `acai/v1/*.proto` in pure Rust: no system `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=acai");
    let files =
        ["archive", "blobs", "control", "sweeps", "workers"].map(|name| format!("acai/v1/{name}.proto"));
    let files = protox::compile(files, ["."])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
