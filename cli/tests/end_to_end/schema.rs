//! The JSON Schema of sweep files takes what acai takes, and refuses words, types and ranges that acai refuses.

use crate::Place;
use crate::documentation::sweep_files;
use crate::notebooks::{python, runs};

/// Prints the names of the files that the schema refuses.
const VALIDATOR: &str = "\
import json, pathlib, sys
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
schema = json.loads(pathlib.Path('schema.json').read_text())
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    if not validator.is_valid(YAML(typ='safe', pure=True).load(path)):
        print(path.name)
";

/// As much as a file can have.
const ALL: &str = include_str!("../../../sweep/tests/everything.yaml");

/// What makes a mistake of [`ALL`], each by itself.
const MISTAKES: [(&str, &str); 25] = [
    ("version: 1", "version: 2"),
    ("name: all", "nmae: all"),
    ("name: all", "name: 1"),
    ("name: all", "name: a b"),
    ("tags: [a, b-1]", "tags: a"),
    ("method: random", "method: rndom"),
    ("samples: 5", "samples: 0"),
    ("mean_distance", "mean_distnce"),
    ("goal: min", "goal: less"),
    ("model: acai", "model: acia"),
    ("[lines32, ", "[lines, "),
    ("max: 1, count", "max: 10000, count"),
    ("count: 3", "cuont: 3"),
    ("scale: log", "scale: logarithmic"),
    ("distribution: uniform", "distribution: normal"),
    ("values: [8, 16]", "values: [8, 16.5]"),
    ("latent_width: [2, 4]\n  w", "latent_width: [2, 3]\n  w"),
    ("latent_width: [2, 4]\n  w", "latent_width: [2, 2]\n  w"),
    ("batch: [16, 32]", "batch: 16"),
    ("lr: 1e-4", "lr: 0"),
    ("seeds: [3, 5]", "seeds: [3, -5]"),
    ("max_restarts: 0", "max_restarts:"),
    ("every_kimg: 0.5", "every_kimg: 0"),
    ("weights: true", "weights: on the last"),
    ("type: int", "type: integer"),
];

/// Names of parameters are known where a file declares none of its own.
const SHORT: &str = "version: 1\nname: x\nparameters: {model: acai, dataset: lines32, gamma: [0.1, 0.2]}\n";
const MISSPELT: [(&str, &str); 3] =
    [("gamma", "gama"), ("}\n", "}\nexclude: [{gama: 0.1}]\n"), ("}\n", "}\nreport: {group_by: [gama]}\n")];

#[test]
fn the_schema_agrees_with_what_is_planned() {
    let Some(python) = python() else { return };
    let place = Place::new();
    place.file("schema.json", &place.run(&["schema"]).ok());
    place.file("validator.py", VALIDATOR);
    for folder in ["good", "bad"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    for (index, text) in sweep_files().iter().map(String::as_str).chain([ALL, SHORT]).enumerate() {
        let name = format!("good/{index:02}.yaml");
        place.file(&name, text);
        place.run(&["plan", &name]).ok();
    }
    assert_eq!(runs(&place, &python, &["validator.py", "good"]), "");

    let mistakes = MISTAKES.iter().map(|mistake| (ALL, mistake));
    let misspelt = MISSPELT.iter().map(|mistake| (SHORT, mistake));
    let mut names = String::new();
    for (index, (text, (from, to))) in mistakes.chain(misspelt).enumerate() {
        let name = format!("{index:02}.yaml");
        assert!(text.contains(from), "{from}");
        place.file(&format!("bad/{name}"), &text.replacen(from, to, 1));
        assert_eq!(place.run(&["plan", &format!("bad/{name}")]).code, Some(3), "{to}");
        names += &format!("{name}\n");
    }
    assert_eq!(runs(&place, &python, &["validator.py", "bad"]), names);
}
