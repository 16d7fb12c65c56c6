//! Sweep files that cannot be run: what is said, and where.

use std::fmt::Write;

use acai_sweep::file::{MAX_BYTES, SweepFile, SweepFileError};

fn error(text: &str) -> SweepFileError {
    SweepFile::parse("sweep.yaml", text.as_bytes()).expect_err("a mistake")
}

/// Each mistake as `LINE:COLUMN message`, hints after ` | `.
fn mistakes(text: &str) -> Vec<String> {
    let error = error(text);
    let show = |hint: &String| format!(" | {hint}");
    let line = |m: &acai_sweep::file::Mistake| {
        format!("{}:{} {}{}", m.line, m.column, m.message, m.hint.as_ref().map_or(String::new(), show))
    };
    error.mistakes.iter().map(line).collect()
}

/// The mistakes of a file whose `parameters` begin like this: line 4 is the first one given.
fn mistakes_in(lines: &str) -> Vec<String> {
    mistakes(&format!(
        "version: 1\nname: x\nparameters: {{model: acai, dataset: lines32, lambda: [0.1, 0.2]}}\n{lines}"
    ))
}

#[test]
fn errors_print_as_compilers_print_them() {
    let error = error("version: 1\nname: x\nparameters: {model: acai, datset: lines32, lambda: -1}\n");
    assert_eq!(
        error.to_string(),
        "sweep.yaml:3:27: unknown parameter `datset`\n\
         hint: did you mean `dataset`?\n\
         sweep.yaml:3:52: `lambda` takes a number from 0 to 1000, found `-1`"
    );
}

#[test]
fn what_is_only_for_images_is_refused_where_the_dataset_is_of_strings() {
    let text = |model: &str| format!("version: 1\nname: x\nparameters: {{{model}, dataset: typeover32}}\n");
    for (model, reason) in [
        (
            "model: aae",
            "model `aae` is not for dataset `typeover32`, whose examples are strings: nobody has tried",
        ),
        (
            "model: pixels",
            "model `pixels` is not for dataset `typeover32`, whose examples are strings: it classifies",
        ),
        (
            "model: denoising, noise: 2",
            "`noise: 2` is not for dataset `typeover32`, whose examples are strings: it is the share",
        ),
    ] {
        let mistakes = mistakes(&text(model));
        assert!(mistakes[0].starts_with("3:") && mistakes[0].contains(reason), "{mistakes:?}");
    }
    assert!(SweepFile::parse("sweep.yaml", text("model: denoising").as_bytes()).is_ok());
}

#[test]
fn every_mistake_in_a_value_is_shown_at_its_place() {
    let text = "version: 1
name: x
parameters:
  model: acia
  dataset: 32
  lambda: [0.1, -1, 0.1]
  gamma: yes
  depth: [16, 16.5, 999999999999999999999]
  latent_width: [2, 3]
  batch: []
  latent:
  advdepth: [16, 32, 16.0, 32]
  lr: [1, 1.0]
  latnt: 3
  total_kimg: true
";
    assert_eq!(
        mistakes(text),
        [
            "4:10 `model` takes one of `baseline`, `dropout`, `denoising`, `vae`, `aae`, `vqvae`, `acai`, `acai_vae`, `pixels`, found `acia` | did you mean `acai`?",
            "5:12 `dataset` takes one of `lines32`, `digits32`, `mnist32`, `fashion-mnist32`, `svhn32`, `cifar10`, `celeba32`, `typeover32`, or `images:PATH` for a folder of pictures, `curve:PATH` or `text:PATH` for a file of strings, found the number `32`",
            "6:17 `lambda` takes a number from 0 to 1000, found `-1`",
            "7:10 `gamma` takes a number from 0 to 1, found the word `yes`",
            "8:15 `depth` takes an integer from 1 to 128, found `16.5`",
            "8:21 `depth` takes an integer from 1 to 128, found `1e21`",
            "9:21 `latent_width` takes a power of two from 1 to 16, found `3`",
            "10:10 the list is empty",
            "11:10 `latent` takes an integer from 1 to 1024, found nothing",
            "12:22 `advdepth` takes an integer from 1 to 128, found `16.0`",
            "13:11 `1.0` is in the list twice",
            "14:3 unknown parameter `latnt` | did you mean `latent`?",
            "15:15 `total_kimg` takes a number above 0 and at most 1000000, found the boolean `true`",
        ]
    );
}

