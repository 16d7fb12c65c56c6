//! What leaves acai is read by pandas, polars and DuckDB, and means the same there.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::archive::elsewhere;
use crate::tables::plane;
use crate::{Ended, Place};

const NOTEBOOK: &str = include_str!("../../../docs/notebook.md");
/// By the names of the packages, and of what they are imported as.
const PACKAGES: [(&str, &str); 8] = [
    ("pandas", "pandas"),
    ("pyarrow", "pyarrow"),
    ("polars", "polars"),
    ("duckdb", "duckdb"),
    ("jsonschema", "jsonschema"),
    ("ruamel.yaml", "ruamel.yaml"),
    ("grpcio-tools", "grpc_tools"),
    ("pyopenssl", "OpenSSL"),
];
const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");

/// A Python with what the notebook and the check of the schema need, fetched once; none, said aloud, where it cannot be had.
pub(crate) fn python() -> Option<PathBuf> {
    // Two tests must not fetch it at the same time.
    static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(fetched);
    PYTHON.clone()
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn fetched() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("notebook");
    let python = folder.join("bin/python");
    let import = format!("import {}", PACKAGES.map(|(_, module)| module).join(", "));
    let packages = PACKAGES.map(|(package, _)| package);
    let is_ready =
        || Command::new(&python).args(["-c", &import]).output().is_ok_and(|ended| ended.status.success());
    if is_ready() {
        return Some(python);
    }
    let _ = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
    let _ = Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages).output();
    if is_ready() {
        return Some(python);
    }
    eprintln!("skipped: {} cannot be fetched from PyPI", packages.join(", "));
    None
}

pub(crate) fn runs(place: &Place, python: &Path, arguments: &[&str]) -> String {
    let ended = Command::new(python).args(arguments).current_dir(place.path("")).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn an_independent_program_computes_the_same_table_from_the_raw_points() {
    let Some(python) = python() else { return };
    let place = plane();
    place.run(&["export", "plane", "-o", "folder", "--no-files"]).ok();
    place.file("independent.py", include_str!("independent.py"));
    // Six rows, three metrics, mean and deviation.
    assert_eq!(runs(&place, &python, &["independent.py", "folder"]).trim(), "36 figures agree");
}

#[test]
fn what_the_notebook_shows_runs() {
    let Some(python) = python() else { return };
    let place = plane();
    place.run(&["metrics", "plane", "--format", "parquet", "-o", "points.parquet"]).ok();
    let again = place.run(&["metrics", "plane", "--format", "parquet", "-o", "points.parquet"]);
    assert!(again.code == Some(1) && again.stderr.contains("exists"), "{again:#?}");
    place.file("runs.jsonl", &place.run(&["results", "plane", "--format", "jsonl"]).ok());
    let (files, _) = NOTEBOOK.split_once(RUNNING).unwrap();
    place.file("notebook.py", &code(files));
    let printed = runs(&place, &python, &["notebook.py"]);
    assert!(printed.contains("0.069375") && printed.contains("eval/smoothness"), "{printed}");
    // λ = 0 with its own γ, of three seeds.
    assert!(printed.contains("0.0    0.1  0.085000  3\n"), "{printed}");
}

/// The heading of the part about coordinators that run.
const RUNNING: &str = "## A running coordinator";

/// The Python of a text, about the sweep that is here.
fn code(text: &str) -> String {
    let blocks = text.split("```python\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    blocks.collect::<Vec<_>>().join("\n").replace("'demo'", "'plane'").replace("\"demo\"", "\"plane\"")
}

#[test]
fn stubs_from_the_protocol_ask_a_coordinator_with_encryption_and_a_token() {
    let Some(python) = python() else { return };
    let place = plane();
    place.run(&["export", "plane", "-o", "folder", "--no-files"]).ok();
    let (_coordinator, address) = elsewhere(&place);
    place.run(&["import", "folder", "--coordinator", &address]).ok();
    let access = place.path("config/acai/access.toml");
    let create = ["access", "create", "--scope", "read", "--name", "notebook", "-o", "read.toml"];
    place.run(&[&create[..], &["--coordinator", &address]].concat()).ok();
    assert!(access.is_file());

    symlink(PROTO, place.path("proto")).unwrap();
    let (_, running) = NOTEBOOK.split_once(RUNNING).unwrap();
    let shell = |command: &str| {
        let path = format!("{}:/usr/bin:/bin", python.parent().unwrap().display());
        let mut shell = Command::new("sh");
        shell.args(["-ec", command]).env("PATH", path).current_dir(place.path(""));
        Ended::from(shell.env("ACAI_ACCESS", place.path("read.toml")).output().unwrap())
    };
    let commands = running.lines().filter_map(|line| line.strip_prefix("    "));
    for command in commands.filter(|line| line.starts_with("mkdir ") || line.starts_with("python ")) {
        shell(command).ok();
    }
    place.file("running.py", &code(running));
    let printed = shell("python running.py").ok();
    assert!(printed.contains("0.069375") && printed.contains("lines32"), "{printed}");

    // Another authority than the one that the file has the digest of is not spoken to.
    let text = std::fs::read_to_string(place.path("read.toml")).unwrap();
    let (before, digest) = text.split_once("sha256:").unwrap();
    place.file("read.toml", &format!("{before}sha256:{}{}", "0".repeat(64), &digest[64..]));
    let refused = shell("python running.py");
    assert!(refused.stderr.contains("this is not the coordinator of the access file"), "{refused:#?}");
}
