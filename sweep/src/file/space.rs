//! `parameters` and `zip`: what a sweep varies, and over which values.

use std::collections::HashSet;

use super::cursor::{Cursor, Fields};
use super::error::{Fault, Faults};
use super::node::Node;
use super::place::Place;
use super::range;
use super::rules::{Exclude, Include, read_exclude, read_include};
use super::sample::{self, Drawn, Sampling, is_distribution, read_distribution};
use super::setting::{Known, Setting, find, find_name, first_repeated, read_scalar};
use super::trainer::Trainer;
use crate::scalar::Scalar;

/// Everything that the plan is made of.
#[derive(Debug, Default)]
pub(super) struct Space<'f> {
    /// The key `parameters`, for faults of the whole.
    pub(super) place: Place,
    pub(super) constants: Vec<Setting<'f>>,
    /// In declared order, those of `parameters` before those of `zip`.
    pub(super) axes: Vec<Axis<'f>>,
    pub(super) exclude: Vec<Exclude<'f>>,
    pub(super) include: Vec<Include<'f>>,
}

/// Parameters that vary together: each row has a value for each of them.
#[derive(Debug)]
pub(super) struct Axis<'f> {
    /// With the places of their keys.
    pub(super) names: Vec<(&'f str, Place)>,
    /// No row twice.
    pub(super) rows: Vec<Vec<Scalar>>,
}

/// Reads `parameters`, `zip`, `exclude` and `include`. What the file says of draws is `None` where that makes no sense.
pub(super) fn read<'f>(
    fields: &Fields<'_>,
    trainer: &'f Trainer,
    sampling: Option<&Option<Sampling>>,
    faults: &Faults,
) -> Result<Space<'f>, Fault> {
    fields.require("parameters")?;
    let mut space = Space::default();
    if let Some(entry) = fields.entry("parameters") {
        space.place = entry.key();
        let mut drawn = Vec::new();
        (space.constants, space.axes) = read_parameters(&entry.value, trainer, &mut drawn, faults)?;
        let check = |name: &str, value: &Scalar| {
            let parameter = find_name(name, &space.place, trainer)?;
            parameter.check(value).map_err(|error| Fault::of_parameter(&space.place, &error))
        };
        if let Some(sampling) = sampling {
            space.axes.extend(faults.keep(sample::axis(sampling.as_ref(), drawn, check)).flatten());
        }
    }
    if let Some(zip) = fields.get("zip") {
        space.axes.extend(read_zip(zip, trainer, faults)?);
    }
    check_set_once(&space, faults);
    if let Some(exclude) = fields.get("exclude") {
        space.exclude = read_exclude(exclude, trainer, faults)?;
    }
    if let Some(include) = fields.get("include") {
        space.include = read_include(include, trainer, faults)?;
    }
    Ok(space)
}

/// Reads `parameters`, the constants, the axes and what is drawn apart.
fn read_parameters<'f>(
    parameters: &Cursor<'_>,
    trainer: &'f Trainer,
    drawn: &mut Vec<Option<Drawn<'f>>>,
    faults: &Faults,
) -> Result<(Vec<Setting<'f>>, Vec<Axis<'f>>), Fault> {
    let (mut constants, mut axes) = (Vec::new(), Vec::new());
    for entry in parameters.entries()? {
        let Some(parameter) = faults.keep(find(&entry, trainer)) else { continue };
        let values = match entry.value.node {
            Node::List(_) => read_list(parameter, &entry.value, faults),
            Node::Map(_) if is_distribution(&entry.value) => {
                drawn.push(faults.keep(read_distribution(parameter, &entry, faults)));
                Ok(None)
            }
            Node::Map(_) => range::read(parameter, &entry.value, faults),
            _ => read_scalar(parameter, &entry.value).map(|value| {
                constants.push(Setting { name: parameter.name, value, place: entry.key() });
                None
            }),
        };
        if let Some(Some(values)) = faults.keep(values) {
            let rows = values.into_iter().map(|value| vec![value]).collect();
            axes.push(Axis { names: vec![(parameter.name, entry.key())], rows });
        }
    }
    Ok((constants, axes))
}

/// Reads `zip`, a list of mappings from parameters to lists of one length; each is an axis.
fn read_zip<'f>(zip: &Cursor<'_>, trainer: &'f Trainer, faults: &Faults) -> Result<Vec<Axis<'f>>, Fault> {
    let mut axes = Vec::new();
    for mapping in zip.some_items()? {
        let axis = read_zip_axis(&mapping, trainer, faults);
        axes.extend(faults.keep(axis).flatten());
    }
    Ok(axes)
}

fn read_zip_axis<'f>(
    mapping: &Cursor<'_>,
    trainer: &'f Trainer,
    faults: &Faults,
) -> Result<Option<Axis<'f>>, Fault> {
    let entries = mapping.entries()?;
    let mut columns: Vec<(&str, Place, Vec<Scalar>)> = Vec::new();
    for entry in &entries {
        let parameter = find(entry, trainer)?;
        let items = entry.value.some_items()?;
        let column = items.iter().map(|item| read_scalar(parameter, item)).collect::<Result<Vec<_>, _>>()?;
        columns.push((parameter.name, entry.key(), column));
    }
    let Some((first, _, column)) = columns.first() else {
        return Err(mapping.fault("expected parameters with lists, found an empty mapping"));
    };
    let length = column.len();
    if let Some((name, place, other)) = columns.iter().find(|(_, _, column)| column.len() != length) {
        let message =
            format!("`{name}` has {} values and `{first}` {length}; in a zip they are as many", other.len());
        return Err(Fault::new(place, message));
    }
    let rows: Vec<Vec<Scalar>> =
        (0..length).map(|row| columns.iter().map(|(_, _, column)| column[row].clone()).collect()).collect();
    if let Some(row) = first_repeated(&rows) {
        let items = entries[0].value.items()?;
        faults.push(items[row].fault("the values here are an earlier row of the zip again"));
        return Ok(None);
    }
    Ok(Some(Axis { names: columns.into_iter().map(|(name, place, _)| (name, place)).collect(), rows }))
}

/// The values of an axis, or `None` and faults noted.
fn read_list(parameter: Known<'_>, list: &Cursor<'_>, faults: &Faults) -> Result<Option<Vec<Scalar>>, Fault> {
    let items = list.some_items()?;
    let values: Vec<Scalar> =
        items.iter().filter_map(|item| faults.keep(read_scalar(parameter, item))).collect();
    if values.len() < items.len() {
        return Ok(None);
    }
    let rows: Vec<Vec<Scalar>> = values.iter().map(|value| vec![value.clone()]).collect();
    match first_repeated(&rows) {
        Some(row) => Err(items[row].fault(format!("`{}` is in the list twice", values[row]))),
        None => Ok(Some(values)),
    }
}

/// Notes each parameter that `parameters` and `zip` set, or two zips.
fn check_set_once(space: &Space<'_>, faults: &Faults) {
    let mut seen: HashSet<&str> = space.constants.iter().map(|setting| setting.name).collect();
    for (name, place) in space.axes.iter().flat_map(|axis| &axis.names) {
        if !seen.insert(name) {
            faults.push(Fault::new(place, format!("`{name}` is in `parameters` or another zip already")));
        }
    }
}
