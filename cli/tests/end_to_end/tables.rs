//! Tables and lists of runs: their columns, their order, and how wide they are.

use serde_json::Value;

use crate::submitting::{TRAINER, at_a_terminal};
use crate::{Ended, Place};

pub(crate) const PLANE: &str = "
version: 1
name: plane
metric: mean_distance
parameters: {model: acai, dataset: lines32, lambda: [0, 0.5, 1], gamma: [0.1, 0.2], batch: 64, total_kimg: 1}
seeds: 3
";

/// Runs of [`PLANE`] that complete with a distance which depends on λ, γ and the seed; the one of λ = 1, γ = 0.2 and seed 1
/// diverges, with words of two lines.
const DISTANCES: &str = r#"#!/usr/bin/env python3
import json, sys
def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)
say("ready", version="0", device="cpu", threads=1, libtorch="none")
for line in sys.stdin:
    for member in json.loads(line).get("group", []):
        run, seed, config = member["run"], member["seed"], member["config"]
        if (config["lambda"], config["gamma"], seed) == (1.0, 0.2, 1):
            say("failed", run=run, step=2, kind="diverged", message="the loss is not a number\nsince step 2")
            continue
        for step in (8, 16):
            distance = (1 + (config["lambda"] - 0.5) ** 2 + config["gamma"] + seed / 100) / step
            values = {"eval/mean_distance": distance, "eval/latent_accuracy": 90 - seed, "eval/smoothness": 0.25}
            say("evaluated", run=run, step=step, values=values)
        say("finished", run=run, step=16)
    break
"#;

/// A place whose state folder has the runs of [`PLANE`].
pub(crate) fn plane() -> Place {
    let place = Place::new();
    place.file("plane.yaml", PLANE);
    place.program("trainer", DISTANCES);
    let run = ["run", "plane.yaml", "--trainer", "./trainer", "--slots", "1", "--group-size", "20"];
    let ended = place.run(&run);
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    place
}

