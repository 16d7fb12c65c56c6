//! Compiles `acai/v1/*.proto` in pure Rust: no system `protoc` is needed.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=acai");
    let files = ["access", "archive", "blobs", "control", "fleet", "sweeps", "workers"]
        .map(|name| format!("acai/v1/{name}.proto"));
    let files = protox::compile(files, ["."])?;
    let mut methods = String::from("[\n");
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                writeln!(methods, "    \"/{}.{}/{}\",", file.package(), service.name(), method.name())?;
            }
        }
    }
    methods.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("methods.rs"), methods)?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
