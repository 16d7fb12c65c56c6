//! Makes the programs find libtorch: the one that is installed with them, else the one they were linked against, whose
//! version is recorded. Compiles what calls libtorch from C++.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    for beside in ["$ORIGIN/../lib", "$ORIGIN/lib"] {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{beside}");
    }
    let Some(libtorch) = std::env::var_os("LIBTORCH").map(PathBuf::from) else { return };
    let Ok(libtorch) = std::path::absolute(libtorch) else { return };
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", libtorch.join("lib").display());
    compile(&libtorch);
    if let Some(version) = version(&libtorch) {
        println!("cargo::rustc-env=LIBTORCH_VERSION={version}");
    }
}

/// Compiles the functions of C++ against libtorch's headers.
fn compile(libtorch: &Path) {
    const SOURCES: [&str; 2] = ["src/network/leaky_relu.cpp", "src/network/tf32.cpp"];
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").files(SOURCES);
    // libtorch's own headers give warnings.
    build.flag("-isystem").flag(libtorch.join("include")).warnings(false).compile("acai_network");
}

/// `MAJOR.MINOR.PATCH` as libtorch's own header gives it.
fn version(libtorch: &Path) -> Option<String> {
    let header = std::fs::read_to_string(libtorch.join("include/torch/headeronly/version.h")).ok()?;
    let number = |part: &str| {
        let rest = header.split_once(&format!("#define TORCH_VERSION_{part} "))?.1;
        Some(rest.lines().next()?.trim().to_owned())
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}
