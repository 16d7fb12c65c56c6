//! What a person's own settings say, and what comes before them.

use crate::Place;

/// A place whose user has these settings.
fn with_settings(text: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("config/acai")).unwrap();
    place.file("config/acai/config.toml", text);
    place
}

#[test]
fn the_command_line_comes_before_the_environment_and_that_before_a_persons_settings() {
    let place = with_settings(
        "coordinator = 'http://127.0.0.1:1'\ndata = '/of/settings'\ntrainer = '/of/settings/trainer'\n",
    );
    for (options, variable, expected) in [
        (&[][..], None, "/of/settings/mnist"),
        (&[], Some("/of/environment"), "/of/environment/mnist"),
        (&[], Some(""), "/of/settings/mnist"),
        (&["--data", "/of/line"], Some("/of/environment"), "/of/line/mnist"),
    ] {
        let mut list = place.acai(&[&["data", "ls"], options].concat());
        let listed = list.envs(variable.map(|value| ("ACAI_DATA", value))).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(listed.contains(expected), "{expected}: {listed}");
    }
    for (options, variable, expected) in [
        (&[][..], None, "`http://127.0.0.1:1`"),
        (&[], Some(("ACAI_COORDINATOR", "http://127.0.0.1:2")), "`http://127.0.0.1:2`"),
        (&[], Some(("ACAI_ACCESS", "missing.toml")), "`missing.toml`"),
        (&[], Some(("ACAI_COORDINATOR", "")), "`http://127.0.0.1:1`"),
        (&[], Some(("ACAI_ACCESS", "")), "`http://127.0.0.1:1`"),
        (&["--coordinator", ""], None, "nobody is named"),
        (
            &["--coordinator", "http://127.0.0.1:3"],
            Some(("ACAI_COORDINATOR", "http://127.0.0.1:2")),
            "`http://127.0.0.1:3`",
        ),
    ] {
        let asked = place.acai(&[&["ls"], options].concat()).envs(variable).output().unwrap();
        let said = String::from_utf8(asked.stderr).unwrap();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    place.file("x.yaml", "version: 1\nname: x\nparameters: {model: acai, dataset: lines32}\n");
    let run = place.run(&["run", "x.yaml"]);
    assert!(run.code == Some(1) && run.stderr.contains("/of/settings/trainer"), "{run:#?}");
}

#[test]
fn mistakes_in_a_persons_settings_are_shown_with_their_line_and_help_is_there_all_the_same() {
    for (text, words) in [
        ("data = '/data'\ndta = '/data'\n", &["line 2", "`dta`", "`data`"][..]),
        ("# mine\n\ndata = 'data'\n", &["line 3", "begins with `/`"]),
        ("coordinator = '.acai'\n", &["line 1", "begins with `/`"]),
        ("trainer = 7\n", &["line 1", "7"]),
        ("trainer = \n", &["line 1"]),
    ] {
        let place = with_settings(text);
        let refused = place.run(&["data", "ls"]);
        assert!(refused.code == Some(1) && refused.stdout.is_empty(), "{refused:#?}");
        for word in words.iter().chain(&["acai/config.toml"]) {
            assert!(refused.stderr.contains(word), "no {word} in {}", refused.stderr);
        }
        place.run(&["data", "ls", "--help"]).ok();
    }
}
