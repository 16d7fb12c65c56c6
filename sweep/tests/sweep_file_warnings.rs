//! Sweep files that can be run, but ask for what no run can do.

use acai_sweep::file::SweepFile;

/// Each warning of a file with these lines as `LINE:COLUMN message`, hints after ` | `. Line 3 is the first one given.
fn warnings(lines: &str) -> Vec<String> {
    let text = format!("version: 1\nname: x\n{lines}");
    let file = SweepFile::parse("sweep.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let shown = file.warnings.iter().map(|warning| {
        let hint = warning.hint.as_ref().map_or(String::new(), |hint| format!(" | {hint}"));
        format!("{}:{} {}{hint}", warning.line, warning.column, warning.message)
    });
    shown.collect()
}

fn on(dataset: &str, lines: &str) -> Vec<String> {
    warnings(&format!("parameters: {{model: acai, dataset: {dataset}, total_kimg: 1}}\n{lines}"))
}

#[test]
fn a_metric_that_no_dataset_of_the_sweep_has_is_told() {
    assert_eq!(
        on("digits32", "metric: mean_distance\nreport: {metrics: [reconstruction_mse, final/smoothness]}\n"),
        [
            "4:9 `eval/mean_distance` is not reported by runs on `digits32`",
            "5:40 `final/smoothness` is not reported by runs on `digits32`",
        ]
    );
    assert_eq!(
        on("celeba32", "metric: {name: eval/latent_accuracy, goal: max}\n"),
        ["4:9 `eval/latent_accuracy` is not reported by runs on `celeba32`"]
    );
    assert_eq!(
        on("lines32", "metric: [mean_distance, clustering_accuracy]\n"),
        ["4:25 `eval/clustering_accuracy` is not reported by runs on `lines32`"]
    );
    for fine in
        ["metric: [latent_accuracy, clustering_accuracy]\n", "metric: {name: train/loss_ae, goal: min}\n"]
    {
        assert_eq!(on("'images:mine'", fine), Vec::<String>::new(), "nobody knows what is in the folder");
    }
}

#[test]
fn a_table_that_no_metric_sorts_is_told_and_one_metric_a_dataset_is_enough() {
    let hint = "`metric` may be a list, of which each table takes the first that it has";
    assert_eq!(
        on("[lines32, digits32, mnist32]", "metric: mean_distance\n"),
        [format!("4:9 tables of `digits32`, `mnist32` are not sorted: no run on them reports this | {hint}")]
    );
    let enough = on("[lines32, digits32, mnist32]", "metric: [mean_distance, latent_accuracy]\n");
    assert_eq!(enough, Vec::<String>::new());
}

#[test]
fn a_metric_without_its_prefix_is_told() {
    let begin = "is not reported: metrics begin with `eval/`, `final/` or `train/`";
    assert_eq!(
        on("lines32", "report: {metrics: [loss_ae, mean_distanse, train/loss_ae]}\n"),
        [
            format!("4:20 `loss_ae` {begin}"),
            format!("4:29 `mean_distanse` {begin} | did you mean `mean_distance`?"),
        ]
    );
}

#[test]
fn evaluations_and_checkpoints_that_no_run_comes_to_are_told() {
    let lines = "parameters:
  model: acai
  dataset: lines32
  total_kimg: [1, 4]
  eval_kimg: [0.5, 4, 5]
checkpoint:
  every_kimg: 64
";
    assert_eq!(
        warnings(lines),
        [
            "7:3 `eval_kimg` 5.0 is beyond the end of training, `total_kimg` 4.0: runs are evaluated at their end alone",
            "9:15 `every_kimg` 64.0 is beyond the end of training, `total_kimg` 4.0: a run that loses its machine \
             begins again",
        ]
    );
    let included = "parameters: {model: acai, dataset: [lines32, digits32], total_kimg: 100}
include:
  - {dataset: lines32, eval_kimg: 10}
  - {dataset: digits32, eval_kimg: 200}
";
    assert_eq!(
        warnings(included),
        [
            "6:25 `eval_kimg` 200.0 is beyond the end of training, `total_kimg` 100.0: runs are evaluated at their end alone"
        ]
    );
    assert_eq!(on("lines32", ""), Vec::<String>::new(), "a default is nobody's mistake");
}
