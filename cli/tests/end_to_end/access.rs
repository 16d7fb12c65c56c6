//! A coordinator as it is by default: encrypted, and for whoever has an access file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::{Ended, Place, Started, eventually, free_address};

pub(crate) const TINY: &str = "version: 1\nname: tiny\nparameters: {model: acai, dataset: digits32, depth: 1, advdepth: 1, \
                    latent: 1, latent_width: 8, batch: 8, total_kimg: 0.0625, kmeans_inits: 1}\n";

/// The secret of the token in an access file.
fn secret(place: &Place, file: &str) -> String {
    let text = fs::read_to_string(place.path(file)).unwrap();
    let token = text.lines().find(|line| line.starts_with("token")).unwrap();
    token.trim_end_matches('"').rsplit('_').next().unwrap().to_owned()
}

#[test]
fn the_users_commands_find_their_coordinator_and_others_need_a_file_that_says_what_they_may_do() {
    let place = Place::new();
    place.file("tiny.yaml", TINY);
    let address = free_address();
    let child = place
        .acai(&["coordinator", "--listen", &address])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(fs::File::create(place.path("log")).unwrap())
        .spawn()
        .unwrap();
    let _coordinator = Started { child };
    // Found by the user's own access file, which names no address here.
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.run(&["submit", "tiny.yaml"]).ok();
    for (scope, expires) in [("read", &["--expires", "90d"][..]), ("worker", &[])] {
        let name = format!("the {scope}er");
        let file = format!("{scope}.toml");
        let create = ["access", "create", "--scope", scope, "--name", &name, "-o", &file];
        place.run(&[&create[..], expires].concat()).ok();
    }
    let refused = place.run(&["access", "create", "--scope", "read", "--name", "x", "-o", "read.toml"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is there already"), "{refused:#?}");

    let as_reader = |arguments: &[&str]| place.run(&[arguments, &["--access", "read.toml"]].concat());
    as_reader(&["status", "tiny"]).ok();
    let refused = as_reader(&["cancel", "tiny"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("is for `read`, and this needs `submit`"), "{refused:#?}");
    let worker = ["--slots", "1", "--threads", "1", "--idle-timeout", "1"];
    let refused = place.run(&[&["worker", "--access", "read.toml", "--state", "r"], &worker[..]].concat());
    assert!(
        refused.code == Some(1) && refused.stderr.contains("does not let this worker in"),
        "{refused:#?}"
    );

    let worked = place.acai(&[&["worker", "--access", "worker.toml", "--state", "w"], &worker[..]].concat());
    let worked = Ended::from({ worked }.env("RUST_LOG", "trace").output().unwrap());
    assert_eq!(worked.code, Some(0), "{worked:#?}");
    assert!(place.run(&["status", "tiny"]).ok().contains("1 completed"));

    let tokens: Value = serde_json::from_str(&place.run(&["access", "ls", "--json"]).ok()).unwrap();
    let tokens = tokens["tokens"].as_array().unwrap().clone();
    assert_eq!(tokens.len(), 3);
    let reader = tokens.iter().find(|token| token["scope"] == "read").unwrap();
    assert!(reader["expires_unix_ms"].is_i64() && reader["last_used_unix_ms"].is_i64(), "{reader}");
    place.run(&["access", "revoke", reader["id"].as_str().unwrap()]).ok();
    let refused = as_reader(&["ls"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("was revoked"), "{refused:#?}");
    assert!(place.run(&["access", "ls"]).ok().contains("revoked"));

    let logs = fs::read_to_string(place.path("log")).unwrap() + &worked.stdout + &worked.stderr;
    assert!(logs.contains("run completed") && logs.contains(" TRACE "), "the logs say everything else");
    for file in ["acai.db.access", "config/acai/access.toml", "read.toml", "worker.toml"] {
        assert!(!logs.contains(&secret(&place, file)), "the token of {file} is in a log");
    }
}

#[test]
fn who_is_not_encrypted_or_has_no_token_is_told_what_to_do() {
    let place = Place::new();
    let address = free_address();
    let _coordinator = place.start(&["coordinator", "--listen", &address]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    fs::remove_dir_all(place.path("config")).unwrap();
    let plain = place.run(&["ls", "--coordinator", &address]);
    assert!(plain.code == Some(1) && plain.stderr.contains("--access FILE"), "{plain:#?}");
    let unknown = place.run(&["ls", "--coordinator", &format!("https://{address}")]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("name an access file"), "{unknown:#?}");
    let text = fs::read_to_string(place.path("acai.db.access")).unwrap();
    let without: String =
        text.lines().filter(|line| !line.starts_with("token")).map(|line| line.to_owned() + "\n").collect();
    place.file("without.toml", &without);
    let without = place.run(&["ls", "--access", "without.toml"]);
    assert!(without.code == Some(1) && without.stderr.contains("asks for a token"), "{without:#?}");
    let missing = place.run(&["ls", "--access", "missing.toml"]);
    assert!(missing.code == Some(1) && missing.stderr.contains("there is no `missing.toml`"), "{missing:#?}");
}

#[test]
fn a_coordinator_started_again_is_known_by_the_same_files_and_one_of_another_database_leaves_them_alone() {
    let place = Place::new();
    let addresses = [free_address(), free_address()];
    let read = |file: &str| fs::read_to_string(place.path(file)).unwrap();
    let mut before = None;
    for _ in 0..2 {
        let coordinator = place.start(&["coordinator", "--listen", &addresses[0]]);
        eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
        let files = (read("acai.db.access"), read("config/acai/access.toml"));
        assert_eq!(files.0, files.1);
        assert!(before.replace(files.clone()).is_none_or(|before| before == files));
        let _other = place.start(&["coordinator", "--db", "sqlite:other.db", "--listen", &addresses[1]]);
        eventually("the other coordinator listens", || {
            place.run(&["ls", "--access", "other.db.access"]).code == Some(0)
        });
        assert_eq!(read("config/acai/access.toml"), files.1);
        coordinator.interrupt();
        coordinator.wait();
    }
}

#[test]
fn a_coordinator_on_a_copy_of_a_database_that_is_served_leaves_the_users_own_file_to_the_other_one() {
    let place = Place::new();
    let (first, second) = (free_address(), free_address());
    let own = || fs::read_to_string(place.path("config/acai/access.toml")).unwrap();
    let live = place.start(&["coordinator", "--listen", &first]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    let before = own();
    place.run(&["backup", "-o", "copy.db"]).ok();
    let copy = ["coordinator", "--db", "sqlite:copy.db", "--blobs", "copy", "--listen", &second];
    let answers = || place.run(&["ls", "--access", "copy.db.access"]).code == Some(0);

    let tried = place.start(&copy);
    eventually("the copy's coordinator listens", answers);
    assert_eq!(own(), before);
    tried.interrupt();
    let said = tried.wait().stderr;
    assert!(
        said.contains("access.toml` stays as it is") && said.contains("--access copy.db.access"),
        "{said}"
    );
    place.run(&["ls"]).ok();

    live.interrupt();
    live.wait();
    let _moved = place.start(&copy);
    eventually("the user's own commands find where the database is now", || {
        own().contains(&second) && place.run(&["ls"]).code == Some(0)
    });
}

#[test]
fn a_coordinator_can_be_open_to_everybody_on_this_machine() {
    let place = Place::new();
    let address = free_address();
    let open = place.run(&["coordinator", "--auth", "none", "--listen", "0.0.0.0:0"]);
    assert!(open.code == Some(1) && open.stderr.contains("--insecure"), "{open:#?}");
    let _coordinator = place.start(&["coordinator", "--auth", "none", "--listen", &address]);
    eventually("the coordinator listens", || place.run(&["ls", "--coordinator", &address]).code == Some(0));
    assert!(place.run(&["access", "ls", "--coordinator", &address]).stderr.contains("has no tokens"));
}

#[test]
fn the_bearers_of_a_token_that_submits_have_as_much_as_the_coordinator_allows_and_who_runs_it_has_more() {
    let place = Place::new();
    let pointless = place.run(&["coordinator", "--auth", "none", "--token-sweeps", "1"]);
    assert!(pointless.code == Some(1) && pointless.stderr.contains("knows nobody"), "{pointless:#?}");
    place.file("tiny.yaml", TINY);
    place.file("other.yaml", &TINY.replace("name: tiny", "name: other"));
    let _coordinator = place.start(&["coordinator", "--listen", &free_address(), "--token-sweeps", "1"]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.run(&["access", "create", "--scope", "submit", "--name", "lab", "-o", "lab.toml"]).ok();
    let submit = |file: &str, access: &str| place.run(&["submit", file, "--access", access]);
    submit("tiny.yaml", "lab.toml").ok();
    submit("tiny.yaml", "lab.toml").ok();
    let refused = submit("other.yaml", "lab.toml");
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    for words in ["(lab): 1 now, 2 with this, 1 allowed", "acai forget", "--token-sweeps"] {
        assert!(refused.stderr.contains(words), "{refused:#?}");
    }
    submit("other.yaml", "acai.db.access").ok();
    let listed: Value = serde_json::from_str(&place.run(&["ls", "--json"]).ok()).unwrap();
    let by = |at: usize| (&listed["sweeps"][at]["name"], &listed["sweeps"][at]["submitter"]["name"]);
    assert_eq!(
        [by(0), by(1)].map(|(sweep, who)| (sweep.as_str(), who.as_str())),
        [(Some("other"), Some("who started the coordinator")), (Some("tiny"), Some("lab"))]
    );
    assert!(place.run(&["ls"]).ok().lines().any(|line| line.starts_with("tiny") && line.ends_with("lab")));
    assert!(place.run(&["status", "tiny"]).ok().contains("by       lab"));
    place.run(&["forget", "tiny", "--yes", "--access", "lab.toml"]).ok();
    submit("tiny.yaml", "lab.toml").ok();
}

#[tokio::test]
async fn a_worker_goes_on_with_the_token_that_its_access_file_has_by_then() {
    let place = Place::new();
    place.file("long.yaml", crate::outages::LONG);
    let _coordinator = place.start(&["coordinator", "--listen", &free_address(), "--lease", "12"]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    let create = |file: &str| {
        place.run(&["access", "create", "--scope", "worker", "--name", "w", "-o", file]).ok();
        let text = fs::read_to_string(place.path(file)).unwrap();
        text.split("acai_worker_").nth(1).unwrap().split('_').next().unwrap().to_owned()
    };
    let (first, _second) = (create("worker.toml"), create("next.toml"));
    place.run(&["submit", "long.yaml"]).ok();
    let worker =
        ["worker", "--access", "worker.toml", "--slots", "2", "--threads", "1", "--idle-timeout", "20"];
    let worker = place.start(&worker);
    eventually("both runs are under way", || place.run(&["status", "long"]).stdout.contains("2 running"));
    fs::rename(place.path("next.toml"), place.path("worker.toml")).unwrap();
    place.run(&["access", "revoke", &first]).ok();
    eventually("both are trained", || place.run(&["status", "long"]).stdout.contains("2 completed"));
    let mut database = place.database("acai.db").await;
    let attempts: i64 =
        sqlx::query_scalar("select count(*) from attempts").fetch_one(&mut database).await.unwrap();
    assert_eq!(attempts, 2, "no lease has ended");
    worker.interrupt();
    assert!(worker.wait().stderr.contains("the access file has another token"));
}

#[test]
fn the_certificate_authority_is_exchanged_while_files_and_workers_follow() {
    let place = Place::new();
    place.file("tiny.yaml", TINY);
    let listen = ["coordinator", "--listen", &free_address()];
    let coordinator = place.start(&listen);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    let create = |scope: &str, file: &str| {
        place.run(&["access", "create", "--scope", scope, "--name", "x", "-o", file]).ok();
    };
    let pins = |file: &str| fs::read_to_string(place.path(file)).unwrap().matches("sha256:").count();
    let ls = |file: &str| place.run(&["ls", "--access", file]);
    create("read", "old.toml");
    create("read", "refreshed.toml");
    create("worker", "worker.toml");
    let log = || fs::read_to_string(place.path("worker.log")).unwrap();
    let child = place
        .acai(&["worker", "--access", "worker.toml", "--slots", "1", "--threads", "1"])
        .stderr(fs::File::create(place.path("worker.log")).unwrap())
        .spawn()
        .unwrap();
    let _worker = Started { child };
    eventually("the worker is known", || place.run(&["workers", "--json"]).stdout.contains("\"name\""));

    let begun = place.run(&["access", "rotate-ca"]);
    assert!(begun.code == Some(0) && begun.stderr.contains("acai access refresh FILE"), "{begun:#?}");
    create("read", "new.toml");
    for file in ["refreshed.toml", "worker.toml"] {
        place.run(&["access", "refresh", file]).ok();
    }
    for (file, expected) in
        [("config/acai/access.toml", 2), ("old.toml", 1), ("refreshed.toml", 2), ("new.toml", 2)]
    {
        assert_eq!(pins(file), expected, "{file}");
        ls(file).ok();
    }
    eventually("the worker knows both", || log().contains("knows other authorities"));
    place.run(&["access", "rotate-ca", "--finish"]).ok();
    assert_eq!(pins("config/acai/access.toml"), 1);
    let refused = ls("old.toml");
    assert!(refused.code == Some(1) && refused.stderr.contains("acai access rotate-ca"), "{refused:#?}");
    for file in ["config/acai/access.toml", "refreshed.toml", "new.toml"] {
        ls(file).ok();
    }
    let again = place.run(&["access", "rotate-ca", "--finish"]);
    assert!(again.code == Some(1) && again.stderr.contains("no next certificate authority"), "{again:#?}");

    coordinator.interrupt();
    coordinator.wait();
    let _coordinator = place.start(&listen);
    eventually("the coordinator listens again", || ls("new.toml").code == Some(0));
    ls("acai.db.access").ok();
    assert_eq!(ls("old.toml").code, Some(1));
    place.run(&["submit", "tiny.yaml"]).ok();
    eventually("the worker is back", || place.run(&["status", "tiny"]).stdout.contains("1 completed"));
}

#[test]
fn access_that_cannot_be_written_is_not_given_and_a_file_that_others_can_read_is_warned_of() {
    let place = Place::new();
    let _coordinator = place.start(&["coordinator", "--listen", &free_address()]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.file("in-the-way", "");
    let create =
        ["access", "create", "--scope", "worker", "--name", "nobody", "-o", "in-the-way/worker.toml"];
    let refused = place.run(&create);
    assert!(refused.code == Some(1) && refused.stderr.contains("no access is given"), "{refused:#?}");
    let tokens = place.run(&["access", "ls"]).ok();
    let line = tokens.lines().find(|line| line.ends_with("nobody")).unwrap();
    assert!(line.contains("revoked"), "nobody has the token: {tokens}");

    let path = place.path("config/acai/access.toml");
    for (mode, is_warned_of) in [(0o600, false), (0o644, true), (0o640, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let listed = place.run(&["ls"]);
        assert_eq!(listed.code, Some(0));
        assert_eq!(
            listed.stderr.contains("others can read the access file"),
            is_warned_of,
            "{mode:o}: {listed:#?}"
        );
    }
    let mut of_a_service = place.acai(&["ls"]);
    let of_a_service = of_a_service.env("CREDENTIALS_DIRECTORY", path.parent().unwrap());
    let listed = Ended::from(of_a_service.output().unwrap());
    assert!(!listed.stderr.contains("others can read"), "systemd lets nobody else in there: {listed:#?}");
}
