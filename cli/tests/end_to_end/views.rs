//! The database's views say what the commands say: docs/notebook.md promises it.

use acai_testing::postgres::Postgres;
use serde_json::{Map, Value};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::tables::plane;
use crate::{Place, Started, eventually, free_address};

/// A row of `results_v1`: run, seed, metric, the JSON of its parameters, step, value, points.
type ResultRow = (i64, i64, String, String, i64, f64, i64);

/// What both kinds of database are asked in the same words.
const RESULTS: &str =
    "select run, seed, metric, cast(parameters as text) as parameters, step, value, points from results_v1
                       where sweep = 'plane' and state = 'completed' and is_final order by run, metric";
const POINTS: &str = "select sweep || ',' || run || ',' || seed || ',' || state || ',' || metric || ',' || step as point, value
                      from points_v1 order by metric, run, step";
const RUNS: &str = "select cast(run as text) || ' ' || state || ' ' || dataset || ' ' || step || '/' || total_steps || ' ' ||
                    coalesce(message, '') as run from runs_v1 order by runs_v1.run";

/// The rows of the three views.
struct Views {
    results: Vec<ResultRow>,
    points: Vec<(String, f64)>,
    runs: Vec<String>,
}

macro_rules! views {
    ($connection:expr) => {{
        let mut connection = $connection;
        let results = sqlx::query_as(RESULTS).fetch_all(&mut connection).await.unwrap();
        let points = sqlx::query_as(POINTS).fetch_all(&mut connection).await.unwrap();
        let runs = sqlx::query_scalar(RUNS).fetch_all(&mut connection).await.unwrap();
        Views { results, points, runs }
    }};
}

/// The runs as `acai results --format jsonl` has them.
fn lines(jsonl: &str) -> Vec<Map<String, Value>> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn check(views: &Views, ask: &dyn Fn(&[&str]) -> String) {
    let lines = lines(&ask(&["results", "plane", "--format", "jsonl"]));
    let mut found = 0;
    for (run, seed, metric, parameters, step, value, points) in &views.results {
        let parameters: Map<String, Value> = serde_json::from_str(parameters).unwrap();
        let is_shown = |line: &&Map<String, Value>| {
            line["completed"] == true && parameters.iter().all(|(name, value)| line.get(name) == Some(value))
        };
        let line = lines.iter().filter(is_shown).find(|line| line["seed"] == *seed);
        assert_eq!(line.unwrap()[metric], *value, "{run} {metric}");
        assert_eq!((*step, *points), (16, 2));
        found += 1;
    }
    // 14 completed runs, three metrics. The three of λ = 0 stand for two points each in `acai results`.
    assert_eq!((found, lines.len()), (14 * 3, 18));

    let csv = ask(&["metrics", "plane", "--format", "csv"]);
    let points: Vec<(String, f64)> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let (point, value) = line.rsplit_once(',').unwrap();
            (point.to_owned(), value.parse().unwrap())
        })
        .collect();
    assert_eq!(views.points, points);

    assert_eq!(views.runs.len(), 15);
    let diverged: Vec<&String> = views.runs.iter().filter(|run| run.contains("diverged")).collect();
    assert!(
        diverged.len() == 1 && diverged[0].ends_with("the loss is not a number\nsince step 2"),
        "{diverged:?}"
    );
    let listed: Value = serde_json::from_str(&ask(&["runs", "plane", "--json"])).unwrap();
    for run in listed["runs"].as_array().unwrap() {
        let (number, state) = (run["number"].as_u64().unwrap(), run["state"].as_str().unwrap());
        assert!(
            views.runs.iter().any(|line| line.starts_with(&format!("{number} {state} lines32 "))),
            "{run}"
        );
    }
}

#[tokio::test]
async fn the_views_of_an_sqlite_file_have_what_the_commands_print() {
    let place = plane();
    let database = format!("sqlite:{}?mode=ro", place.path(".acai/acai.db").display());
    let views = views!(SqliteConnection::connect(&database).await.unwrap());
    check(&views, &|question| place.run(question).ok());
}

#[tokio::test]
async fn the_views_of_postgres_have_what_the_commands_print() {
    let Some(server) = Postgres::start() else { return };
    let place = plane();
    place.run(&["export", "plane", "-o", "folder", "--no-files"]).ok();
    let url = server.create_database().unwrap();
    let (_coordinator, address) = on(&place, &url);
    place.run(&["import", "folder", "--coordinator", &address]).ok();
    let views = views!(PgConnection::connect(&url).await.unwrap());
    check(&views, &|question| place.run(&[question, &["--coordinator", &address]].concat()).ok());
}

/// A coordinator on a Postgres, and its address.
fn on(place: &Place, url: &str) -> (Started, String) {
    let address = free_address();
    let coordinator = place.start(&["coordinator", "--db", url, "--blobs", "blobs", "--listen", &address]);
    eventually("the coordinator listens", || place.run(&["ls", "--coordinator", &address]).code == Some(0));
    (coordinator, address)
}
