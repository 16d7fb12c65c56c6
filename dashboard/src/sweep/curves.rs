//! Curves of a metric over training, by groups of runs that differ in their seeds alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use acai_coordinator::use_cases::CurveRequest;
use acai_plot::{Band, CurveGroup, Curves, MeanPoint, Progress, Scaling, Width};
use acai_sweep::curve::{CurvePoint, means, thinned};
use acai_sweep::metric::EVALUATION;
use acai_sweep::results::{Member, Row, SEED};
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::Spread;
use acai_sweep::training::IMAGES_PER_KIMG;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use super::{controls, frame, progress};
use crate::asked::{Asked, link, of_sweep};
use crate::command::Form;
use crate::figures::{by_values, quantity};
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::sweep::downloads;
use crate::view::{PARTS, View};
use crate::words;

/// Groups of a figure: no more can be told apart.
const GROUPS: usize = 12;
/// Points that are read for a page at the most.
const POINTS: usize = 1_000_000;
/// Points of a line.
const DRAWN: usize = 300;
/// Up to so many runs each has a line of its own where lines can be zoomed.
const SINGLE_LINES: usize = 60;
/// Not shown, but needed to count images.
const BATCH: &str = "batch";

/// Curves of a metric, by dataset.
pub(crate) struct Drawn {
    pub(crate) metric: String,
    datasets: Vec<(String, Vec<CurveGroup>)>,
    /// Groups that are not drawn.
    left_out: usize,
}

impl Drawn {
    /// The groups of the first dataset.
    pub(crate) fn first(&self) -> Option<&[CurveGroup]> {
        self.datasets.first().map(|(_, groups)| groups.as_slice())
    }
}

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let view = View::of(&asked.question);
    let metrics = site.use_cases.metrics(&sweep).await?;
    let drawn = draw(&site, &sweep, &view).await;
    let content = html! {
        h1 { "Curves" }
        (progress::bar(&overview))
        form.controls #controls action=(asked.path) aria-label="What is shown" {
            (controls::choice("Metric", "metric", drawn.as_ref().ok().map(|it| it.metric.as_str()), &metrics, None))
            (controls::groups("A group for each", &asked))
            (controls::conditions(&view, &asked))
            button { "Show" }
        }
        @match &drawn {
            Err(problem) => section.problem role="alert" { pre { (problem.message()) } },
            Ok(drawn) => (figures(&sweep, drawn, &view, &asked)?),
        }
    };
    Ok(document(&frame(&asked, &overview, "Curves"), &content).into_response())
}

fn figures(sweep: &str, drawn: &Drawn, view: &View, asked: &Asked) -> Result<Markup> {
    let spread = view.spread()?;
    let question = asked.question.only(&PARTS).with("metric", &drawn.metric);
    let to = |dataset: &str, end: &str| {
        link(&format!("{}/{end}", of_sweep(sweep)), &question.with("dataset", dataset))
    };
    let command = |dataset: &str| {
        view.command(&["plot", "curves", sweep])
            .option("metric", Some(&drawn.metric))
            .option("group-by", Some(view.group_by.join(",").as_str()).filter(|names| !names.is_empty()))
            .option("dataset", Some(dataset))
            .word("-o curves.svg")
    };
    Ok(html! {
        @if drawn.datasets.is_empty() { p.empty { "No run has points of " code { (drawn.metric) } " yet." } }
        @for (dataset, groups) in &drawn.datasets {
            section {
                h2 { (dataset) ": " (words::metric(&drawn.metric)) }
                (figure(&to(dataset, "curves.json"), &svg_of(&drawn.metric, groups.clone(), spread, Width::TwoColumns)))
                (command(dataset).shown(&[Form::File("SVG", to(dataset, "curves.svg")), Form::File("CSV", to(dataset, "curves.csv"))]))
            }
        }
        @if drawn.left_out > 0 {
            p.warning { (drawn.left_out) " more groups are not drawn: a condition or fewer parameters in a group show others." }
        }
    })
}

/// A figure that scripts replace by one that can be zoomed; they ask `data` for its points.
pub(crate) fn figure(data: &str, svg: &str) -> Markup {
    html! { figure.curves data-curves=(data) { div.drawn { (PreEscaped(svg)) } } }
}

pub(crate) fn svg_of(metric: &str, groups: Vec<CurveGroup>, spread: Spread, width: Width) -> String {
    let figure = Curves {
        title: String::new(),
        progress: Progress::Kimg,
        progress_scaling: Scaling::Linear,
        metric: quantity(metric),
        band: Some(Band::PlusMinus(spread)),
        groups,
        width,
    };
    figure.to_svg()
}

