//! A point of the space: one value for each parameter that the file sets.

use std::collections::BTreeMap;

use super::setting::Setting;
use super::space::Axis;
use crate::scalar::Scalar;

/// A point's values as the file sets them.
pub(super) type Assignment<'s> = BTreeMap<&'s str, &'s Scalar>;

/// The names that `parameters` and `zip` set, in declared order, constants first.
pub(super) fn set_names<'s>(
    constants: &'s [Setting<'s>],
    axes: &'s [Axis<'s>],
) -> impl Iterator<Item = &'s str> {
    let constants = constants.iter().map(|setting| setting.name);
    constants.chain(axes.iter().flat_map(|axis| axis.names.iter().map(|(name, _)| *name)))
}
