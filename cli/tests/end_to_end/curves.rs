//! `acai metrics`: curves for people and for programs.

use serde_json::{Value, json};

use crate::Place;
use crate::submitting::with_results;

#[test]
fn curves_are_printed_as_lines_for_people_points_for_spreadsheets_and_json() {
    let place = Place::new();
    let (_coordinator, url) = with_results(&place);
    let ask =
        |arguments: &[&str]| place.run(&[&["metrics"][..], arguments, &["--coordinator", &url]].concat());

    let table = ask(&["two/1"]).ok();
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines[1],
        ["two/1", "0", "completed", "eval/mean_distance", "16", "0.5000", "0.5000", "0.5000", "▁"]
    );
    assert_eq!(lines.len(), 2, "{table}");

    let csv = ask(&["two", "--format", "csv"]).ok();
    assert_eq!(
        csv.lines().collect::<Vec<_>>(),
        [
            "sweep,run,seed,state,metric,step,value",
            "two,0,0,completed,eval/mean_distance,16,0.5",
            "two,1,0,completed,eval/mean_distance,16,0.5",
        ]
    );

    let later =
        ask(&["two/0", "--metric", "eval/mean_distance", "--from-step", "17", "--format", "json"]).ok();
    let later: Value = serde_json::from_str(&later).unwrap();
    let curve = json!({
        "sweep": "two", "number": 0, "seed": 0, "state": "completed", "metric": "eval/mean_distance",
        "thinned": false, "steps": [], "values": [],
    });
    assert_eq!(later, json!({"version": 1, "curves": [curve]}));

    for (arguments, hint) in [
        (&["two", "--metric", "mean_distance"][..], "did you mean `eval/mean_distance`?"),
        (&["tow"], "did you mean `two`?"),
        (&["two/2"], "two has no run 2"),
        (&["two", "--points", "3"], "4..=10000"),
    ] {
        let refused = ask(arguments);
        assert_ne!(refused.code, Some(0), "{refused:#?}");
        assert!(refused.stderr.contains(hint), "{refused:#?}");
        assert_eq!(refused.stdout, "", "{refused:#?}");
    }
}
