//! Runs that join a group in training, in a sweep with the real trainer.

use crate::Place;
use crate::outages::points;

/// Two runs that train for some seconds, and two that diverge at once.
const WILD: &str = "
version: 1
name: wild
metric: {name: eval/latent_accuracy, goal: maximize}
parameters:
  model: acai
  dataset: digits32
  lr: [0.001, 1.0]
  depth: 1
  advdepth: 1
  latent: 1
  latent_width: 8
  batch: 8
  total_kimg: 4
  eval_kimg: 2
  kmeans_inits: 1
seeds: 2
";

#[tokio::test]
async fn a_place_that_a_diverged_run_leaves_is_taken_in_the_same_process_and_changes_nobodys_bits() {
    let train = async |size: &str| {
        let place = Place::new();
        place.file("wild.yaml", WILD);
        let options = ["--slots", "1", "--threads", "1", "--group-size", size];
        let ended = place.run(&[&["run", "wild.yaml"], &options[..]].concat());
        assert_eq!(ended.code, Some(4), "two runs have diverged: {ended:#?}");
        let mut database = place.database(".acai/acai.db").await;
        let claims = "select count(*), count(distinct claim_id || claim_group) from attempts";
        let claims: (i64, i64) = sqlx::query_as(claims).fetch_one(&mut database).await.unwrap();
        let log = std::fs::read_to_string(place.path(".acai/log")).unwrap();
        let said = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        (points(&mut database).await, claims, [said("trainer is ready"), said("runs join a group")])
    };

    let (together, claims, said) = train("4").await;
    assert_eq!((claims, said), ((4, 1), [1, 0]));

    let (one_by_one, claims, said) = train("2").await;
    assert_eq!((claims, said), ((4, 3), [1, 2]));
    assert!(!together.is_empty());
    assert_eq!(one_by_one, together);
}
