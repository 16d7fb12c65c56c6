//! Points that train the same become one configuration of the plan.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::assignment::Assignment;
use crate::configuration::Configuration;
use crate::merged::{Merged, Values};
use crate::scalar::Scalar;

/// A point and what it trains.
struct Member<'p> {
    point: &'p Assignment<'p>,
    configuration: Configuration,
    /// Whether no point before it has the same configuration.
    is_new: bool,
}

/// Points, as they come, by what they train.
#[derive(Default)]
pub(super) struct Merging<'p> {
    /// In the order of their first points; those of one group train the same.
    groups: Vec<Vec<Member<'p>>>,
    by_training: HashMap<String, usize>,
    /// Digests of the configurations in groups of more than one point.
    seen: HashSet<String>,
}

impl<'p> Merging<'p> {
    /// Adds a point; answers whether no point before it has the same configuration.
    pub(super) fn add(&mut self, point: &'p Assignment<'p>, configuration: Configuration) -> bool {
        let group = *self.by_training.entry(configuration.training_digest()).or_insert(self.groups.len());
        if group == self.groups.len() {
            self.groups.push(Vec::new());
        }
        let members = &mut self.groups[group];
        if let [only] = members.as_slice() {
            self.seen.insert(only.configuration.config_hash());
        }
        let is_new = members.is_empty() || self.seen.insert(configuration.config_hash());
        members.push(Member { point, configuration, is_new });
        is_new
    }

    /// A configuration for each group, and the groups of more than one point.
    pub(super) fn finish(self) -> (Vec<Configuration>, Vec<Merged>) {
        let (mut configurations, mut merged) = (Vec::with_capacity(self.groups.len()), Vec::new());
        for members in self.groups {
            let asked = if members.len() > 1 { differing_values(&members) } else { Vec::new() };
            let different = members.into_iter().filter(|member| member.is_new);
            let mut different = different.map(|member| member.configuration);
            let first = different.next().expect("a group begins with a point");
            if !asked.is_empty() {
                merged.push(Merged {
                    configuration: configurations.len(),
                    asked,
                    twins: different.collect(),
                });
            }
            configurations.push(first);
        }
        (configurations, merged)
    }
}

/// What each point asks for, in the parameters in which not all of them agree.
fn differing_values(members: &[Member<'_>]) -> Vec<Values> {
    let mut names: BTreeSet<&str> = members.iter().flat_map(|member| member.point.keys().copied()).collect();
    let first = &members[0];
    names.retain(|name| members.iter().any(|member| member.value(name) != first.value(name)));
    let values = |member: &Member<'_>| {
        let value = |name: &&str| Some(((*name).to_owned(), member.value(name)?.clone()));
        names.iter().filter_map(value).collect()
    };
    members.iter().map(values).collect()
}

impl Member<'_> {
    /// The value that the point sets, or else has by default.
    fn value(&self, name: &str) -> Option<&Scalar> {
        self.point.get(name).copied().or_else(|| self.configuration.get(name))
    }
}
