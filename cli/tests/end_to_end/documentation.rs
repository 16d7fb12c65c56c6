//! What the documentation shows works.

use crate::Place;

#[test]
fn the_sweep_file_of_the_readme_and_the_examples_can_be_planned() {
    let place = Place::new();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let (_, example) = readme.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    place.file("readme.yaml", example);
    let plan = place.run(&["plan", "readme.yaml"]).ok();
    assert!(plan.contains("5 seeds"), "{plan}");

    let demo = format!("{root}/sweeps/demo.yaml");
    let plan = place.run(&["plan", &demo, "--all"]).ok();
    for axis in ["dataset", "lambda", "gamma", "seed"] {
        assert!(plan.lines().next().unwrap().contains(axis), "the demo sweeps {axis}:\n{plan}");
    }
}