#[test]
fn settings_are_checked() {
    let text = "version: 2
nmae: x
name: 123
method: randm
resources: {gpus: 1}
metric: [{name: a b, goal: minimize}]
checkpoint: {every_kimg: 0, keep: 3}
report: {pivot: {}, group_by: [lamda]}
seeds: [1, 1]
priority: high
max_concurrent: 0
tags: [a, a]
description: [x]
max_runs: 1e9
parameters: 5
artifacts: {weights: 1, wieghts: true}
";
    assert_eq!(
        mistakes(text),
        [
            "1:10 sweep files have version `1`, found the number `2`",
            "2:1 unknown key `nmae` | did you mean `name`?",
            "3:7 expected a word, found the number `123` | put it in quotes if it is meant as a word",
            "4:9 expected one of `grid`, `random`, `sobol`, found `randm` | did you mean `random`?",
            "5:1 `resources` is not supported yet | remove it",
            "6:17 expected a metric's name, such as `eval/mean_distance`, found `a b`",
            "7:26 expected a number above 0 and at most 1000000, found the number `0`",
            "7:29 `keep` is not supported yet | remove it",
            "8:10 `pivot` is not supported yet | remove it",
            "8:32 unknown parameter `lamda` | did you mean `lambda`?",
            "9:12 the number `1` is in the list twice",
            "10:11 expected an integer from -1000000 to 1000000, found the word `high`",
            "11:17 expected an integer from 1 to 100000, found the number `0`",
            "12:11 the word `a` is in the list twice",
            "13:14 expected a word, found a list",
            "14:11 expected an integer from 1 to 100000, found the number `1000000000.0`",
            "15:13 expected a mapping, found the number `5`",
            "16:22 expected `true` or `false`, found the number `1`",
            "16:25 unknown key `wieghts` | did you mean `weights`?",
        ]
    );
    assert_eq!(
        mistakes("description: x\n"),
        [
            "1:1 the key `version` is missing | add `version: 1`",
            "1:1 the key `name` is missing",
            "1:1 the key `parameters` is missing",
        ]
    );
    assert_eq!(
        mistakes("version: 1\nname: my sweep\nparameters: {model: acai, dataset: lines32}\n"),
        ["2:7 expected a name of letters, digits, `.`, `_` and `-` that begins with a letter or digit \
             (at most 128), found `my sweep`"]
    );
    assert_eq!(
        mistakes_in("metric: {name: final/smoothness, goal: mnimize}\n"),
        [
            "4:40 expected one of `minimize`, `maximize`, `min`, `max`, found `mnimize` | did you mean `minimize`?"
        ]
    );
    assert_eq!(
        mistakes_in(
            "metric: {name: eval/latent_acuracy, goal: maximize}\nreport: {metrics: [train/loss_ae, final/x]}\n"
        ),
        [
            "4:16 there is no score `eval/latent_acuracy` | did you mean `eval/latent_accuracy`?",
            "5:35 there is no score `final/x` | `trainer.metrics` declares those of a trainer of your own",
        ]
    );
}

