//! Points of a metric, run by run.

use std::ops::RangeInclusive;
use std::sync::Arc;

use acai_sweep::curve::{CurvePoint, Thinner};
use acai_sweep::metric::check_name;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Result, UseCaseError, UseCases};
use crate::store::{CurveRun, PointOfRun, RunId, Store};

/// Runs whose points are read together.
const RUNS: u32 = 64;
/// Points that are read at a time, and that a part of a curve has at the most.
const POINTS: usize = 10_000;
/// Parts that wait for a reader at the most.
const AHEAD: usize = 4;
/// What a curve is thinned to by whoever wants to know no more than its last point.
const LAST: u32 = 1;
/// How many points a curve may be thinned to otherwise.
const MOST: RangeInclusive<u32> = Thinner::FEWEST as u32..=10_000;

/// Which points a person wants to see.
#[derive(Debug, Clone)]
pub struct CurveRequest {
    /// Numbers of runs; empty: all runs of the plan.
    pub numbers: Vec<u32>,
    /// Such as `eval/mean_distance`.
    pub metric: String,
    /// Only points of this step or a later one.
    pub from_step: u64,
    /// Thin each run's curve to this many points; 1: to its last point; `None`: every point.
    pub most: Option<u32>,
}

/// A run's curve, or a part of one that is long.
#[derive(Debug, Clone)]
pub struct CurvePart {
    /// Whose.
    pub run: CurveRun,
    /// In the order of their steps.
    pub points: Vec<CurvePoint>,
    /// Some of the run's points are left out.
    pub is_thinned: bool,
    /// The run has no more points than these and those of the parts before.
    pub is_last: bool,
}

/// Curves as they are read.
pub type Curves = ReceiverStream<Result<CurvePart>>;