pub(crate) async fn svg(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let drawn = draw(&site, &sweep, &view).await?;
    let (_, groups) = one(drawn.datasets)?;
    let svg = svg_of(&drawn.metric, groups, view.spread()?, Width::OneColumn);
    Ok(downloads::svg(&format!("{sweep}-curves.svg"), svg))
}

fn one(datasets: Vec<(String, Vec<CurveGroup>)>) -> Result<(String, Vec<CurveGroup>)> {
    datasets.into_iter().next().ok_or_else(|| Problem::not_found("no run has points of this metric yet"))
}

/// Every point of the runs that a view is about, as `acai metrics --format csv` prints them.
pub(crate) async fn csv(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let (metric, _) = metric_and_groups(&site, &sweep, &view).await?;
    // A row a run: those that the condition holds for.
    let tables = view.tables(&site, &sweep, &[]).await?.tables;
    let members = tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.members);
    let members: BTreeMap<u32, &Member> = members.map(|member| (member.number, member)).collect();
    let curves = read(&site, &sweep, &metric, members.keys().copied().collect()).await?;
    let mut rows = Vec::new();
    for (number, member) in &members {
        for point in curves.get(number).into_iter().flatten() {
            let of_run =
                [sweep.clone(), number.to_string(), member.seed.to_string(), member.state.to_string()];
            let of_point = [metric.clone(), point.step.to_string(), point.value.to_string()];
            rows.push([&of_run[..], &of_point[..]].concat());
        }
    }
    let headings = ["sweep", "run", "seed", "state", "metric", "step", "value"];
    downloads::rows(&format!("{sweep}-curves"), &headings, &rows)
}

/// The points of one dataset's curves, for scripts.
pub(crate) async fn json(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let drawn = draw(&site, &sweep, &view).await?;
    let (_, groups) = one(drawn.datasets)?;
    let text = aligned(&drawn.metric, &groups, view.spread()?).to_string();
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

/// Lines over one axis that all share: for each group its mean and the ends of its band, and its runs where they are few.
fn aligned(metric: &str, groups: &[CurveGroup], spread: Spread) -> Value {
    let runs: usize = groups.iter().map(|group| group.seeds.len()).sum();
    let kimg = |group: &CurveGroup, step: u64| (step * group.images_per_step) as f64 / IMAGES_PER_KIMG;
    let mut axis: BTreeSet<u64> = BTreeSet::new();
    let mut lines: Vec<(Value, HashMap<u64, f64>)> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let mut add = |kind: &str, points: Vec<(u64, f64)>| {
            let points: HashMap<u64, f64> =
                points.into_iter().map(|(step, value)| (kimg(group, step).to_bits(), value)).collect();
            axis.extend(points.keys());
            lines.push((json!({"group": place, "kind": kind, "name": group.name}), points));
        };
        if runs <= SINGLE_LINES {
            for seed in &group.seeds {
                add("run", seed.iter().map(|point| (point.step, point.value)).collect());
            }
        }
        if group.seeds.len() > 1 || runs > SINGLE_LINES {
            let line =
                |of: fn(&MeanPoint) -> f64| group.mean.iter().map(|point| (point.step, of(point))).collect();
            add("low", line(|point| point.interval.low));
            add("high", line(|point| point.interval.high));
            add("mean", line(|point| point.interval.mean));
        }
    }
    // The bits of numbers that are not negative are in the order of the numbers.
    let column = |points: &HashMap<u64, f64>| -> Value {
        axis.iter()
            .map(|x| {
                points.get(x).filter(|value| value.is_finite()).map_or(Value::Null, |value| json!(value))
            })
            .collect()
    };
    let mut data: Vec<Value> = vec![axis.iter().map(|x| json!(f64::from_bits(*x))).collect()];
    data.extend(lines.iter().map(|(_, points)| column(points)));
    json!({
        "metric": metric,
        "spread": spread.words(),
        "groups": groups.iter().map(|group| json!({"name": group.name, "n": group.seeds.len()})).collect::<Vec<_>>(),
        "lines": lines.into_iter().map(|(line, _)| line).collect::<Vec<_>>(),
        "data": data,
    })
}

