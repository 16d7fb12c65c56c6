//! The paper's tables come out of recorded runs in the layouts that they have in the paper. The runs are those of
//! `sweeps/paper/`, which `cli/tests/recorded/record.sh` has trained in small. After a change that is meant, look at the new
//! tables and keep them:
//!
//!     UPDATE_TABLES=1 cargo test -p acai-cli --test end_to_end paper

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::archive::elsewhere;
use crate::{Place, Started};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
const MODELS: [&str; 7] = ["baseline", "dropout", "denoising", "vae", "aae", "vqvae", "acai"];

/// The commands that the sweep files name, by what they print.
const TABLES: [(&str, &[&str]); 3] = [
    ("table-1", &["paper-lines", "--pivot", "metric:model"]),
    ("table-2", &["paper-classification", "--pivot", "dataset,latent:model"]),
    ("table-3", &["paper-clustering", "--pivot", "dataset,latent:model"]),
];

/// A coordinator that has the recorded runs, and its address.
pub(crate) fn recorded(place: &Place) -> (Started, String) {
    let (coordinator, address) = elsewhere(place);
    for sweep in ["paper-lines", "paper-classification", "paper-clustering"] {
        place.run(&["import", &format!("{RECORDED}/{sweep}"), "--coordinator", &address]).ok();
    }
    (coordinator, address)
}

fn check_golden(name: &str, printed: &str) {
    let path = Path::new(RECORDED).join("tables").join(name);
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&path, printed).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(golden, printed, "{name}");
}

#[test]
fn recorded_runs_make_the_papers_tables_in_every_format() {
    let place = Place::new();
    let (_coordinator, address) = recorded(&place);
    let ask = |arguments: &[&str]| {
        place.run(&[&["results"], arguments, &["--coordinator", &address]].concat()).ok()
    };
    for (name, command) in TABLES {
        for (ending, format) in [("txt", "table"), ("md", "markdown"), ("tex", "latex")] {
            check_golden(&format!("{name}.{ending}"), &ask(&[command, &["--format", format]].concat()));
        }
        check_golden(&format!("{name}.csv"), &ask(&[command[0], "--format", "csv"]));
    }

    // What the golden files must have, whoever has looked at them: the paper's columns, and its rows.
    let rows = |command: &[&str]| -> Vec<Vec<String>> {
        let table = ask(&[command, &["--format", "markdown"]].concat());
        let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| :"));
        rows.map(|row| row.trim_matches(['|', ' ']).split(" | ").map(str::to_owned).collect()).collect()
    };
    let distances = rows(TABLES[0].1);
    assert_eq!(distances[0][1..], MODELS);
    assert_eq!([&distances[1][0], &distances[2][0]], ["final/mean\\_distance ↓", "final/smoothness ↓"]);
    let codes =
        |rows: &[Vec<String>]| -> Vec<String> { rows[1..].iter().map(|row| row[..2].join(" ")).collect() };
    let (accuracy, clusters) = (rows(TABLES[1].1), rows(TABLES[2].1));
    assert_eq!(accuracy[0][2..], MODELS);
    assert_eq!(
        codes(&accuracy),
        ["mnist32 2", "mnist32 16", "svhn32 2", "svhn32 16", "cifar10 16", "cifar10 64"]
    );
    assert_eq!(codes(&clusters), ["mnist32 2", "mnist32 16", "svhn32 2", "svhn32 16"]);
    for row in accuracy.iter().chain(&clusters).skip(1).filter(|row| row[0] != "dataset") {
        assert_eq!(
            row.iter().filter(|cell| cell.starts_with("**")).count(),
            1,
            "the best of each row: {row:?}"
        );
    }
    // The sweep of the second table has the runs of the third.
    let both =
        ["paper-classification", "--metric", "clustering_accuracy:max", "--where", "dataset != cifar10"];
    assert_eq!(rows(&[&both[..], &TABLES[2].1[1..]].concat()), clusters);
}

/// A program that makes PDF of LaTeX, that of `make tex` or the system's; none, said aloud, where there is none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn latex() -> Option<PathBuf> {
    let fetched = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.tex/pdflatex"));
    if fetched.is_file() {
        return Some(fetched.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = ["pdflatex", "lualatex", "tectonic"];
    let found = std::env::split_paths(&path).flat_map(|folder| programs.map(|program| folder.join(program)));
    let found = found.into_iter().find(|program| program.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no LaTeX here");
    }
    found
}

#[test]
fn latex_takes_the_papers_tables() {
    let Some(latex) = latex() else { return };
    let place = Place::new();
    let tables = TABLES.map(|(name, _)| format!("\\input{{{RECORDED}/tables/{name}.tex}}\n")).concat();
    let document = format!(
        "\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{tables}\\end{{document}}\n"
    );
    place.file("paper.tex", &document);
    let mut latex = Command::new(latex);
    let ended = latex.args(["-interaction=nonstopmode", "paper.tex"]).current_dir(place.path("")).output();
    let ended = ended.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}