#[test]
fn impossible_ranges_are_refused() {
    let text = "version: 1
name: x
parameters:
  lambda: {min: 0, max: 1, count: 3, scale: log}
  gamma: {min: 1, max: 0, count: 2}
  lr: {min: 0.1, max: 0.2, count: 1}
  depth: {min: 16, max: 32, count: 4}
  batch: {min: 1, max: 2, count: 0}
  latent: {min: 1, max: 1, count: 2}
  advdepth: {values: [1]}
  dataset: {min: 1, max: 2, count: 2}
  eval_kimg: {min: 1, max: .inf, count: 2}
";
    assert_eq!(
        mistakes(text),
        [
            "4:17 a range on a log scale begins above 0",
            "5:16 `min` is above `max`, which is `0`",
            "6:35 `min` and `max` are two values, so `count` is at least 2",
            "7:10 `depth` takes an integer from 1 to 128, found `21.3333333333`",
            "8:34 expected an integer from 1 to 10000, found the number `0`",
            "9:11 the range has `1` twice",
            "10:13 the key `min` is missing",
            "10:14 unknown key `values` | the keys are `min`, `max`, `count`, `scale`",
            "11:12 `dataset` takes one of `lines32`, `digits32`, `mnist32`, `fashion-mnist32`, `svhn32`, `cifar10`, `celeba32`, `typeover32`, or `images:PATH` for a folder of pictures, `curve:PATH` or `text:PATH` for a file of strings, found a mapping",
            "12:28 `eval_kimg` takes a number above 0 and at most 1000000, found `inf`",
        ]
    );
}

#[test]
fn zips_have_lists_of_one_length_and_parameters_of_their_own() {
    let text = "zip:
  - {lr: [1, 0.1], batch: [1, 2, 3]}
  - {lambda: [1, 2]}
  - {depth: [1, 2, 1], latent: [1, 1, 1]}
  - {}
  - {gamma: 0.1}
";
    assert_eq!(
        mistakes_in(text),
        [
            "5:20 `batch` has 3 values and `lr` 2; in a zip they are as many",
            "6:6 `lambda` is in `parameters` or another zip already",
            "7:20 the values here are an earlier row of the zip again",
            "8:5 expected parameters with lists, found an empty mapping",
            "9:13 expected a list, found the number `0.1`",
        ]
    );
}

#[test]
fn rules_without_effect_are_refused() {
    let text = "exclude:
  - {lambda: [0.1, 0.3]}
  - {gamma: 0.2}
  - {lambda: 0.1, model: baseline}
include:
  - {lambda: 0.2}
  - {lambda: 3}
  - {lambda: 3, gamma: 0.2}
  - {depth: 32}
  - {depth: 64}
report: {group_by: [dataset, lambda]}
";
    assert_eq!(
        mistakes_in(text),
        [
            "5:20 `lambda` is never `0.3` in this sweep",
            "6:6 `gamma` is not set in `parameters` or `zip`",
            "7:26 `model` is never `baseline` in this sweep",
            "9:5 this changes nothing: the sweep has these points, or later entries overwrite it",
            "11:5 the sweep already has this configuration",
            "12:5 this changes nothing: the sweep has these points, or later entries overwrite it",
            "14:21 `dataset` is not swept: all runs have one value of it",
        ]
    );
    assert_eq!(
        mistakes_in("zip: [{lr: [0.1, 0.2], batch: [1, 2]}]\nexclude: [{lr: 0.1, batch: 2}]\n"),
        ["5:11 this excludes nothing: no point has these values together"]
    );
    assert_eq!(
        mistakes_in("exclude: [{model: acai}]\n"),
        ["3:1 every point is excluded, so there is nothing to run"]
    );
}

#[test]
fn parameters_must_suit_the_models() {
    let with = |parameters: &str| mistakes(&format!("version: 1\nname: x\nparameters: {{{parameters}}}\n"));
    assert_eq!(
        with("model: baseline, dataset: lines32, lambda: [0.1, 0.2]"),
        ["3:49 `lambda` has no effect: no model of this sweep uses it"]
    );
    assert_eq!(
        with("dataset: lines32"),
        [
            "3:1 `model` is not set; it takes one of `baseline`, `dropout`, `denoising`, `vae`, `aae`, `vqvae`, `acai`, `acai_vae`, `pixels`"
        ]
    );
}

