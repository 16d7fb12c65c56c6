//! What pages say: the same as the use cases, without scripts, and never nothing.

use acai_coordinator::use_cases::{At, TableRequest};
use acai_sweep::results::Statistic;

use crate::{Coordinator, assert_has, import_plane, on_each_store};

on_each_store!(
    a_sweep_shows_its_plane_its_table_and_what_is_missing_and_why,
    the_numbers_are_those_of_the_use_cases_in_the_page_and_in_the_files,
    every_view_of_a_sweep_has_a_page_that_is_complete_without_scripts,
    sides_are_compared_by_pairs_of_a_seed_and_only_on_one_dataset,
    what_makes_no_sense_is_answered_by_a_page_that_says_so,
);

async fn a_sweep_shows_its_plane_its_table_and_what_is_missing_and_why(coordinator: Coordinator) {
    import_plane(&coordinator.use_cases()).await;
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

async fn the_numbers_are_those_of_the_use_cases_in_the_page_and_in_the_files(coordinator: Coordinator) {
    import_plane(&coordinator.use_cases()).await;
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

async fn every_view_of_a_sweep_has_a_page_that_is_complete_without_scripts(coordinator: Coordinator) {
    import_plane(&coordinator.use_cases()).await;
    let page = async |path: &str| coordinator.get(path).await.page();
    assert_has(&page("/").await, &["plane", "10 of 12 runs"]);
    let cell = page("/sweeps/plane/cell?dataset=digits32&is.lambda=1.0&is.gamma=0.2").await;
    assert_has(
        &cell,
        &["λ = 1, γ = 0.2", "queued", "Missing: 1 queued (no worker has digits32)", "plot-curves"],
    );
    assert_has(&page("/sweeps/plane/runs?state=diverged").await, &["1 run<", "NaN at step 400"]);
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

async fn sides_are_compared_by_pairs_of_a_seed_and_only_on_one_dataset(coordinator: Coordinator) {
    import_plane(&coordinator.use_cases()).await;
    // Each side has two runs of each of three seeds, of which one diverged and one waits.
    let sides = "with=lambda+%3D+0.5&with=lambda+%3D+1";
    let csv = coordinator.get(&format!("/sweeps/plane/differences.csv?{sides}")).await.page();
    let accuracy: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(accuracy[..2], ["eval/latent_accuracy", "lambda = 1"]);
    // By hand from the scores of import_plane: 60 + 1.25 · place, in the order of the plan.
    let score = |place: f64| 60.0 + 1.25 * place;
    let (seed_0, seed_1) = (
        (score(2.0) + score(3.0)) / 2.0 - (score(0.0) + score(1.0)) / 2.0,
        (score(6.0) + score(7.0)) / 2.0 - (score(4.0) + score(5.0)) / 2.0,
    );
    let (mean, n): (f64, u32) = (accuracy[2].parse().unwrap(), accuracy[4].parse().unwrap());
    assert_eq!(n, 2, "seed 2 has no value on the other side: {csv}");
    assert!((mean - (seed_0 + seed_1) / 2.0).abs() < 1e-9, "{csv}");
    let page = coordinator.get(&format!("/sweeps/plane/compare?{sides}")).await.page();
    assert_has(
        &page,
        &["Of several runs of a seed, their mean counts", "1/2 seeds better"]
            .map(|part| part.replace("1/2", "2/2"))
            .each_ref()
            .map(String::as_str),
    );
    let latex = coordinator.get(&format!("/sweeps/plane/compare.tex?{sides}")).await.page();
    assert_has(&latex, &["\\toprule", "lambda = 0.5 & 6 &", "\\label{tab:plane-compared-digits32}"]);
    assert_has(
        &coordinator.get(&format!("/sweeps/plane/compare.svg?{sides}")).await.page(),
        &["plot-curves"],
    );
    let several = coordinator.get("/sweeps/plane/compare?with=gamma+%3D+9").await;
    assert_eq!(several.status, 400, "{several:?}");
}

async fn what_makes_no_sense_is_answered_by_a_page_that_says_so(coordinator: Coordinator) {
    import_plane(&coordinator.use_cases()).await;
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
        ("/sweeps/plane?wheer=lambda+%3D+1", 400, vec!["`wheer`", "did you mean `where`"]),
        ("/sweeps/plane?sort=gama", 200, vec!["names no column `gama`", "did you mean `gamma`"]),
        ("/sweeps/plane/results.tex?where=lamda+%3D+1", 400, vec!["lamda", "lambda"]),
        ("/sweeps/plane/sheet.svg", 404, vec!["has a picture"]),
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