/// The cells of a table for people, without its title.
fn cells(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn rows_come_in_the_order_of_any_column_and_lists_have_the_columns_that_are_asked_for() {
    let place = plane();
    let column = |arguments: &[&str], name: &str| -> Vec<String> {
        let csv = place.run(&[arguments, &["--format", "csv"]].concat()).ok();
        let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        let place = rows[0].iter().position(|heading| *heading == name).unwrap();
        rows[1..].iter().map(|row| row[place].to_owned()).collect()
    };
    let results = ["results", "plane", "--metric", "mean_distance"];
    assert_eq!(column(&results, "lambda"), ["0.5", "0.5", "0", "0", "1", "1"], "best first");
    let sorted = [&results[..], &["--sort", "-lambda"]].concat();
    assert_eq!(column(&sorted, "lambda"), ["1", "1", "0.5", "0.5", "0", "0"]);
    let sorted = [&results[..], &["--sort", "mean_distance", "--reverse"]].concat();
    assert_eq!(column(&sorted, "gamma"), ["0.2", "0.1", "0.2", "0.1", "0.2", "0.1"]);
    assert_eq!(column(&results, "batch"), ["64"; 6], "CSV has what is the same everywhere");

    let runs =
        place.run(&["runs", "plane", "--columns", "lambda,seed,mean_distance", "--sort", "-mean_distance"]);
    let table = runs.ok();
    assert_eq!(cells(&table)[0], ["lambda", "seed", "eval/mean_distance"]);
    assert_eq!(cells(&table)[1], ["1", "2", "0.09187", "█▁"]);
    assert_eq!(cells(&table).last().unwrap()[..], ["1", "1", "-"], "no value is last either way");
    let json = place.run(&["runs", "plane", "--columns", "mean_distance", "--json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["runs"][0]["metrics"]["eval/mean_distance"], 1.35 / 16.0);

    for (arguments, words) in [
        (&["results", "plane", "--sort", "lamda"][..], "did you mean `lambda`?"),
        (&["results", "plane", "--sort", "smoothnes"], "did you mean `smoothness`?"),
        (&["runs", "plane", "--sort", "sed"], "did you mean `seed`?"),
        (&["runs", "plane", "--columns", "eval/x"], "which no run of plane has reported"),
    ] {
        let refused = place.run(arguments);
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{refused:#?}");
    }
}

#[test]
fn tables_are_as_narrow_as_the_terminal_and_say_what_they_leave_out() {
    let place = plane();
    let narrow = |arguments: &[&str]| {
        let mut command = place.acai(arguments);
        command.env("COLUMNS", "60");
        Ended::from(command.output().unwrap()).ok()
    };
    for arguments in
        [&["results", "plane"][..], &["runs", "plane"], &["ls"], &["workers"], &["plan", "plane.yaml"]]
    {
        let table = narrow(arguments);
        let is_sentence =
            |line: &&str| line.starts_with('(') || line.starts_with("not swept") || line.contains(": ");
        let widest = table.lines().filter(|line| !is_sentence(line)).map(|line| line.chars().count()).max();
        assert!(widest <= Some(60), "{table}");
    }
    let results = narrow(&["results", "plane"]);
    assert!(results.contains("(--wide shows eval/latent_accuracy, eval/smoothness)"), "{results}");
    assert!(!narrow(&["results", "plane", "--wide"]).contains("--wide"));
    let runs = narrow(&["runs", "plane"]);
    assert!(runs.contains("the loss is not") && !runs.contains("since step 2"), "{runs}");
    let piped = place.run(&["results", "plane"]).ok();
    assert!(piped.contains("eval/smoothness") && !piped.contains("--wide"), "{piped}");
}

#[test]
fn runs_that_are_set_aside_are_listed() {
    let place = Place::new();
    place.program(
        "trainer",
        &TRAINER.replace("step\": 16}), flush=True)\n", "step\": 16}), flush=True)\n    break\n"),
    );
    place.file("plane.yaml", &PLANE.replace("seeds: 3", "seeds: 1"));
    let run = ["run", "plane.yaml", "--trainer", "./trainer", "--slots", "1", "--group-size", "20", "--yes"];
    place.run(&run).ok();
    let none = place.run(&["runs", "plane", "--set-aside"]);
    assert!(none.stderr.contains("no run of plane is set aside") && none.stdout.is_empty(), "{none:#?}");
    place.file("plane.yaml", &PLANE.replace("seeds: 3", "seeds: 1").replace("[0.1, 0.2]", "[0.2]"));
    place.run(&run).ok();
    let listed = place.run(&["runs", "plane", "--set-aside", "--columns", "run,gamma"]).ok();
    assert_eq!(cells(&listed), [["run", "gamma"], ["#0", "0.1"], ["#1", "0.1"], ["#3", "0.1"]]);
    let completed = place.run(&["runs", "plane", "--set-aside", "--state", "failed"]);
    assert!(completed.stderr.contains("no run of plane is set aside"), "{completed:#?}");
}

#[test]
fn runs_are_chosen_by_a_condition_in_tables_and_lists_and_a_mistake_in_it_is_shown_where_it_is() {
    let place = plane();
    let of = |condition: &str| place.run(&["results", "plane", "--where", condition, "--format", "json"]);
    let table = |condition: &str| -> Value { serde_json::from_str(&of(condition).ok()).unwrap() };
    let some = table("lambda > 0 and seed in (0, 2)");
    assert_eq!((&some["runs"], &some["completed"]), (&8.into(), &8.into()));
    assert_eq!(some["tables"][0]["rows"].as_array().unwrap().len(), 4);
    // γ has no effect where λ is 0: its runs are shown at each of its values.
    let zero = table("lambda = 0 and gamma = 0.2");
    assert_eq!((&zero["runs"], &zero["tables"][0]["rows"][0]["group"]["gamma"]), (&3.into(), &0.2.into()));
    assert_eq!(table("number = 0 or state = diverged")["runs"], 2);

    let listed =
        place.run(&["runs", "plane", "--where", "state = diverged", "--columns", "lambda,seed"]).ok();
    assert_eq!(cells(&listed), [["lambda", "seed"], ["1", "1"]]);

    let curves = ["plot", "curves", "plane", "--metric", "eval/mean_distance", "--group-by", "lambda"];
    place.run(&[&curves[..], &["--where", "gamma = 0.1", "-o", "curves.svg"]].concat()).ok();
    let svg = std::fs::read_to_string(place.path("curves.svg")).unwrap();
    assert!(svg.contains("3 groups, 9 runs"), "{svg}");
    // A run that two sweeps have is one observation.
    let again = ["run", "plane.yaml", "--set", "name=again", "--trainer", "./trainer", "--slots", "1"];
    assert_eq!(place.run(&[&again[..], &["--group-size", "20"]].concat()).code, Some(4));
    let both = ["plot", "curves", "plane", "again", "--metric", "eval/mean_distance", "--group-by", "lambda"];
    place.run(&[&both[..], &["--where", "gamma = 0.1", "-o", "both.svg"]].concat()).ok();
    assert_eq!(std::fs::read_to_string(place.path("both.svg")).unwrap(), svg);
    place.run(&[&curves[..], &["-o", "curves.png"]].concat()).ok();
    assert!(std::fs::read(place.path("curves.png")).unwrap().starts_with(b"\x89PNG\r\n"));

    let carets = "runs have no field `lamda`\n  seed = 0 or lamda > 0\n              ^^^^^\nhint: did you mean `lambda`?";
    let nothing = "holds for no run\n`lambda > 1` holds for none of ";
    for command in ["results", "runs"] {
        let refused = |condition: &str| place.run(&[command, "plane", "--where", condition]);
        for (condition, words) in [("seed = 0 or lamda > 0", carets), ("seed = 0 and lambda > 1", nothing)] {
            let refused = refused(condition);
            assert!(refused.code == Some(1) && refused.stderr.contains(words), "{refused:#?}");
        }
    }
}

#[test]
fn values_are_taken_after_a_number_of_images() {
    let place = plane();
    let mean = |at: &str| -> f64 {
        let table = [
            "results",
            "plane",
            "--metric",
            "mean_distance",
            "--where",
            "lambda = 0.5 and gamma = 0.1 and seed = 0",
        ];
        let table = place.run(&[&table[..], &["--format", "json", "--at", at]].concat()).ok();
        let table: Value = serde_json::from_str(&table).unwrap();
        table["tables"][0]["rows"][0]["metrics"]["eval/mean_distance"]["mean"].as_f64().unwrap_or(f64::NAN)
    };
    // Batches of 64: 8 steps are half of 1024 images.
    assert_eq!(mean("kimg=0.5"), 1.1 / 8.0);
    assert_eq!(mean("kimg=0.9"), 1.1 / 8.0);
    assert_eq!(mean("kimg=1"), 1.1 / 16.0);
}

#[test]
fn values_at_the_end_leave_out_what_a_run_has_not_reported_there() {
    let place = Place::new();
    place.file("plane.yaml", PLANE);
    // Runs of seed 2 have no distance at their last step.
    let has_none =
        "if seed == 2 and step == 16: del values[\"eval/mean_distance\"]\n            say(\"evaluated\"";
    place.program("trainer", &DISTANCES.replace("say(\"evaluated\"", has_none));
    place.run(&["run", "plane.yaml", "--trainer", "./trainer", "--slots", "1", "--group-size", "20"]);
    let table = |at: &str| {
        let csv =
            ["results", "plane", "--where", "lambda = 0.5 and gamma = 0.1", "--format", "csv", "--at", at];
        let csv = place.run(&csv).ok();
        let rows: Vec<Vec<String>> =
            csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let figure = |name: &str| -> f64 {
            let column = rows[0].iter().position(|heading| heading == name).unwrap();
            rows[1][column].parse().unwrap()
        };
        ["eval/mean_distance_n", "eval/mean_distance_mean", "eval/smoothness_n"].map(figure)
    };
    assert_eq!(table("last"), [3.0, (1.1 / 16.0 + 1.11 / 16.0 + 1.12 / 8.0) / 3.0, 3.0]);
    assert_eq!(table("final"), [2.0, (1.1 / 16.0 + 1.11 / 16.0) / 2.0, 3.0]);
    let strict = place.run(&["results", "plane", "--at", "final", "--where", "lambda < 1", "--strict"]);
    assert!(strict.code == Some(4) && strict.stdout.contains("(n=2)"), "{strict:#?}");
    assert!(
        strict.stdout.starts_with("lines32, each run at the last step of its training, *"),
        "{strict:#?}"
    );
}

/// The rows of `results plane` as Markdown has them, without its escapes.
fn markdown(place: &Place, arguments: &[&str]) -> String {
    let table = ["results", "plane", "--metric", "mean_distance", "--format", "markdown"];
    place.run(&[&table[..], arguments].concat()).ok().replace('\\', "")
}

#[test]
fn a_pivoted_table_has_a_cell_for_each_pair_of_values_and_refuses_cells_of_runs_that_differ() {
    let place = plane();
    let table = place.run(&["results", "plane", "--pivot", "gamma:lambda"]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "lines32, eval/mean_distance, n = 3, * marks the smallest eval/mean_distance");
    assert_eq!(cells(&table)[1], ["gamma", "lambda=0", "lambda=0.5", "lambda=1"]);
    assert_eq!(cells(&table)[2][4..8], ["0.06938", "±", "0.00051", "*"]);
    assert!(lines[3].ends_with("(n=2)"), "{table}");
    let pivoted = markdown(&place, &["--pivot", "gamma:lambda"]);
    assert!(
        pivoted.contains("eval/mean_distance ↓") && pivoted.contains("| **0.06938 ± 0.00051** |"),
        "{pivoted}"
    );
    let refused = place.run(&["results", "plane", "--pivot", "lambda:model"]);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("differ in `gamma`: 0.1 and 0.2"),
        "{refused:#?}"
    );
    let parted = markdown(&place, &["--pivot", "lambda:model", "--group-by", "gamma"]);
    assert!(
        parted.contains("**lines32**, gamma=0.1,") && parted.contains("**lines32**, gamma=0.2,"),
        "{parted}"
    );
}

#[test]
fn figures_have_the_aggregates_digits_and_units_that_are_asked_for() {
    let place = plane();
    let csv = [
        "results",
        "plane",
        "--metric",
        "mean_distance",
        "--where",
        "lambda = 0.5 and gamma = 0.1",
        "--format",
        "csv",
    ];
    let csv = place.run(&[&csv[..], &["--agg", "mean,median,min,max,sem,ci95,n"]].concat()).ok();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let figure = |name: &str| -> f64 {
        let column = rows[0].iter().position(|heading| *heading == format!("eval/mean_distance_{name}"));
        rows[1][column.unwrap()].parse().unwrap()
    };
    // Of seeds 0, 1 and 2: 1.1, 1.11 and 1.12, by 16. SciPy: t.ppf(0.975, 2) * sem.
    for (name, expected) in [
        ("mean", 1.11 / 16.0),
        ("median", 1.11 / 16.0),
        ("min", 1.1 / 16.0),
        ("max", 1.12 / 16.0),
        ("sem", 0.01 / 16.0 / 3f64.sqrt()),
        ("ci95", 4.302_652_729_749_462 * 0.01 / 16.0 / 3f64.sqrt()),
        ("n", 3.0),
    ] {
        assert!((figure(name) - expected).abs() < 1e-12, "{name}: {}", figure(name));
    }
    let scaled = place.run(&["results", "plane", "--scale", "1e-3", "--digits", "sig=3"]).ok();
    assert!(
        scaled.starts_with("lines32, in units of 1e-3, *") && scaled.contains("69.375 ± 0.510"),
        "{scaled}"
    );
    let medians = place.run(&["results", "plane", "--agg", "median,n", "--metric", "mean_distance"]).ok();
    assert_eq!(cells(&medians)[2][..5], ["*", "0.5", "0.1", "3", "0.06938"]);
}

#[test]
fn rows_that_lack_runs_say_why_and_can_be_left_out_or_refused() {
    let place = plane();
    let table = place.run(&["results", "plane", "--metric", "mean_distance"]).ok();
    let incomplete = table.lines().find(|line| line.contains("2/3")).unwrap();
    assert!(incomplete.ends_with("1 diverged"), "{table}");
    let left_out = place.run(&["results", "plane", "--metric", "mean_distance", "--min-n", "3", "--strict"]);
    assert!(left_out.stderr.contains("1 row with fewer than 3 runs left out"), "{left_out:#?}");
    assert!(!left_out.ok().contains("2/3"));
    let strict = place.run(&["results", "plane", "--strict"]);
    assert!(
        strict.code == Some(4) && strict.stderr.contains("--strict: 1 row without a value"),
        "{strict:#?}"
    );
    assert!(strict.stdout.contains("2/3"), "the table is printed all the same");
    let json = place.run(&["results", "plane", "--json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    let row = json["tables"][0]["rows"].as_array().unwrap().iter().find(|row| row["completed"] == 2).unwrap();
    assert_eq!(row["states"], serde_json::json!({"completed": 2, "diverged": 1}));
}

#[test]
fn the_best_mean_is_marked_or_all_that_are_as_good_or_none() {
    let place = plane();
    let marked =
        |best: &str| markdown(&place, &["--best", best, "--where", "lambda < 1"]).matches("**0.").count();
    assert_eq!((marked("bold"), marked("none")), (1, 0));
    // A spread of 95 % intervals reaches no other row; γ of 0.2 is 0.1/16 away.
    assert_eq!(marked("ties"), 1);
    let zero = markdown(&place, &["--best", "ties", "--where", "lambda = 0"]);
    assert_eq!(zero.matches("**0.").count(), 2, "γ does nothing where λ is 0: {zero}");
    let compared =
        place.run(&["results", "plane", "--compare", "lambda=0", "--metric", "mean_distance", "--json"]).ok();
    let compared: Value = serde_json::from_str(&compared).unwrap();
    assert!(compared["comparisons"][0]["rows"][0]["difference"].get("p_holm").is_some(), "{compared}");
}

#[test]
fn a_paper_table_has_powers_in_its_caption_and_notes_below_figures_that_lack_runs() {
    let place = plane();
    let latex = ["results", "plane", "--metric", "mean_distance", "--scale", "1e-2", "--format", "latex"];
    let latex = place.run(&latex).ok();
    assert!(latex.contains("& $\\mathbf{6.938} \\pm 0.051$ \\\\"), "{latex}");
    assert!(latex.contains("over seeds. Figures in units of $10^{-2}$.}"), "{latex}");
    assert!(
        latex.contains("^{a}$ \\\\") && latex.contains("{\\footnotesize $^{a}$\\,2 of 3 runs: 1 diverged}"),
        "{latex}"
    );
}

#[test]
fn a_pivoted_table_is_coloured_at_a_terminal_unless_nobody_wants_colours() {
    let place = plane();
    let heat = ["results", "plane", "--pivot", "gamma:lambda", "--format", "heat"];
    let piped = place.run(&heat).ok();
    assert!(piped.contains("0.06938 ± 0.00051 *") && !piped.contains('\u{1b}'), "{piped}");
    let shown = at_a_terminal(&place, &heat, "").ok();
    // The smallest mean is the darkest, and the largest the lightest.
    assert!(shown.contains("\u{1b}[48;2;68;1;84m\u{1b}[38;2;255;255;255m 0.06938 ± 0.00051 *"), "{shown}");
    assert!(shown.contains("\u{1b}[48;2;253;231;37m\u{1b}[38;2;0;0;0m 0.09125"), "{shown}");
    let refused = place.run(&["results", "plane", "--format", "heat"]);
    assert!(refused.stderr.contains("--format heat needs --pivot"), "{refused:#?}");
}