#[test]
fn more_runs_than_allowed_are_refused_before_they_exist() {
    let mut grid = String::from("version: 1\nname: x\nparameters:\n  model: acai\n  dataset: lines32\n");
    for parameter in ["lambda", "gamma", "lr", "total_kimg", "eval_kimg"] {
        writeln!(grid, "  {parameter}: {{min: 0.001, max: 1, count: 10000}}").unwrap();
    }
    assert_eq!(
        mistakes(&grid),
        ["3:1 the grid has more than 10^19 points, and a sweep file at most 100000 | take away values"]
    );
}

#[test]
fn max_runs_counts_runs() {
    let hint = "take away values or seeds, or raise `max_runs` (at most 100000)";
    assert_eq!(
        mistakes_in("zip: [{gamma: [0.1, 0.2]}]\nmax_runs: 3\n"),
        [format!("3:1 4 configurations × 1 seed are 4 runs, and `max_runs` is 3 | {hint}")]
    );
    assert_eq!(
        mistakes_in("seeds: 5\nmax_runs: 9\n"),
        [format!("3:1 2 configurations × 5 seeds are 10 runs, and `max_runs` is 9 | {hint}")]
    );
    let fewer_than_points = "version: 1\nname: x\nmax_runs: 3\nparameters: {model: acai, dataset: lines32, \
                             lambda: [0.1, 0.2], gamma: [0.1, 0.2]}\nexclude: [{lambda: 0.1, gamma: 0.1}]\n";
    let file =
        SweepFile::parse("sweep.yaml", fewer_than_points.as_bytes()).expect("three runs of four points");
    assert_eq!(file.plan.counts().runs, 3);
}

#[test]
fn a_hint_names_a_word_that_is_near_or_else_how_to_declare_one() {
    let text = "version: 1
name: x
steps: 5
seed: 3
parameters: {dataset: mnist, learning_rate: 0.1, batch_size: 4, latent_dim: 2, advweight: 1}
";
    let mistakes = mistakes(text);
    let [steps, others @ ..] = &mistakes[..] else { panic!("{mistakes:?}") };
    assert!(steps.starts_with("3:1 unknown key `steps` | the keys are `version`, `name`, "), "{steps}");
    assert_eq!(
        others,
        [
            "4:1 unknown key `seed` | did you mean `seeds`?",
            "5:23 `dataset` takes one of `lines32`, `digits32`, `mnist32`, `fashion-mnist32`, `svhn32`, `cifar10`, \
             `celeba32`, `typeover32`, or `images:PATH` for a folder of pictures, `curve:PATH` or `text:PATH` for a file of strings, found `mnist` | did you mean `mnist32`?",
            "5:30 unknown parameter `learning_rate` | did you mean `lr`?",
            "5:50 unknown parameter `batch_size` | did you mean `batch`?",
            "5:65 unknown parameter `latent_dim` | `trainer.parameters` declares those of a trainer of your own",
            "5:80 unknown parameter `advweight` | did you mean `lambda`?",
        ]
    );
}

#[test]
fn a_metric_that_is_a_word_alone_is_a_score() {
    assert_eq!(
        mistakes_in("metric: latent_acuracy\n"),
        ["4:9 `latent_acuracy` is no score, so its goal is not known | did you mean `latent_accuracy`?"]
    );
    assert_eq!(
        mistakes_in("metric: [mean_distance, train/loss_ae]\n"),
        [
            "4:25 `train/loss_ae` is no score, so its goal is not known | write `{name: train/loss_ae, goal: min}`, or `max`"
        ]
    );
    assert_eq!(
        mistakes_in("metric: [mean_distance, {name: eval/mean_distance, goal: min}]\n"),
        ["4:25 `eval/mean_distance` is in the list twice"]
    );
}

