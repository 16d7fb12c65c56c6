//! Points of metrics.

use std::collections::BTreeMap;

use acai_sweep::curve::CurvePoint;
use acai_sweep::results::Summary;

use super::state::{Run, State};
use crate::store::{AttemptRef, Point, Result, StoreError};

/// A metric of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Metric {
    /// Values by their steps, each with the number of the attempt that it is of.
    pub(super) points: BTreeMap<u64, (f64, u32)>,
    /// Of the values, added one by one as they came; or in the order of their steps, once one of them was replaced. The order
    /// decides the last bits.
    sum: f64,
}

impl Metric {
    pub(super) fn last(&self) -> Option<CurvePoint> {
        self.points.last_key_value().map(|(&step, &(value, _))| CurvePoint { step, value })
    }

    pub(super) fn summary(&self) -> Summary {
        let values = self.points.values().map(|(value, _)| *value);
        Summary {
            last: values.clone().next_back().unwrap_or_default(),
            min: values.clone().fold(f64::INFINITY, f64::min),
            max: values.fold(f64::NEG_INFINITY, f64::max),
            mean: self.sum / self.points.len() as f64,
        }
    }

    fn add(&mut self, value: f64) {
        self.sum = (self.sum + value).clamp(f64::MIN, f64::MAX);
    }

    /// Adds the sum up again.
    fn add_up(&mut self) {
        self.sum = 0.0;
        for value in self.points.values().map(|(value, _)| *value).collect::<Vec<_>>() {
            self.add(value);
        }
    }
}

impl Run {
    /// Adds points. One that is there is kept if it is equal, and replaced if not; answers how many were replaced.
    pub(super) fn add_points(&mut self, attempt: u32, points: &[Point]) -> u64 {
        let mut replayed = Vec::new();
        for Point { name, step, value } in points {
            // Zero has one sign.
            let value = value + 0.0;
            let metric = self.metrics.entry(name.clone()).or_default();
            if metric.points.contains_key(step) {
                replayed.push((name, *step, value));
            } else {
                metric.points.insert(*step, (value, attempt));
                metric.add(value);
            }
        }
        let mut replaced = 0;
        for (name, step, value) in replayed {
            let Some(metric) = self.metrics.get_mut(name) else { continue };
            let before = metric.points.get(&step).map(|(before, _)| *before);
            if before != Some(value) {
                replaced += 1;
                metric.points.insert(step, (value, attempt));
                metric.add_up();
            }
        }
        replaced
    }
}

impl State {
    /// Appends an attempt's points, numbered from `first_seq`; answers the highest number up to which all are durable.
    pub(super) fn append(
        &mut self,
        attempt: AttemptRef,
        first_seq: u64,
        points: &[Point],
        step: u64,
    ) -> Result<u64> {
        let run = self.held(attempt)?;
        run.check_step(step)?;
        run.step = run.step.max(step);
        let acked = run.acked_seq(attempt);
        // Nothing after a gap.
        let Some(known) = (acked + 1).checked_sub(first_seq) else { return Ok(acked) };
        let news = usize::try_from(known).ok().and_then(|known| points.get(known..)).unwrap_or_default();
        let replaced = run.add_points(attempt.number, news);
        let acked = acked + news.len() as u64;
        if let Some(held) = run.attempts.last_mut() {
            held.acked_seq = acked;
            held.replay_mismatches += replaced;
        }
        Ok(acked)
    }
}

impl Run {
    /// The points 1 to this number of the attempt are durable.
    pub(super) fn acked_seq(&self, attempt: AttemptRef) -> u64 {
        let place = (attempt.number as usize).checked_sub(1);
        place.and_then(|place| self.attempts.get(place)).map_or(0, |attempt| attempt.acked_seq)
    }

    /// Refuses a step beyond the run's last one.
    pub(super) fn check_step(&self, step: u64) -> Result<()> {
        if step > self.total_steps {
            let total = self.total_steps;
            return Err(StoreError::Conflict(format!("the run has {total} steps, not {step}")));
        }
        Ok(())
    }
}
