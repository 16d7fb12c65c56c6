//! What the documentation shows works.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::tables::plane;
use crate::{Ended, Place};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn readme() -> String {
    std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap()
}

fn docs_notebook() -> String {
    std::fs::read_to_string(format!("{ROOT}/docs/notebook.md")).unwrap()
}

fn docs_trainer() -> String {
    std::fs::read_to_string(format!("{ROOT}/docs/trainer.md")).unwrap()
}

/// The sweep files that the README and docs/trainer.md show, those of `sweeps/` and those of `examples/`.
pub(crate) fn sweep_files() -> Vec<String> {
    let text = readme() + &docs_trainer();
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned());
    let mut files: Vec<String> = blocks.collect();
    assert!(files.len() >= 2);
    for folder in ["sweeps", "sweeps/paper", "sweeps/study", "examples"] {
        let paths = std::fs::read_dir(format!("{ROOT}/{folder}")).unwrap().map(|entry| entry.unwrap().path());
        let paths: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
        assert!(!paths.is_empty());
        files.extend(paths.iter().map(|path| std::fs::read_to_string(path).unwrap()));
    }
    files
}

#[test]
fn every_sweep_file_of_the_readme_and_of_docs_trainer_and_every_example_can_be_planned() {
    let place = Place::new();
    for file in sweep_files() {
        place.file("sweep.yaml", &file);
        let plan = place.run(&["plan", "sweep.yaml"]).ok();
        assert!(plan.contains(" runs"), "{plan}");
    }

    let demo = format!("{ROOT}/sweeps/demo.yaml");
    let plan = place.run(&["plan", &demo, "--all"]).ok();
    for axis in ["dataset", "lambda", "gamma", "seed"] {
        assert!(plan.lines().next().unwrap().contains(axis), "the demo sweeps {axis}:\n{plan}");
    }
}

/// The command lines of a text in Markdown: of its indented blocks, and of its sentences.
fn commands(text: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut in_fence = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_fence = !in_fence;
        } else if let Some(line) = line.strip_prefix("    ") {
            let line = line.split_once(" #").map_or(line, |(command, _)| command);
            commands.extend(line.split(" ; "));
        } else if !in_fence {
            commands.extend(line.split('`').skip(1).step_by(2));
        }
    }
    let is_ours = |command: &&str| command.starts_with("acai ") || command.starts_with("acai-trainer ");
    commands.into_iter().map(str::trim).filter(is_ours).collect()
}

#[test]
fn every_command_line_of_the_readme_and_of_docs_is_one_that_the_programs_take() {
    let place = Place::new();
    let programs = Path::new(env!("CARGO_BIN_EXE_acai")).parent().unwrap();
    std::fs::create_dir(place.path("programs")).unwrap();
    for program in ["acai", "acai-trainer"] {
        symlink(programs.join(program), place.path("programs").join(program)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", place.path("programs").display());
    let text = readme() + &docs_trainer() + &docs_notebook();
    let commands = commands(&text);
    assert!(commands.len() > 30, "{commands:#?}");
    assert!(
        commands.iter().any(|command| command.contains("--trainer examples/trainer.py")),
        "{commands:#?}"
    );
    for command in commands {
        // Help is printed only when all that stands before it is understood.
        let shown = Command::new("sh")
            .args(["-c", &format!("{command} --help")])
            .env("PATH", &path)
            .current_dir(place.path(""))
            .stdin(Stdio::null())
            .output();
        let ended = Ended::from(shown.unwrap());
        assert_eq!(ended.code, Some(0), "{command}: {ended:#?}");
    }
}

/// What bash offers for the last of these words.
fn offered(place: &Place, words: &str) -> Vec<String> {
    let script = format!(
        r#"source <(acai completions bash)
        COMP_WORDS=({words}) COMP_TYPE=9
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _clap_complete_acai acai "${{COMP_WORDS[COMP_CWORD]}}"
        printf '%s\n' "${{COMPREPLY[@]}}""#
    );
    let programs = Path::new(env!("CARGO_BIN_EXE_acai")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).env("PATH", path).env("XDG_CONFIG_HOME", place.path("config"));
    let ended = Ended::from(bash.current_dir(place.path("")).output().unwrap());
    ended.ok().lines().map(str::to_owned).collect()
}

#[test]
fn shells_complete_commands_options_and_the_names_of_sweeps() {
    let place = plane();
    assert_eq!(offered(&place, "acai resu"), ["results", "resume"]);
    assert_eq!(offered(&place, "acai results plane --piv"), ["--pivot"]);
    assert_eq!(offered(&place, "acai status pl"), ["plane"]);
    assert_eq!(offered(&place, "acai show pl"), ["plane/"]);
    assert_eq!(offered(&place, "acai plot heatmap plane pl"), ["plane"]);
    assert_eq!(offered(&Place::new(), "acai status pl"), [""], "nobody answers");
    for shell in ["zsh", "fish"] {
        assert!(place.run(&["completions", shell]).ok().contains("ACAI_COMPLETE"), "{shell}");
    }
}

#[test]
fn each_command_has_a_page_for_man() {
    let place = Place::new();
    place.run(&["man", "-o", "man1"]).ok();
    for (page, words) in [("acai", "submit"), ("acai-results", "pivot"), ("acai-plot-heatmap", "metric")] {
        let text = std::fs::read_to_string(place.path(&format!("man1/{page}.1"))).unwrap();
        assert!(text.contains(words), "{page}: {text}");
    }
}
