//! `acai plot curves`

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use acai_plot::{Band, CurveGroup, Curves, MeanPoint, Progress, Scaling};
use acai_proto::convert::{configuration, scalar};
use acai_proto::v1::{ListPointsRequest, ListRunsRequest, Run, RunState};
use acai_sweep::curve::{CurvePoint, MeanAt, means, thinned};
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::Spread;
use anyhow::anyhow;

use super::{file, group_name, open, quantity, table, width};
use crate::args::FigureArguments;
use crate::client::Client;
use crate::commands::metrics::Curves as Stream;
use crate::commands::results::by_run;
use crate::commands::runs::{Listed, filter, list};
use crate::failure::Failure;
use crate::format::value;
use crate::output::Output;

/// Points of a curve in a figure at the most.
const DRAWN: usize = 400;

/// A sweep's name, and its runs by their numbers.
type Runs = (String, BTreeMap<u32, Run>);

/// Runs of a dataset that differ in their seeds alone.
type Groups = Vec<(Vec<(String, Scalar)>, CurveGroup)>;

pub(super) async fn draw(
    figure: &FigureArguments,
    metric: Option<String>,
    log: bool,
    output: Output,
) -> Result<(), Failure> {
    let mut client = open(figure).await?;
    let metric = match metric {
        Some(metric) => metric,
        None => {
            let usual = table(&mut client, figure, Vec::new(), Vec::new()).await?;
            let sorting = usual.tables.into_iter().find_map(|table| table.metrics.into_iter().next());
            sorting.ok_or_else(|| anyhow!("the sweep has no metric to draw\nhint: --metric names one"))?.name
        }
    };
    let mut group_by = by_run(&mut client, &figure.sweeps, figure.group_by.clone()).await?;
    group_by.retain(|name| name != "seed");
    let spread: Spread = figure.spread.into();
    let mut datasets: BTreeMap<String, Groups> = BTreeMap::new();
    let mut sweeps: Vec<Runs> = Vec::new();
    for sweep in &figure.sweeps {
        sweeps.push((sweep.clone(), runs(&mut client, sweep, figure.filter.as_deref()).await?));
    }
    once_each(&mut sweeps);
    for of_sweep in &sweeps {
        collect(&mut client, of_sweep, &metric, &group_by, &mut datasets).await?;
    }
    if let Some(wanted) = &figure.dataset {
        datasets.retain(|dataset, _| dataset == wanted);
    }
    let curves = |groups: Groups| Curves {
        title: figure.title.clone(),
        progress: Progress::Kimg,
        progress_scaling: Scaling::Linear,
        metric: acai_plot::Quantity {
            scaling: if log { Scaling::Log } else { Scaling::Linear },
            ..quantity(&metric)
        },
        band: Some(Band::PlusMinus(spread)),
        groups: groups.into_iter().map(|(_, group)| finished(group, spread)).collect(),
        width: width(figure),
    };
    let with_points = datasets.into_iter().filter(|(_, groups)| {
        groups.iter().any(|(_, group)| group.seeds.iter().any(|seed| !seed.is_empty()))
    });
    let figures: Vec<(String, String)> =
        with_points.map(|(dataset, groups)| (dataset, curves(groups).to_svg())).collect();
    if figures.is_empty() {
        return Err(anyhow!("no run has points of `{metric}` yet").into());
    }
    Ok(file::write(figure, &figures, output)?)
}

/// The runs of a sweep for which the condition holds, by number.
async fn runs(
    client: &mut Client,
    sweep: &str,
    condition: Option<&str>,
) -> Result<BTreeMap<u32, Run>, Failure> {
    let request = ListRunsRequest { sweep: sweep.to_owned(), ..ListRunsRequest::default() };
    let mut runs: Vec<Listed> = list(client, request).await?.into_iter().map(Listed::new).collect();
    if let Some(text) = condition {
        filter(&mut runs, text)?;
    }
    Ok(runs.into_iter().map(|listed| (listed.run.number, listed.run)).collect())
}

/// Leaves a run that several sweeps have to one that has completed it, or else to the first: it is one observation.
fn once_each(sweeps: &mut [Runs]) {
    // A run of another version, which this one cannot read, is like no other.
    let key = |run: &Run| Some((configuration(&run.configuration).ok()?.config_hash(), run.seed));
    let is_completed = |run: &Run| run.state() == RunState::Completed;
    let mut chosen: HashMap<(String, u64), (usize, &Run)> = HashMap::new();
    for (sweep, (_, runs)) in sweeps.iter().enumerate() {
        for (key, run) in runs.values().filter_map(|run| Some((key(run)?, run))) {
            match chosen.entry(key) {
                Entry::Vacant(place) => {
                    place.insert((sweep, run));
                }
                Entry::Occupied(mut place) => {
                    if !is_completed(place.get().1) && is_completed(run) {
                        place.insert((sweep, run));
                    }
                }
            }
        }
    }
    let chosen: HashMap<_, _> =
        chosen.into_iter().map(|(key, (sweep, run))| (key, (sweep, run.number))).collect();
    for (sweep, (_, runs)) in sweeps.iter_mut().enumerate() {
        runs.retain(|number, run| key(run).is_none_or(|key| chosen.get(&key) == Some(&(sweep, *number))));
    }
}

/// Adds the curves of these runs of a sweep to the groups of their datasets.
async fn collect(
    client: &mut Client,
    (sweep, runs): &Runs,
    metric: &str,
    group_by: &[String],
    datasets: &mut BTreeMap<String, Groups>,
) -> Result<(), Failure> {
    let request =
        ListPointsRequest { sweep: sweep.clone(), metric: metric.to_owned(), ..ListPointsRequest::default() };
    let mut curves = Stream(client.list_points(request).await?.into_inner());
    while let Some(curve) = curves.next().await? {
        let Some(run) = runs.get(&curve.number).filter(|_| !curve.steps.is_empty()) else { continue };
        let of = |name: &str| run.configuration.iter().find(|parameter| parameter.name == name);
        let dataset = of("dataset").map(value).unwrap_or_default();
        let group: Vec<(String, Scalar)> = group_by
            .iter()
            .filter(|name| *name != "dataset")
            .filter_map(|name| Some((name.clone(), scalar(of(name)?).ok()?)))
            .collect();
        let points = curve.steps.iter().zip(&curve.values).map(|(&step, &value)| CurvePoint { step, value });
        let groups = datasets.entry(dataset).or_default();
        let place = groups.iter().position(|(known, _)| *known == group).unwrap_or_else(|| {
            let batch = of("batch").and_then(|batch| value(batch).parse().ok()).unwrap_or(1);
            let new = CurveGroup {
                name: group_name(&group),
                images_per_step: batch,
                seeds: Vec::new(),
                mean: Vec::new(),
            };
            groups.push((group.clone(), new));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(place) {
            group.seeds.push(points.collect());
        }
    }
    Ok(())
}

/// A group with the means of its seeds, thinned to what a figure can show.
fn finished(mut group: CurveGroup, spread: Spread) -> CurveGroup {
    let means = means(&group.seeds);
    let line: Vec<CurvePoint> =
        means.iter().map(|mean| CurvePoint { step: mean.step, value: mean.mean }).collect();
    let kept = thinned(&line, DRAWN);
    let is_kept = |mean: &&MeanAt| kept.iter().any(|point| point.step == mean.step);
    group.mean = means.iter().filter(is_kept).map(|mean| MeanPoint::of(mean, spread)).collect();
    group.seeds = group.seeds.iter().map(|seed| thinned(seed, DRAWN)).collect();
    group
}