impl UseCases {
    /// A metric's points of each run, in the order of the runs' numbers. A run without any has a curve without points: none
    /// is left out. The next points are read when the last are taken, so that a sweep of any size takes little memory.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), [`NoSuchRun`](UseCaseError::NoSuchRun), a metric that no run of the plan
    /// has reported; later on, the store's.
    pub async fn curves(&self, sweep: &str, request: CurveRequest) -> Result<Curves> {
        if let Some(most) = request.most.filter(|&most| most != LAST && !MOST.contains(&most)) {
            let (fewest, limit) = (MOST.start(), MOST.end());
            let problem = format!(
                "is {most}: a curve is thinned to its last point, or to {fewest} points or more, and to {limit} at the most"
            );
            return Err(UseCaseError::Question { part: "most", problem });
        }
        self.check_numbers(sweep, &request.numbers).await?;
        self.check_metric(sweep, &request.metric).await?;
        let mut reading = Reading::new(Arc::clone(&self.store), sweep, request);
        // What is wrong with the question is found before anything is answered.
        let first = reading.next_runs().await?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            if let Err(error) = reading.send_all(first, &sender).await {
                // Fails if nobody reads any more.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    /// Names of the metrics that runs of the sweep's plan have reported.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep).
    pub async fn metrics(&self, sweep: &str) -> Result<Vec<String>> {
        let metrics = self.store.metric_list(sweep).await?;
        if metrics.is_empty() {
            self.check_sweep(sweep).await?;
        }
        Ok(metrics)
    }

    /// Refuses a metric that no run of the sweep has reported, where runs have reported others.
    async fn check_metric(&self, sweep: &str, metric: &str) -> Result<()> {
        let known = self.metrics(sweep).await?;
        if known.is_empty() || known.iter().any(|name| name == metric) {
            return Ok(());
        }
        let hint = match check_name(metric).err().and_then(|unknown| unknown.hint) {
            Some(hint) => hint,
            None => match known.iter().find(|name| name.rsplit('/').next() == Some(metric)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("there are {}", known.join(", ")),
            },
        };
        let problem = format!("is `{metric}`, which no run of {sweep} has reported\nhint: {hint}");
        Err(UseCaseError::Question { part: "metric", problem })
    }
}

/// What is left to be read.
struct Reading {
    store: Arc<dyn Store>,
    sweep: String,
    request: CurveRequest,
    /// The runs that are read next: from this number on, and of the named ones from this place on.
    next_number: u32,
    next_named: usize,
}

impl Reading {
    fn new(store: Arc<dyn Store>, sweep: &str, mut request: CurveRequest) -> Reading {
        request.numbers.sort_unstable();
        request.numbers.dedup();
        Reading { store, sweep: sweep.to_owned(), request, next_number: 0, next_named: 0 }
    }

    /// The next runs; none when there are no more.
    async fn next_runs(&mut self) -> Result<Vec<CurveRun>> {
        let CurveRequest { numbers, metric, .. } = &self.request;
        let named = &numbers[self.next_named..numbers.len().min(self.next_named + RUNS as usize)];
        if named.is_empty() && !numbers.is_empty() {
            return Ok(Vec::new());
        }
        let runs = self.store.curve_runs(&self.sweep, named, metric, (self.next_number, RUNS)).await?;
        self.next_named += named.len();
        self.next_number = runs.last().map_or(self.next_number, |run| run.number.saturating_add(1));
        Ok(runs)
    }

    async fn send_all(&mut self, first: Vec<CurveRun>, to: &mpsc::Sender<Result<CurvePart>>) -> Result<()> {
        let mut runs = first;
        while !runs.is_empty() {
            if !self.send(&runs, to).await? {
                return Ok(());
            }
            runs = self.next_runs().await?;
        }
        Ok(())
    }

    /// Sends the curves of these runs; false when nobody reads them any more.
    async fn send(&self, runs: &[CurveRun], to: &mpsc::Sender<Result<CurvePart>>) -> Result<bool> {
        let from_step = self.request.from_step;
        if self.request.most == Some(LAST) {
            return Ok(send_last(runs, from_step, to).await);
        }
        let mut curves =
            runs.iter().map(|run| Curve::new(run, &self.request)).collect::<Vec<_>>().into_iter();
        let (mut current, mut next_step) = (curves.next(), from_step);
        while let Some(curve) = &current {
            let left = curves.as_slice().iter().map(|curve| (curve.run.id, from_step));
            let asked: Vec<(RunId, u64)> = std::iter::once((curve.run.id, next_step)).chain(left).collect();
            let points = self.store.point_list(&asked, &self.request.metric, POINTS).await?;
            let is_all = points.len() < POINTS;
            let last = points.last().copied();
            for point in points {
                // Points come run by run: the runs before this one have no more.
                while let Some(whole) = current.take_if(|curve| curve.run.id != point.run) {
                    if to.send(Ok(whole.finish())).await.is_err() {
                        return Ok(false);
                    }
                    current = curves.next();
                }
                if let Some(curve) = &mut current {
                    curve.push(point);
                }
            }
            let parts: Vec<CurvePart> = if is_all {
                current.take().into_iter().chain(curves.by_ref()).map(Curve::finish).collect()
            } else {
                next_step = last.map_or(next_step, |point| point.step + 1);
                current.as_mut().and_then(Curve::take_part).into_iter().collect()
            };
            for part in parts {
                if to.send(Ok(part)).await.is_err() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Sends the last points of these runs, which are known without reading all points; false when nobody reads them any more.
async fn send_last(runs: &[CurveRun], from_step: u64, to: &mpsc::Sender<Result<CurvePart>>) -> bool {
    for run in runs {
        let points = run.last.into_iter().filter(|point| point.step >= from_step).collect();
        let part = CurvePart { run: run.clone(), points, is_thinned: run.points > 1, is_last: true };
        if to.send(Ok(part)).await.is_err() {
            return false;
        }
    }
    true
}

/// A run's curve while it is read.
struct Curve {
    run: CurveRun,
    points: Vec<CurvePoint>,
    thinner: Option<Thinner>,
}

impl Curve {
    fn new(run: &CurveRun, request: &CurveRequest) -> Curve {
        let most = request.most.filter(|&most| run.points > u64::from(most));
        let steps = request.from_step..=run.last.map_or(0, |point| point.step);
        let thinner = most.map(|most| Thinner::new(&steps, most as usize));
        Curve { run: run.clone(), points: Vec::new(), thinner }
    }

    fn push(&mut self, PointOfRun { step, value, .. }: PointOfRun) {
        let point = CurvePoint { step, value };
        match &mut self.thinner {
            Some(thinner) => thinner.push(point),
            None => self.points.push(point),
        }
    }

    /// What there is of a curve that goes on; nothing of one that is thinned, which is sent as a whole.
    fn take_part(&mut self) -> Option<CurvePart> {
        let points = std::mem::take(&mut self.points);
        let part = CurvePart { run: self.run.clone(), points, is_thinned: false, is_last: false };
        Some(part).filter(|part| !part.points.is_empty())
    }

    fn finish(self) -> CurvePart {
        let is_thinned = self.thinner.is_some();
        let points = self.thinner.map_or(self.points, Thinner::finish);
        CurvePart { run: self.run, points, is_thinned, is_last: true }
    }
}