#[test]
fn text_that_is_no_yaml_mapping_is_refused_where_it_goes_wrong() {
    let cases = [
        ("", "1:1 the file is empty | begin with `version: 1`"),
        ("# nothing\n", "1:10 the file is empty | begin with `version: 1`"),
        ("- 1\n", "1:1 expected a mapping, found a list"),
        ("name: x\nname: y\n", "2:1 `name` is here twice"),
        ("a: {b: 1, b: 2}\n", "1:11 `b` is here twice"),
        ("5: x\n", "1:1 invalid type: integer `5`, expected a word as key"),
        ("name: !tag x\n", "1:7 sweep files have no tags (`!…`)"),
        ("%YAML 1.2\n---\nname: x\n", "1:1 sweep files have no directives (`%…`)"),
        ("name: *x\n", "1:7 unknown anchor"),
        (
            "name: x\n---\nname: y\n",
            "3:1 a second document begins here | a file holds one sweep: remove what follows `---`",
        ),
        (
            "name: [x\n",
            "1:9 did not find expected ',' or ']', while parsing a flow sequence at line 1 column 7",
        ),
        (
            "a:\n\tb: 1\n",
            "2:1 found character that cannot start any token, while scanning for the next token | indent with spaces, not with tabs",
        ),
        ("ä: \u{1b}[31m\n", "1:4 the control character U+001B is not allowed"),
        ("a: 1 # b\u{2028}c: 2\n", "1:9 the line break U+2028 is not allowed"),
        ("a: 1\rb: 2\n", "1:5 the line break U+000D is not allowed"),
    ];
    for (text, mistake) in cases {
        assert_eq!(mistakes(text), [mistake], "{text:?}");
    }
    let not_utf8 = SweepFile::parse("x", b"version: 1\nname: \xc3\xa9\xff").unwrap_err();
    assert_eq!(not_utf8.to_string(), "x:2:8: this is not UTF-8");
}

/// Without its limit each of these takes seconds, gigabytes or the whole stack.
#[test]
fn hostile_files_are_refused_cheaply() {
    let bomb = (1..9).fold("a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(), |mut text, level| {
        let alias = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{}]", [alias.as_str(); 8].join(", ")).unwrap();
        text
    });
    let cases = [
        ("[".repeat(17), "1:17 more than 16 lists and mappings inside each other"),
        ("a: &a [*a]".to_owned(), "1:4 more than 16 lists and mappings inside each other"),
        ("{a: ".repeat(20_000), "1:65 more than 16 lists and mappings inside each other"),
        (
            format!("version: {}{}", "[".repeat(100_000), "]".repeat(100_000)),
            "1:26 more than 16 lists and mappings inside each other",
        ),
        ("- ".repeat(100_000), "1:33 more than 16 lists and mappings inside each other"),
        ("? ".repeat(100_000), "1:3 invalid type: map, expected a word as key"),
        (
            (0..600).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
            "17:17 more than 16 lists and mappings inside each other",
        ),
        (
            format!("a: [{}]", (0..20_000).map(|it| format!("&a{it} x, *a{it}, ")).collect::<String>()),
            "1:177749 the file holds more than 20000 values, aliases resolved",
        ),
        (
            format!("#{}", "[".repeat(79_999)),
            "1:1 more than 2500 open `[` and `{` are too many for a file of this size \
             | write long lists and mappings one item a line, without brackets",
        ),
        (bomb, "1:22 the file holds more than 20000 values, aliases resolved"),
        (
            format!("a: &a {}\nb: [{}]", "y".repeat(100_000), "*a, ".repeat(50)),
            "1:4 the file holds more than 20000 values, aliases resolved",
        ),
        (
            format!(
                "version: 1\nname: x\nparameters:\n  model: acai\n  dataset: lines32\n  \
                 lambda: {{min: 0, max: 1, count: 10000}}\nexclude: [{{lambda: [{}]}}]\n",
                "0, ".repeat(501)
            ),
            "3:1 `exclude` and `include` have 501 values, too many for a grid of 10000 points",
        ),
        ("x".repeat(MAX_BYTES + 1), "1:1 the file has 1048577 bytes, and a sweep file at most 1048576"),
    ];
    for (text, mistake) in cases {
        assert_eq!(mistakes(&text), [mistake]);
    }
}

