//! Points of a sweep file that train the same, and so are one configuration of its plan.

use std::collections::BTreeMap;

use crate::configuration::Configuration;
use crate::parameters::Parameter;
use crate::scalar::Scalar;
use crate::spelling::{counted, listed};

/// Values of parameters, by name.
pub type Values = BTreeMap<String, Scalar>;

/// Points that differ only in parameters that take no effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Index of the plan's configuration that stands for the points: the one of the first of them.
    pub configuration: usize,
    /// What each of the points asks for, in the parameters in which they differ.
    pub asked: Vec<Values>,
    /// Configurations that differ from the plan's only in what takes no effect. Another version of this program may
    /// have stored runs of them.
    pub twins: Vec<Configuration>,
}

impl Merged {
    /// How many points are not trained on their own.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.asked.len().saturating_sub(1) as u64
    }

    /// Why the points train the same; `configuration` is the one that stands for them.
    #[must_use]
    pub fn reason(&self, configuration: &Configuration) -> String {
        let names = self.asked.iter().flat_map(|asked| asked.keys().map(String::as_str));
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        let (idle, unused): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| configuration.get(name).is_some());
        let mut reasons = Vec::new();
        if let Some(model) = configuration.get("model").filter(|_| !unused.is_empty()) {
            reasons.push(format!("model `{model}` does not use {}", listed(unused)));
        }
        let needed = idle.first().and_then(|name| Parameter::find(name).ok()?.needs);
        if let Some(needed) = needed {
            let verb = if idle.len() == 1 { "has" } else { "have" };
            reasons.push(format!("{} {verb} no effect where `{needed}` is 0", listed(idle)));
        }
        reasons.join(", and ")
    }
}

/// Each reason with the number of points that are merged for it, such as "3 points: `gamma` has no effect where `lambda`
/// is 0".
pub(crate) fn reasons(merged: &[Merged], configurations: &[Configuration]) -> Vec<String> {
    let mut counts: Vec<(String, u64)> = Vec::new();
    for merged in merged {
        let reason = merged.reason(&configurations[merged.configuration]);
        match counts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, points)) => *points += merged.points(),
            None => counts.push((reason, merged.points())),
        }
    }
    counts.into_iter().map(|(reason, points)| format!("{}: {reason}", counted(points, "point"))).collect()
}
