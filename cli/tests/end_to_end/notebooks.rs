//! What leaves acai is read by pandas, polars and DuckDB, and means the same there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::Place;
use crate::tables::plane;

const NOTEBOOK: &str = include_str!("../../../docs/notebook.md");
const PACKAGES: [&str; 6] = ["pandas", "pyarrow", "polars", "duckdb", "jsonschema", "ruamel.yaml"];

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
    let import = format!("import {}", PACKAGES.join(", "));
    let is_ready =
        || Command::new(&python).args(["-c", &import]).output().is_ok_and(|ended| ended.status.success());
    if is_ready() {
        return Some(python);
    }
    let _ = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
    let _ = Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).output();
    if is_ready() {
        return Some(python);
    }
    eprintln!("skipped: {} cannot be fetched from PyPI", PACKAGES.join(", "));
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
    let blocks = NOTEBOOK.split("```python\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    place.file("notebook.py", &blocks.collect::<Vec<_>>().join("\n"));
    let printed = runs(&place, &python, &["notebook.py"]);
    assert!(printed.contains("0.069375") && printed.contains("eval/smoothness"), "{printed}");
}