#[test]
fn only_the_first_mistakes_of_many_are_shown_and_the_rest_counted() {
    let unknown: String = (0..25).map(|index| format!("k{index}: 1\n")).collect();
    let error = error(&unknown);
    assert_eq!((error.mistakes.len(), error.omitted), (20, 8));
    assert!(error.to_string().ends_with("\nsweep.yaml: 8 more mistakes"));
}

#[test]
fn draws_are_checked() {
    let mistakes = |lines: &str| mistakes(&format!("version: 1\nname: x\n{lines}\n"));
    let lr = "lr: {distribution: log_uniform, min: 1.0e-5, max: 1.0e-2}";
    let parameters = |more: &str| format!("parameters: {{model: acai, dataset: lines32, {more}}}");
    for (lines, expected) in [
        (
            parameters(lr),
            "`lr` has a distribution, and the file no draws | add `method: random` and `samples: 50`",
        ),
        (format!("method: random\n{}", parameters(lr)), "the key `samples` is missing"),
        (
            format!("method: sobol\nsamples: 3\n{}", parameters("lr: 0.1")),
            "no parameter has a distribution to draw from | like `lr: {distribution: log_uniform, min: 1e-5, max: 1e-2}`",
        ),
        (
            format!("samples: 3\n{}", parameters("lr: 0.1")),
            "`samples` needs `method: random` or `method: sobol` | a grid has every combination",
        ),
        (
            format!(
                "method: random\nsamples: 3\n{}",
                parameters("lr: {distribution: log_uniform, min: 0, max: 1}")
            ),
            "`lr` takes a number above 0 and at most 1, found `0`",
        ),
        (
            format!(
                "method: random\nsamples: 3\n{}",
                parameters("gamma: {distribution: log_uniform, min: 0, max: 1}")
            ),
            "a log-uniform distribution begins above 0",
        ),
        (
            format!(
                "method: random\nsamples: 3\n{}",
                parameters("gamma: {distribution: uniform, min: 0.5, max: 0.5}")
            ),
            "`min` is not below `max`, which is `0.5`",
        ),
        (
            format!(
                "method: random\nsamples: 3\n{}",
                parameters("depth: {distribution: choice, values: [8, -1]}")
            ),
            "`depth` takes an integer from 1 to 128, found `-1`",
        ),
        (
            format!(
                "method: random\nsamples: 3\n{}",
                parameters("depth: {distribution: choice, values: [8], min: 3}")
            ),
            "`min` means nothing to this distribution",
        ),
        (
            format!(
                "method: random\nsamples: 3\n{}",
                parameters("latent_width: {distribution: int_uniform, min: 2, max: 8}")
            ),
            "`latent_width` takes a power of two",
        ),
    ] {
        let found = mistakes(&lines);
        assert!(
            found.len() == 1
                && found[0].split_once(' ').is_some_and(|(_, words)| words.starts_with(expected)),
            "{lines}\n{found:#?}"
        );
    }
}

#[test]
fn a_mistake_is_shown_in_its_line() {
    let text = "version: 1\nname: x\nparameters: {model: acai, datset: lines32, lambda: -1}\n";
    assert_eq!(
        error(text).shown_in(text),
        "sweep.yaml:3:27: unknown parameter `datset`\n  \
         3 | parameters: {model: acai, datset: lines32, lambda: -1}\n  \
         \u{20} |                           ^\n\
         hint: did you mean `dataset`?\n\
         sweep.yaml:3:52: `lambda` takes a number from 0 to 1000, found `-1`\n  \
         3 | parameters: {model: acai, datset: lines32, lambda: -1}\n  \
         \u{20} |                                                    ^"
    );
}
