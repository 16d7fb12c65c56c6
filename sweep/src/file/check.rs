//! Mistakes that only the whole space shows.

use std::collections::{HashMap, HashSet};

use super::assignment::{Assignment, set_names};
use super::error::{Fault, Faults};
use super::place::Place;
use super::rules::Include;
use super::settings::MAX_RUNS;
use super::space::Space;
use crate::configuration::Configuration;
use crate::plan::Counts;
use crate::scalar::Scalar;
use crate::spelling::{counted, did_you_mean};

/// Comparisons of a point with a value of a rule; as many take about a second.
const MAX_COMPARISONS: u64 = 5_000_000;

/// Points of the grid, unless they are too many to be looked at one by one.
pub(super) fn grid_size(space: &Space<'_>) -> Result<u64, Fault> {
    let too_many = |size: &str| {
        let message = format!("the grid has {size} points, and a sweep file at most {MAX_RUNS}");
        Fault::new(&space.place, message).with_hint(Some("take away values"))
    };
    let mut lengths = space.axes.iter().map(|axis| axis.rows.len() as u64);
    let grid = lengths.try_fold(1_u64, u64::checked_mul);
    let grid = match grid {
        None => return Err(too_many("more than 10^19")),
        Some(grid) if grid > u64::from(MAX_RUNS) => return Err(too_many(&grid.to_string())),
        Some(grid) => grid,
    };
    let excluded =
        space.exclude.iter().flat_map(|rule| &rule.conditions).map(|condition| condition.any_of.len());
    let included = space.include.iter().map(|rule| rule.settings.len());
    let rules = excluded.chain(included).sum::<usize>() as u64;
    if grid * rules > MAX_COMPARISONS {
        let message = format!(
            "`exclude` and `include` have {}, too many for a grid of {}",
            counted(rules, "value"),
            counted(grid, "point")
        );
        return Err(Fault::new(&space.place, message));
    }
    Ok(grid)
}

/// Every condition is about a parameter that the grid sets, and a value that it takes there.
pub(super) fn exclude_values(space: &Space<'_>, faults: &Faults) {
    let mut taken_by_name: HashMap<&str, HashSet<String>> = HashMap::new();
    for condition in space.exclude.iter().flat_map(|rule| &rule.conditions) {
        let name = condition.name;
        let taken =
            taken_by_name.entry(name).or_insert_with(|| values(space, name).map(Scalar::canonical).collect());
        if taken.is_empty() {
            let set = set_names(&space.constants, &space.axes);
            let fault = Fault::new(&condition.place, format!("`{name}` is not set in `parameters` or `zip`"));
            faults.push(fault.with_hint(did_you_mean(name, set)));
            continue;
        }
        for (value, place) in &condition.any_of {
            if !taken.contains(&value.canonical()) {
                faults.push(Fault::new(place, format!("`{name}` is never `{value}` in this sweep")));
            }
        }
    }
}

/// The values that the grid gives to a parameter.
fn values<'s>(space: &'s Space<'s>, name: &'s str) -> impl Iterator<Item = &'s Scalar> {
    let constants = space.constants.iter().filter(move |setting| setting.name == name);
    let columns = space.axes.iter().filter_map(move |axis| {
        let column = axis.names.iter().position(|(own, _)| *own == name)?;
        Some(axis.rows.iter().map(move |row| &row[column]))
    });
    constants.map(|setting| &setting.value).chain(columns.flatten())
}

/// Every rule of `exclude` drops something.
pub(super) fn every_exclude_hits(space: &Space<'_>, hits: &[bool], faults: &Faults) {
    for (rule, hit) in space.exclude.iter().zip(hits) {
        let already_reported = faults.any(|fault| fault.place.path.starts_with(&rule.place.path));
        if !hit && !already_reported {
            faults.push(Fault::new(&rule.place, "this excludes nothing: no point has these values together"));
        }
    }
}

/// Every inclusion that was merged into points left a value in one of them.
pub(super) fn every_merge_shows(merged: &[&Include<'_>], points: &[Assignment<'_>], faults: &Faults) {
    for include in merged {
        let shows = include.settings.iter().any(|setting| {
            let is_its_value = |value: &&Scalar| std::ptr::eq(*value, &setting.value);
            points.iter().any(|point| point.get(setting.name).is_some_and(is_its_value))
        });
        if !shows {
            let message = "this changes nothing: the sweep has these points, or later entries overwrite it";
            faults.push(Fault::new(&include.place, message));
        }
    }
}

/// There are runs, and not more than allowed.
pub(super) fn runs(space: &Space<'_>, counts: &Counts, max_runs: u64, faults: &Faults) {
    if counts.configurations == 0 {
        faults.push(Fault::new(&space.place, "every point is excluded, so there is nothing to run"));
    }
    if counts.runs > max_runs {
        let message = format!("{}, and `max_runs` is {max_runs}", counts.product("are"));
        let hint = format!("take away values or seeds, or raise `max_runs` (at most {MAX_RUNS})");
        faults.push(Fault::new(&space.place, message).with_hint(Some(hint)));
    }
}

/// Every parameter that is set is used by the model of some point.
pub(super) fn every_setting_is_used(space: &Space<'_>, configurations: &[Configuration], faults: &Faults) {
    let settings = space.constants.iter().chain(space.include.iter().flat_map(|include| &include.settings));
    let places = settings.map(|setting| (setting.name, &setting.place));
    let axes = space.axes.iter().flat_map(|axis| axis.names.iter().map(|(name, place)| (*name, place)));
    let used: HashSet<&str> =
        configurations.iter().flat_map(|configuration| configuration.iter().map(|(name, _)| name)).collect();
    for (name, place) in places.chain(axes) {
        if !used.contains(name) && !configurations.is_empty() {
            faults.push(Fault::new(place, format!("`{name}` has no effect: no model of this sweep uses it")));
        }
    }
}

/// The results can be grouped by these parameters: the sweep gives them more than one value.
pub(super) fn group_by(space: &Space<'_>, group_by: &[(&str, Place)], faults: &Faults) {
    let axes: Vec<&str> = set_names(&[], &space.axes).collect();
    for (name, place) in group_by {
        let included = space.include.iter().flat_map(|include| &include.settings);
        if !axes.contains(name) && !included.into_iter().any(|setting| setting.name == *name) {
            let fault = Fault::new(place, format!("`{name}` is not swept: all runs have one value of it"));
            faults.push(fault.with_hint(did_you_mean(name, axes.iter().copied())));
        }
    }
}
