//! Acknowledged points are stored, with their bits.

use std::collections::{BTreeMap, BTreeSet};

use super::eras::remembered;
use super::snapshot::{Evidence, PointRow};
use super::verdict::{Verdict, ViolationKind};
use crate::journal::{AttemptId, Point, What};

type Place<'e> = (u64, &'e str, u64);

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let mut stored: BTreeMap<Place<'_>, Vec<&PointRow>> = BTreeMap::new();
    for row in &evidence.snapshot.points {
        stored.entry((row.run, &row.point.name, row.point.step)).or_default().push(row);
    }
    let acknowledged = acknowledged(evidence);
    verdict.points_acknowledged = acknowledged.len() as u64;
    let mut judged = BTreeSet::new();
    for ((attempt, seq), points) in &acknowledged {
        for point in points {
            if !judged.insert((*attempt, *point)) {
                continue;
            }
            let rows = stored.get(&(attempt.run, point.name.as_str(), point.step));
            judge(*attempt, *seq, point, rows.map_or(&[], Vec::as_slice), verdict);
        }
    }
}

/// Every acknowledged point by its number. Two answers may have acknowledged the same number; all that they
/// acknowledged under it counts.
fn acknowledged(evidence: &Evidence) -> BTreeMap<(AttemptId, u64), BTreeSet<&Point>> {
    let mut acknowledged: BTreeMap<_, BTreeSet<&Point>> = BTreeMap::new();
    for entry in remembered(evidence) {
        if let What::Reported { attempt, first_seq, acked_seq, points } = &entry.what {
            for (seq, point) in (*first_seq..=*acked_seq).zip(points) {
                acknowledged.entry((*attempt, seq)).or_default().insert(point);
            }
        }
    }
    acknowledged
}

fn judge(attempt: AttemptId, seq: u64, point: &Point, rows: &[&PointRow], verdict: &mut Verdict) {
    let AttemptId { run, number, .. } = attempt;
    let Point { name, step, bits } = point;
    let acknowledged = format!("point {seq} of attempt {number} of run {run}, `{name}` at step {step}");
    if rows.is_empty() {
        verdict.add(ViolationKind::Lost, format!("{acknowledged}, was acknowledged and is not stored"));
    } else if rows.iter().all(|row| row.point.bits != without_sign_of_zero(*bits)) {
        let found = f64::from_bits(rows[0].point.bits);
        let (value, by) = (f64::from_bits(*bits), rows[0].attempt);
        let what = format!(
            "{acknowledged}, was acknowledged as {value:?} and is stored as {found:?} by attempt {by}"
        );
        verdict.add(ViolationKind::Altered, what);
    }
}

/// The store promises all bits but this one, which SQLite does not keep.
fn without_sign_of_zero(bits: u64) -> u64 {
    if f64::from_bits(bits) == 0.0 { 0 } else { bits }
}
