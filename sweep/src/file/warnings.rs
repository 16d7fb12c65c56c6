//! What a file asks for that no run can do: nothing to refuse, but not what its author hopes for.

use std::collections::{HashMap, HashSet};

use super::error::Fault;
use super::place::Place;
use super::space::Space;
use crate::metric::{Metric, did_you_mean_score, may_be_reported_on};
use crate::plan::Plan;
use crate::scalar::Scalar;
use crate::spelling::{listed, quoted};
use crate::training::Dataset;

/// Metrics that no run reports, unless a trainer of one's own does, and tables that none of the sweep's metrics sorts.
pub(super) fn of_metrics(
    plan: &Plan,
    judges: &[(Metric, Place)],
    shown: &[(String, Place)],
    own: &[String],
) -> Vec<Fault> {
    let mut seen = HashSet::new();
    let names = plan.configurations().iter().filter_map(|configuration| match configuration.get("dataset") {
        Some(Scalar::Word(name)) => Some(name),
        _ => None,
    });
    let datasets: Vec<Dataset> =
        names.filter(|name| seen.insert(*name)).filter_map(|name| Dataset::from_name(name)).collect();
    let judging = judges.iter().map(|(metric, place)| (metric.name.as_str(), place));
    let shown = shown.iter().map(|(name, place)| (name.as_str(), place));
    let mut warnings: Vec<Fault> = judging
        .clone()
        .chain(shown)
        .filter(|(name, _)| own.iter().all(|own| own != name))
        .filter_map(|(name, place)| never_reported(name, place, &datasets))
        .collect();

    let sorts = |dataset: &Dataset| judging.clone().any(|(name, _)| may_be_reported_on(dataset, name));
    let (sorted, unsorted): (Vec<&Dataset>, Vec<&Dataset>) =
        datasets.iter().partition(|dataset| sorts(dataset));
    if let (Some((_, place)), false, false) = (judges.first(), sorted.is_empty(), unsorted.is_empty()) {
        let names = listed(unsorted.into_iter().map(Dataset::name));
        let message = format!("tables of {names} are not sorted: no run on them reports this");
        let hint = "`metric` may be a list, of which each table takes the first that it has";
        warnings.push(Fault::new(place, message).with_hint(Some(hint)));
    }
    warnings
}

/// The warning for a metric without values.
fn never_reported(name: &str, place: &Place, datasets: &[Dataset]) -> Option<Fault> {
    if !name.contains('/') {
        let message =
            format!("{} is not reported: metrics begin with `eval/`, `final/` or `train/`", quoted(name));
        return Some(Fault::new(place, message).with_hint(did_you_mean_score(name)));
    }
    let is_reported = datasets.iter().any(|dataset| may_be_reported_on(dataset, name));
    (!is_reported).then(|| {
        let datasets = listed(datasets.iter().map(Dataset::name));
        Fault::new(place, format!("`{name}` is not reported by runs on {datasets}"))
    })
}

/// Evaluations and checkpoints that no run comes to before its end.
pub(super) fn of_lengths(space: &Space<'_>, plan: &Plan, checkpoint: Option<&(f64, Place)>) -> Vec<Fault> {
    // By the bits of `eval_kimg`, the longest training of the configurations that have it.
    let mut longest: HashMap<u64, f64> = HashMap::new();
    for configuration in plan.configurations() {
        let kimg = |name| configuration.get(name).and_then(kimg);
        if let (Some(eval), Some(total)) = (kimg("eval_kimg"), kimg("total_kimg")) {
            let longest = longest.entry(eval.to_bits()).or_insert(total);
            *longest = longest.max(total);
        }
    }
    let evaluations = settings_of(space, "eval_kimg").into_iter().filter_map(|(value, place)| {
        let eval = kimg(value)?;
        let total = longest.get(&eval.to_bits()).filter(|total| eval > **total)?;
        let message = format!(
            "`eval_kimg` {eval:?} is beyond the end of training, `total_kimg` {total:?}: runs are evaluated at their end alone"
        );
        Some(Fault::new(place, message))
    });
    let mut warnings: Vec<Fault> = evaluations.collect();
    // The values of an axis have one place.
    warnings.dedup_by(|next, first| next.place == first.place);
    if let (Some((every, place)), Some(total)) = (checkpoint, longest.into_values().reduce(f64::max))
        && *every > total
    {
        let message = format!(
            "`every_kimg` {every:?} is beyond the end of training, `total_kimg` {total:?}: a run that loses its machine begins again"
        );
        warnings.push(Fault::new(place, message));
    }
    warnings
}

/// Every value that the file gives to a parameter, with the place of its key.
fn settings_of<'s>(space: &'s Space<'s>, name: &'s str) -> Vec<(&'s Scalar, &'s Place)> {
    let included = space.include.iter().flat_map(|include| &include.settings);
    let settings = space.constants.iter().chain(included).filter(|setting| setting.name == name);
    let columns = space.axes.iter().filter_map(|axis| {
        let column = axis.names.iter().position(|(own, _)| *own == name)?;
        Some(axis.rows.iter().map(move |row| (&row[column], &axis.names[column].1)))
    });
    settings.map(|setting| (&setting.value, &setting.place)).chain(columns.flatten()).collect()
}

fn kimg(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Float(kimg) => Some(*kimg),
        _ => None,
    }
}
