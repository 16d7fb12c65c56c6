//! What pages say: the same as the use cases, without scripts, and never nothing.

use acai_coordinator::use_cases::{At, TableRequest};
use acai_sweep::results::Statistic;

use crate::{Coordinator, import_plane};

async fn with_plane() -> Coordinator {
    let coordinator = Coordinator::open().await;
    import_plane(&coordinator.use_cases()).await;
    coordinator
}

#[track_caller]
fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "the page lacks {part:?}:\n{page}");
    }
}

#[tokio::test]
async fn a_sweep_shows_its_plane_its_table_and_what_is_missing_and_why() {
    let coordinator = with_plane().await;
    let page = coordinator.get("/sweeps/plane").await.page();
    // Names from files are text.
    assert_has(&page, &["A plane of &lt;λ&gt; &amp; γ", "<title>10/12 · plane</title>"]);
    assert_has(
        &page,
        &[
            "digits32: latent accuracy",
            "table class=\"heat\"",
            "★ marks the largest",
            "population standard deviation",
        ],
    );
    // Cells that lack a value of a run say why.
    assert_has(
        &page,
        &[
            "2/3",
            "1 diverged",
            "1 queued (no worker has digits32)",
            "loss_ae is NaN at step 400",
            "wait for a worker",
        ],
    );
    assert_has(
        &page,
        &["acai results plane", "--format latex", "acai plot heatmap plane --x lambda --y gamma"],
    );
    assert_has(&page, &["<svg", "plot-scatter"]);
    assert!(!page.contains("https://") && !page.contains("=\"//"), "everything is relative");
}

#[tokio::test]
async fn the_numbers_are_those_of_the_use_cases_in_the_page_and_in_the_files() {
    let coordinator = with_plane().await;
    let request = TableRequest {
        group_by: Vec::new(),
        metrics: Vec::new(),
        at: At::Every(Statistic::Last),
        filter: "gamma = 0".to_owned(),
    };
    let results = coordinator.use_cases().results(&["plane".to_owned()], request).await.unwrap();
    let page = coordinator.get("/sweeps/plane?where=gamma+%3D+0").await.page();
    let csv = coordinator.get("/sweeps/plane/results.csv?where=gamma+%3D+0").await;
    assert!(csv.header("content-disposition").unwrap().contains("plane.csv"));
    let mut cells = 0;
    for aggregate in results.tables[0].rows.iter().filter_map(|row| row.aggregates[0]) {
        assert_has(&page, &[&acai_plot::figure(aggregate.mean, Some(aggregate.std))]);
        assert_has(&csv.body, &[&aggregate.mean.to_string(), &aggregate.std.to_string()]);
        cells += 1;
    }
    assert_eq!(cells, 2);
    let svg = coordinator.get("/sweeps/plane/heatmap.svg?x=lambda&y=gamma&dataset=digits32").await.page();
    assert_has(&svg, &["plot-heat-map", "xmlns", "λ = 0.5, γ = 0"]);
    let curves = coordinator.get("/sweeps/plane/curves.svg").await.page();
    assert_has(&curves, &["plot-curves"]);
    let points: serde_json::Value =
        serde_json::from_str(&coordinator.get("/sweeps/plane/curves.json?where=number+%3D+0").await.page())
            .unwrap();
    assert_eq!(points["data"][1], serde_json::json!([30.0, 55.0, 60.0]));
}

#[tokio::test]
async fn every_view_of_a_sweep_has_a_page_that_is_complete_without_scripts() {
    let coordinator = with_plane().await;
    let page = async |path: &str| coordinator.get(path).await.page();
    assert_has(&page("/").await, &["plane", "10 of 12 runs"]);
    let cell = page("/sweeps/plane/cell?dataset=digits32&is.lambda=1.0&is.gamma=0.2").await;
    assert_has(
        &cell,
        &["λ = 1, γ = 0.2", "queued", "Missing: 1 queued (no worker has digits32)", "plot-curves"],
    );
    assert_has(&page("/sweeps/plane/runs?state=diverged").await, &["1 runs", "NaN at step 400"]);
    assert_has(&page("/sweeps/plane/runs?where=lambda+%3D+0.5").await, &["6 runs"]);
    let run = page("/sweeps/plane/runs/0").await;
    assert_has(
        &run,
        &["plane/0", "eval/latent_accuracy", "plot-curves", "total_kimg", "acai metrics plane/0"],
    );
    let waiting = page("/sweeps/plane/runs/11").await;
    assert_has(&waiting, &["queued", "it is the next in the queue"]);
    assert_has(&page("/sweeps/plane/curves?group-by=lambda").await, &["λ = 0.5", "λ = 1", "plot-band"]);
    let compared = page("/sweeps/plane/compare?with=lambda+%3D+0.5&with=lambda+%3D+1").await;
    assert_has(&compared, &["Differences from", "seeds better", "95 % interval"]);
    assert_has(&page("/sweeps/plane/pictures").await, &["has a picture", "interpolations.png"]);
    assert_has(&page("/sweeps/plane/feed").await, &["acai watch plane"]);
    assert_has(&page("/workers").await, &["No worker has been heard of"]);
    assert_has(&page("/sweeps/plane/file.yaml").await, &["lambda: [0.5, 1.0]"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_answered_by_a_page_that_says_so() {
    let coordinator = with_plane().await;
    let asked = async |path: &str| {
        let answer = coordinator.get(path).await;
        (answer.status, answer.body)
    };
    for (path, status, parts) in [
        ("/sweeps/plan", 404, vec!["there is no sweep", "did you mean `plane`?"]),
        ("/sweeps/plane/runs/99", 404, vec!["plane has no run 99"]),
        ("/sweeps/plane/runs/x", 404, vec!["no number of a run"]),
        ("/no/where", 404, vec!["there is no page"]),
        ("/pictures/0000", 404, vec!["no file of this digest"]),
        (
            concat!("/pictures/", "00000000000000000000000000000000", "00000000000000000000000000000000"),
            404,
            vec!["not kept any more"],
        ),
        ("/sweeps/plane/runs?state=done", 400, vec!["no state of a run"]),
        ("/sweeps/plane/cell", 400, vec!["names no cell"]),
        ("/sweeps/plane/compare?with=nothing", 400, vec!["makes no sense"]),
        ("/sweeps/plane/runs/0/log", 404, vec!["no such log yet"]),
        // Beside the controls, so that what was typed can be mended.
        (
            "/sweeps/plane?where=lamda+%3D+1",
            200,
            vec!["lamda", "lambda", "name=\"where\" value=\"lamda = 1\""],
        ),
        ("/sweeps/plane?at=never", 200, vec!["it is one of last, final, best"]),
        ("/sweeps/plane?x=lamda&y=gamma", 200, vec!["did you mean `lambda`"]),
        ("/sweeps/plane/curves?metric=eval/latent_acuracy", 200, vec!["did you mean `eval/latent_accuracy`"]),
        ("/sweeps/plane?where=lambda+%3D+9", 200, vec!["holds for no run"]),
    ] {
        let (found, body) = asked(path).await;
        assert_eq!(found, status, "{path}: {body}");
        assert_has(&body, &parts);
        assert_has(&body, &["<!DOCTYPE html>"]);
    }
    coordinator.store.close().await;
    let (status, body) = asked("/sweeps/plane").await;
    assert_eq!(status, 503, "{body}");
    assert_has(&body, &["That did not work", "<!DOCTYPE html>"]);
}