/// The curves of a view: of its metric, or the one that the sweep is judged by.
pub(crate) async fn draw(site: &Site, sweep: &str, view: &View) -> Result<Drawn> {
    let (metric, mut group_by) = metric_and_groups(site, sweep, view).await?;
    group_by.retain(|name| name != SEED && name != BATCH);
    group_by.push(BATCH.to_owned());
    let tables = view.tables(site, sweep, &group_by).await?.tables;
    let mut drawn = Drawn { metric, datasets: Vec::new(), left_out: 0 };
    let rows = |rows: &[Row]| rows.len().min(GROUPS);
    let numbers: Vec<u32> = tables
        .iter()
        .flat_map(|table| &table.rows[..rows(&table.rows)])
        .flat_map(|row| row.members.iter().map(|member| member.number))
        .collect();
    let curves = read(site, sweep, &drawn.metric, numbers).await?;
    for table in tables {
        let shown = rows(&table.rows);
        drawn.left_out += table.rows.len() - shown;
        let rows = by_values(&table.rows[..shown]);
        let groups: Vec<CurveGroup> =
            rows.into_iter().map(|row| group(row, &curves, view)).collect::<Result<_>>()?;
        if groups.iter().any(|group| !group.seeds.is_empty()) {
            drawn.datasets.push((table.dataset, groups));
        }
    }
    Ok(drawn)
}

/// What a view asks for, or else the metric that the sweep is judged by and the parameters that it varies.
async fn metric_and_groups(site: &Site, sweep: &str, view: &View) -> Result<(String, Vec<String>)> {
    if let (Some(metric), [_, ..]) = (&view.metric, view.group_by.as_slice()) {
        return Ok((metric.clone(), view.group_by.clone()));
    }
    let usual = view.tables(site, sweep, &[]).await?.tables.into_iter().next();
    let metric = match &view.metric {
        Some(metric) => metric.clone(),
        None => usual_metric(site, sweep, usual.as_ref().and_then(|table| table.metrics.first())).await?,
    };
    let varied = usual.map(|table| table.group_by).unwrap_or_default();
    Ok((metric, if view.group_by.is_empty() { varied } else { view.group_by.clone() }))
}

/// Before a run is completed: the first score that was reported, or else the first metric.
async fn usual_metric(
    site: &Site,
    sweep: &str,
    sorting: Option<&acai_sweep::metric::Metric>,
) -> Result<String> {
    if let Some(metric) = sorting {
        return Ok(metric.name.clone());
    }
    let names = site.use_cases.metrics(sweep).await?;
    let score = names.iter().find(|name| name.starts_with(EVALUATION)).or(names.first());
    score.cloned().ok_or_else(|| Problem::not_found("no run has reported anything yet"))
}

/// The curves of these runs, by number.
async fn read(
    site: &Site,
    sweep: &str,
    metric: &str,
    numbers: Vec<u32>,
) -> Result<HashMap<u32, Vec<CurvePoint>>> {
    let mut curves: HashMap<u32, Vec<CurvePoint>> = HashMap::new();
    if numbers.is_empty() {
        return Ok(curves);
    }
    let request = CurveRequest { numbers, metric: metric.to_owned(), from_step: 0, most: None };
    let mut parts = site.use_cases.curves(sweep, request).await?;
    let mut read = 0;
    while let Some(part) = parts.next().await {
        let part = part?;
        read += part.points.len();
        if read > POINTS {
            let words =
                format!("these curves have more than {POINTS} points\nhint: a condition leaves fewer runs");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words));
        }
        curves.entry(part.run.number).or_default().extend(part.points);
    }
    Ok(curves)
}

fn group(row: &Row, curves: &HashMap<u32, Vec<CurvePoint>>, view: &View) -> Result<CurveGroup> {
    let spread = view.spread()?;
    let batch = row.group.iter().find(|(name, _)| name == BATCH).map(|(_, value)| value);
    let of_members = row.members.iter().filter_map(|member| curves.get(&member.number));
    let whole: Vec<Vec<CurvePoint>> = of_members.filter(|curve| !curve.is_empty()).cloned().collect();
    let means = means(&whole);
    let line: Vec<CurvePoint> =
        means.iter().map(|mean| CurvePoint { step: mean.step, value: mean.mean }).collect();
    let kept: BTreeSet<u64> = thinned(&line, DRAWN).iter().map(|point| point.step).collect();
    Ok(CurveGroup {
        name: words::group(row.group.iter().filter(|(name, _)| name != BATCH)),
        images_per_step: match batch {
            Some(Scalar::Int(batch)) => u64::try_from(*batch).unwrap_or(1),
            _ => 1,
        },
        seeds: whole.iter().map(|curve| thinned(curve, DRAWN)).collect(),
        mean: means
            .iter()
            .filter(|mean| kept.contains(&mean.step))
            .map(|mean| MeanPoint::of(mean, spread))
            .collect(),
    })
}
