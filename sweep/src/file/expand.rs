//! From the space to the plan.

use std::collections::HashSet;

use super::assignment::{Assignment, set_names};
use super::check;
use super::error::{Fault, Faults};
use super::merging::Merging;
use super::place::Place;
use super::rules::{Exclude, Include};
use super::setting::Setting;
use super::space::Space;
use super::trainer::Trainer;
use crate::configuration::Configuration;
use crate::merged::Merged;
use crate::plan::{Counts, Plan};
use crate::scalar::Scalar;

/// Makes the plan. A grid of too many points is refused before there are any, a plan of more than `max_runs` runs
/// afterwards.
///
/// Exclusion comes before inclusion, and what `parameters` and `zip` set is never overwritten by an
/// inclusion (the rules of GitHub's job matrix).
pub(super) fn expand(
    space: &Space<'_>,
    trainer: &Trainer,
    seeds: Vec<u64>,
    max_runs: u64,
    faults: &Faults,
) -> Option<Plan> {
    let grid = faults.keep(check::grid_size(space))?;
    check::exclude_values(space, faults);

    let mut points = kept_points(space, grid, faults);
    let excluded = grid - points.len() as u64;
    let added = include(space, &mut points, faults);

    let mut merging = Merging::default();
    for point in &points {
        merging.add(point, faults.keep(resolve(point, trainer, &space.place))?);
    }
    for (point, include) in &added {
        if let Some(configuration) = faults.keep(resolve(point, trainer, &include.place))
            && !merging.add(point, configuration)
        {
            faults.push(Fault::new(&include.place, "the sweep already has this configuration"));
        }
    }
    let (configurations, merged) = merging.finish();
    let counts = Counts {
        grid,
        excluded,
        merged: merged.iter().map(Merged::points).sum(),
        included: added.len() as u64,
        configurations: configurations.len() as u64,
        seeds: seeds.len() as u64,
        runs: configurations.len() as u64 * seeds.len() as u64,
    };
    check::runs(space, &counts, max_runs, faults);
    check::every_setting_is_used(space, &configurations, faults);
    Some(Plan { swept: swept(space, &configurations), configurations, seeds, counts, merged })
}

/// The points of the grid that no rule of `exclude` drops.
fn kept_points<'s>(space: &'s Space<'s>, grid: u64, faults: &Faults) -> Vec<Assignment<'s>> {
    let mut hits = vec![false; space.exclude.len()];
    let mut points: Vec<_> = (0..grid).map(|index| grid_point(space, index)).collect();
    points.retain(|point| !is_excluded(point, &space.exclude, &mut hits));
    check::every_exclude_hits(space, &hits, faults);
    points
}

/// The point of this index: the last axis varies fastest.
fn grid_point<'s>(space: &'s Space<'s>, mut index: u64) -> Assignment<'s> {
    let mut point: Assignment<'_> =
        space.constants.iter().map(|setting| (setting.name, &setting.value)).collect();
    for axis in space.axes.iter().rev() {
        let length = axis.rows.len() as u64;
        let row = &axis.rows[(index % length) as usize];
        index /= length;
        point.extend(axis.names.iter().map(|(name, _)| *name).zip(row));
    }
    point
}

/// Whether a rule drops the point; notes in `hits` every rule that does.
fn is_excluded(point: &Assignment<'_>, rules: &[Exclude<'_>], hits: &mut [bool]) -> bool {
    let mut excluded = false;
    for (rule, hit) in rules.iter().zip(hits) {
        let matches = rule.conditions.iter().all(|condition| {
            point
                .get(condition.name)
                .is_some_and(|value| condition.any_of.iter().any(|(any, _)| any == *value))
        });
        *hit |= matches;
        excluded |= matches;
    }
    excluded
}

/// Merges each inclusion into the points that it extends; returns the points that the others add.
fn include<'s>(
    space: &'s Space<'s>,
    points: &mut [Assignment<'s>],
    faults: &Faults,
) -> Vec<(Assignment<'s>, &'s Include<'s>)> {
    let set_by_grid: HashSet<&str> = set_names(&space.constants, &space.axes).collect();
    let (merged, added): (Vec<&Include<'_>>, Vec<&Include<'_>>) =
        space.include.iter().partition(|include| merge(include, points, &set_by_grid));
    check::every_merge_shows(&merged, points, faults);
    added.into_iter().map(|include| (new_point(&space.constants, include), include)).collect()
}

/// Merges the inclusion into every point where it overwrites nothing of the grid; false when there
/// is no such point.
fn merge<'s>(include: &'s Include<'s>, points: &mut [Assignment<'s>], set_by_grid: &HashSet<&str>) -> bool {
    let (fixed, extra): (Vec<&Setting<'_>>, Vec<&Setting<'_>>) =
        include.settings.iter().partition(|setting| set_by_grid.contains(setting.name));
    let mut merged = false;
    for point in points {
        if fixed.iter().all(|setting| point.get(setting.name) == Some(&&setting.value)) {
            point.extend(extra.iter().map(|setting| (setting.name, &setting.value)));
            merged = true;
        }
    }
    merged
}

/// The point that an inclusion adds: its values, and the file's constants for the others.
fn new_point<'s>(constants: &'s [Setting<'s>], include: &'s Include<'s>) -> Assignment<'s> {
    constants.iter().chain(&include.settings).map(|setting| (setting.name, &setting.value)).collect()
}

fn resolve(point: &Assignment<'_>, trainer: &Trainer, place: &Place) -> Result<Configuration, Fault> {
    let own = trainer.parameters.iter().map(|own| own.value(point.get(own.name.as_str()).copied()));
    let own: Result<Vec<_>, _> = own.collect();
    let configuration = Configuration::resolve(|name| point.get(name).copied());
    configuration
        .and_then(|configuration| configuration.with_own(own?))
        .map_err(|error| Fault::of_parameter(place, &error))
}

/// The axes' parameters and the constants that an added point changes; where these do not tell all
/// configurations apart, every other parameter that only `include` varies.
fn swept<'s>(space: &'s Space<'s>, configurations: &[Configuration]) -> Vec<String> {
    let mut names: Vec<&str> = set_names(&[], &space.axes).collect();
    let included = space.include.iter().flat_map(|include| &include.settings).map(|setting| setting.name);
    let mut varied: Vec<&str> = Vec::new();
    for name in included {
        if !varied.contains(&name) {
            varied.push(name);
        }
    }
    let first = |name| configurations.first().and_then(|configuration| configuration.get(name));
    varied.retain(|name| configurations.iter().any(|configuration| configuration.get(name) != first(name)));
    let add = |names: &mut Vec<&'s str>, wanted: &dyn Fn(&str) -> bool| {
        for name in &varied {
            if wanted(name) && !names.contains(name) {
                names.push(name);
            }
        }
    };
    add(&mut names, &|name| space.constants.iter().any(|constant| constant.name == name));
    let mut seen = HashSet::new();
    let told_apart = configurations.iter().all(|configuration| {
        seen.insert(
            names.iter().map(|name| configuration.get(name).map(Scalar::canonical)).collect::<Vec<_>>(),
        )
    });
    if !told_apart {
        add(&mut names, &|_| true);
    }
    names.into_iter().map(str::to_owned).collect()
}
