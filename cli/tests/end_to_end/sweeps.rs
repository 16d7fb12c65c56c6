//! From a sweep file to its table.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{FAILING_TRAINER, Place};

const TINY: &str = "
version: 1
name: tiny
metric:
  - {name: eval/mean_distance, goal: minimize}
  - {name: eval/latent_accuracy, goal: maximize}
parameters:
  model: acai
  dataset: [lines32, digits32]
  lambda: [0, 0.5]
  depth: 2
  latent: 2
  latent_width: 2
  lr: 0.01
  batch: 32
  total_kimg: 1
  eval_kimg: 0.5
  kmeans_inits: 2
seeds: 2
";

#[tokio::test]
async fn one_command_trains_a_sweep_and_prints_its_table() {
    let place = Place::new();
    place.file("tiny.yaml", TINY);
    let first = place.run(&["run", "tiny.yaml"]);
    assert!(first.stderr.contains("8 new runs"), "{first:#?}");
    let table = first.ok();
    let blocks: Vec<&str> = table.trim().split("\n\n").collect();
    let [lines, digits] = blocks[..] else { panic!("one table a dataset:\n{table}") };
    assert!(lines.starts_with("lines32, * marks the smallest eval/mean_distance\n"), "{lines}");
    assert!(digits.starts_with("digits32, * marks the largest eval/latent_accuracy\n"), "{digits}");
    for block in [lines, digits] {
        let rows: Vec<&str> = block.lines().skip(2).collect();
        assert_eq!(rows.len(), 2, "{block}");
        assert_eq!(rows.iter().filter(|row| row.starts_with('*')).count(), 1, "{block}");
        assert!(rows.iter().all(|row| row.contains(" 2 ") && row.contains(" ± ")), "{block}");
    }

    // Again: nothing to train, the same table.
    let again = place.run(&["run", "tiny.yaml"]);
    assert!(!again.stderr.contains("new runs"), "{again:#?}");
    assert_eq!(again.ok(), table);

    a_watcher_of_a_sweep_that_has_ended_is_told_so(&place);
    the_command_that_show_names_trains_a_run_to_the_same_digits(&place);
    what_a_run_has_learnt_is_fetched_for_pytorch(&place);

    let at = |values: &str| place.run(&["results", "tiny", "--at", values]).ok();
    assert!(
        at("best").contains("digits32, each run at the step where its eval/latent_accuracy is largest"),
        "{}",
        at("best")
    );
    assert!(at("max").contains("the largest value of each metric of a run"), "{}", at("max"));
    assert_eq!(at("step=999999").lines().nth(2), table.lines().nth(2), "the last values");
    assert!(place.run(&["results", "tiny", "--at", "worst"]).stderr.contains("none of last, final, best"));

    tables_go_into_papers_pages_and_programs(&place);
    figures_are_drawn_one_for_each_dataset(&place);

    // The figures are those of the points in the database.
    let json = place.run(&["run", "tiny.yaml", "--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["runs"], &json["completed"]), (&Value::from(8), &Value::from(8)));
    let best = &json["tables"][0]["rows"][0];
    let mut database = place.database(".acai/acai.db").await;
    let last: Vec<f64> = sqlx::query_scalar(
        "select value from metrics m join runs r on r.id = m.run_id
         where r.sweep_id = 1 and m.name = 'eval/mean_distance' and m.step = r.total_steps
           and r.dataset = 'lines32' and json_extract(r.config, '$.lambda') = $1",
    )
    .bind(best["group"]["lambda"].as_f64().unwrap())
    .fetch_all(&mut database)
    .await
    .unwrap();
    assert_eq!(last.len(), 2);
    let mean = (last[0] + last[1]) / 2.0;
    let distance = &best["metrics"]["eval/mean_distance"];
    assert!((distance["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{best} and {last:?}");
    let std = (last[0] - last[1]).abs() / 2.0;
    assert!((distance["std"].as_f64().unwrap() - std).abs() < 1e-12, "{best} and {last:?}");

    // A larger grid trains only what is missing.
    place.file("tiny.yaml", &TINY.replace("seeds: 2", "seeds: 3").replace("[lines32, digits32]", "digits32"));
    let larger = place.run(&["run", "tiny.yaml", "--yes", "--format", "csv"]);
    assert!(
        larger.stderr.contains("2 new runs, 4 were there already; 4 earlier runs are not in this file"),
        "{larger:#?}"
    );
    let csv = larger.ok();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.starts_with("dataset,lambda,runs,completed,best,eval/clustering_accuracy_mean,"), "{csv}");

    // Sorted by what stands for whole runs, it shows that.
    let finals = TINY.replace("name: eval/latent_accuracy", "name: final/latent_accuracy");
    place.file("tiny.yaml", &finals.replace("[lines32, digits32]", "digits32"));
    let table = place.run(&["run", "tiny.yaml", "--yes"]).ok();
    assert!(table.contains("  final/clustering_accuracy") && !table.contains("eval/"), "{table}");
}

fn tables_go_into_papers_pages_and_programs(place: &Place) {
    let ask = |arguments: &[&str]| place.run(&[&["results", "tiny"][..], arguments].concat()).ok();
    let latex = ask(&["--format", "latex", "--spread", "sample"]);
    for words in [
        "\\begin{tabular}{lrrrr",
        "lambda & $n$ & eval/mean\\_distance $\\downarrow$",
        "$\\mathbf{0.0",
        "\\caption{lines32: mean $\\pm$ sample standard deviation over seeds.}",
        "\\label{tab:tiny-digits32}",
    ] {
        assert!(latex.contains(words), "no `{words}` in {latex}");
    }
    let markdown = ask(&["--format", "markdown"]);
    assert!(
        markdown.starts_with("**lines32**, mean ± population standard deviation\n\n| lambda | n |"),
        "{markdown}"
    );
    assert!(markdown.contains("| **0.0"), "{markdown}");

    // Two seeds: differences, but no interval of them.
    let compared =
        ask(&["--compare", "lambda=0", "--metric", "eval/reconstruction_mse:min", "--format", "json"]);
    let compared: Value = serde_json::from_str(&compared).unwrap();
    let row = &compared["comparisons"][0]["rows"][0];
    assert_eq!((&row["group"]["lambda"], &row["difference"]["pairs"]), (&Value::from(0.5), &Value::from(2)));
    assert!(row["difference"]["confidence95"].is_null() && row["difference"]["mean"].is_f64(), "{row}");
    let lines: Vec<Value> =
        ask(&["--format", "jsonl"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 8);
    let of = |lambda: f64| -> f64 {
        let runs = lines.iter().filter(|line| line["dataset"] == "lines32" && line["lambda"] == lambda);
        runs.map(|line| line["eval/reconstruction_mse"].as_f64().unwrap()).sum::<f64>() / 2.0
    };
    let difference = row["difference"]["mean"].as_f64().unwrap();
    assert!((of(0.5) - of(0.0) - difference).abs() < 1e-12, "{difference}");

    // A run that two sweeps have counts once.
    place.file("again.yaml", &TINY.replace("name: tiny", "name: again"));
    place.run(&["run", "again.yaml"]).ok();
    let both = place.run(&["results", "tiny", "again"]).ok();
    assert_eq!(both, ask(&[]));
    let refused = place.run(&["results", "tiny", "--compare", "lambda=0", "--format", "latex"]);
    assert!(refused.stderr.contains("as a table, as CSV or as JSON"), "{refused:#?}");
    let refused = place.run(&["results", "tiny", "--compare", "lamda=0"]);
    assert!(refused.stderr.contains("did you mean `lambda`?"), "{refused:#?}");
}

fn figures_are_drawn_one_for_each_dataset(place: &Place) {
    let plot = |arguments: &[&str]| place.run(&[&["plot"][..], arguments].concat());
    let figure = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();

    let strip = plot(&["strip", "tiny", "--metric", "eval/reconstruction_mse", "-o", "strip.svg"]).ok();
    assert_eq!(strip, "strip-lines32.svg\nstrip-digits32.svg\n");
    assert!(
        figure("strip-lines32.svg").contains("λ = 0.5")
            && figure("strip-lines32.svg").contains("reconstruction mse")
    );
    let plane =
        ["heatmap", "tiny", "--x", "lambda", "--y", "seed", "--metric", "eval/reconstruction_mse:min"];
    let plane = plot(&[&plane[..], &["--dataset", "digits32", "-o", "plane.svg"]].concat()).ok();
    assert_eq!((plane.as_str(), figure("plane.svg").contains("best (smallest)")), ("plane.svg\n", true));
    plot(&[
        "curves",
        "tiny",
        "--metric",
        "train/loss_ae",
        "--log",
        "--dataset",
        "lines32",
        "-o",
        "curves.svg",
    ])
    .ok();
    assert!(figure("curves.svg").contains("λ = 0.5"), "{}", figure("curves.svg"));
    let scatter =
        ["scatter", "tiny", "--x", "eval/mean_distance", "--y", "eval/smoothness", "-o", "scatter.svg"];
    let scatter = plot(&scatter);
    assert!(scatter.code == Some(0) || scatter.stderr.contains("`eval/smoothness`"), "{scatter:#?}");

    for (arguments, hint) in [
        (&["strip", "tiny", "-o", "plane.svg"][..], "--force replaces it"),
        (&["strip", "tiny", "-o", "strip.pdf"], "does not end with .svg or .png"),
        (&["heatmap", "tiny", "-o", "other.svg"], "a heat map needs two parameters"),
        (&["curves", "tiny", "--metric", "loss_ae", "-o", "other.svg"], "did you mean `train/loss_ae`?"),
    ] {
        let refused = plot(arguments);
        assert!(refused.code == Some(1) && refused.stderr.contains(hint), "{refused:#?}");
    }
    assert!(!place.path("other.svg").exists());
}

fn a_watcher_of_a_sweep_that_has_ended_is_told_so(place: &Place) {
    let mut watcher = place.acai(&["watch", "tiny"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(watcher.stderr.take().unwrap()).read_line(&mut said).unwrap();
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    assert!(said.starts_with("every run has ended; waiting for what is submitted or retried"), "{said}");
}

fn the_command_that_show_names_trains_a_run_to_the_same_digits(place: &Place) {
    let shown = place.run(&["show", "tiny/7"]).ok();
    for words in ["tiny/7 is completed", "digits32", "1  completed on", "images/s", "checkpoints", "pictures"]
    {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    let shown: Value = serde_json::from_str(&place.run(&["show", "tiny/7", "--json"]).ok()).unwrap();
    let command = shown["command"].as_str().unwrap();
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let trainer = Path::new(env!("CARGO_BIN_EXE_acai")).with_file_name("acai-trainer");
    let alone =
        Command::new(trainer).args(arguments).arg("--json").current_dir(place.path("")).output().unwrap();
    assert!(alone.status.success(), "{command}: {alone:?}");
    let scores: Value = serde_json::from_slice(&alone.stdout).unwrap();
    let scores = scores["scores"].as_object().unwrap();
    assert!(!scores.is_empty());
    for (name, score) in scores {
        assert_eq!(&shown["metrics"][name]["last"], score, "{name} of `{command}`");
    }
}

fn what_a_run_has_learnt_is_fetched_for_pytorch(place: &Place) {
    let fetched = place.run(&["fetch", "tiny/7", "--what", "weights"]).ok();
    assert_eq!(fetched.trim(), "./tiny-7/weights.safetensors");
    let whole = place.run(&["fetch", "tiny/7"]).ok();
    let bytes = |file: &str| std::fs::metadata(place.path(file)).unwrap().len();
    // Adam has two moments of each weight.
    assert!(bytes(whole.trim()) > 2 * bytes(fetched.trim()));
    assert_eq!(place.run(&["fetch", "tiny/7", "--what", "pictures"]).ok().lines().count(), 3);
    let none = place.run(&["fetch", "tiny/99"]);
    assert!(none.stderr.contains("tiny has no run 99"), "{none:#?}");
}

#[tokio::test]
async fn runs_of_one_shape_are_trained_as_one_program_where_that_is_asked_for() {
    let place = Place::new();
    place.file(
        "tiny.yaml",
        &TINY.replace("[lines32, digits32]", "digits32").replace("[0, 0.5]", "[0.2, 0.5]"),
    );
    let ended = place.run(&["run", "tiny.yaml", "--slots", "1", "--group-size", "4"]);
    assert_eq!(ended.ok().lines().count(), 4);
    let groups =
        "select count(*), count(distinct claim_id || claim_group) from attempts where outcome = 'completed'";
    let groups: (i64, i64) =
        sqlx::query_as(groups).fetch_one(&mut place.database(".acai/acai.db").await).await.unwrap();
    assert_eq!(groups, (4, 1));
}

#[test]
fn a_run_that_fails_is_tried_again_then_named_and_left_out_of_the_table_until_somebody_asks_for_it_once_more()
{
    let place = Place::new();
    place.file("tiny.yaml", &TINY.replace("seeds: 2", "seeds: 1\nmax_restarts: 1"));
    // A trainer by the protocol's definition, that fails one of the runs.
    place.program(
        "trainer",
        r#"#!/usr/bin/env python3
import json, os, sys
print(json.dumps({"event": "ready", "version": "0", "device": "cpu", "threads": 1, "libtorch": "none"}), flush=True)
for member in json.loads(sys.stdin.readline())["group"]:
    run, config = member["run"], member["config"]
    if config["dataset"] == "digits32" and config["lambda"] == 0.5 and not os.path.exists("luck"):
        print("out of luck", file=sys.stderr)
        sys.exit(7)
    steps = round(config["total_kimg"] * 1024 / config["batch"])
    values = {"eval/mean_distance": config["lambda"]}
    print(json.dumps({"event": "evaluated", "run": run, "step": steps, "values": values}), flush=True)
    print(json.dumps({"event": "finished", "run": run, "step": steps}), flush=True)
"#,
    );
    let ended = place.run(&["run", "tiny.yaml", "--trainer", "./trainer"]);
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    assert!(ended.stderr.contains("1 run did not complete and is not"), "{ended:#?}");
    assert!(ended.stderr.contains("#3 failed: "), "{ended:#?}");
    assert!(ended.stderr.contains("out of luck"), "the trainer's last words: {ended:#?}");
    assert!(ended.stdout.contains("0/1"), "the row says that its run is missing: {ended:#?}");
    assert!(ended.stdout.contains("3 of 4 runs completed"), "{ended:#?}");
    assert!(
        ended.stderr.contains("hint: the same command with `--retry` trains the failed one again"),
        "{ended:#?}"
    );

    place.file("luck", "");
    let same = place.run(&["run", "tiny.yaml", "--trainer", "./trainer"]);
    assert_eq!((same.code, same.stderr.contains("queued again")), (Some(4), false), "{same:#?}");
    let again = place.run(&["run", "tiny.yaml", "--trainer", "./trainer", "--retry"]);
    assert!(again.stderr.contains("1 run queued again"), "{again:#?}");
    assert!(!again.ok().contains("0/1"));
}

#[test]
fn a_sweep_that_too_many_failures_pause_ends_the_command_and_the_same_command_goes_on() {
    let place = Place::new();
    place.file("tiny.yaml", &TINY.replace("seeds: 2", "seeds: 1\nmax_restarts: 0\nmax_failed_runs: 1"));
    place.program("trainer", FAILING_TRAINER);
    for failed in ["#0 failed", "#1 failed"] {
        let ended = place.run(&["run", "tiny.yaml", "--trainer", "./trainer", "--slots", "1"]);
        assert_eq!(ended.code, Some(4), "{ended:#?}");
        assert!(
            ended.stderr.contains("tiny is paused: 1 run failed") && ended.stderr.contains(failed),
            "{ended:#?}"
        );
    }
}
