//! Which queued runs a worker is given.
//!
//! A worker offers to start some groups of runs ([`Offer`]). The coordinator's store looks up the runs that may start,
//! in order ([`Candidate`]), and [`choose_groups`] forms groups of them. The whole rule is in these tables, of which
//! [`explain`](crate::explain) tells people the case that they ask for.
//!
//! | A worker that … | is given … |
//! |---|---|
//! | claims, and waits for the answer | queued runs by the tables below |
//! | repeats a claim that was answered | what it was granted then and still holds, and nothing else |
//! | has slots that rest | runs for its other slots: it leaves those that rest out of its offer |
//! | has no free slot, but places in a group that trains | the group that it would be given next, if that is of the same shape |
//! | is cordoned or drained, or has said that it ends | nothing new |
//!
//! | A sweep that … | starts … |
//! |---|---|
//! | is paused | no run |
//! | has `max_concurrent`, and as many runs that are held | no run, and the next sweep has its turn |
//! | has `max_concurrent`, and fewer runs that are held | as many runs as the difference |
//! | has no `max_concurrent` | any number of runs |
//!
//! Sweeps have their turns by priority, the largest first; of one priority, the sweep that was submitted first is
//! first.
//!
//! | A run that … | is given to … |
//! |---|---|
//! | is not queued, or is not in its sweep's plan | no worker |
//! | has a configuration that the coordinator cannot read | no worker, until a coordinator starts that can read it |
//! | is on a dataset that the worker has | that worker |
//! | is on one's own folder or file, `images:PATH`, `curve:PATH` or `text:PATH` | any worker ([`is_on_any_worker`]) |
//! | is on another dataset | not that worker |
//! | a machine could not train within the last minute | not that machine's workers, unless it has come further since |
//! | is to be trained alone, after the fault of a group | a worker as before, but as a group of its own |
//!
//! Within a sweep, runs start in the plan's order, in groups: the first run that is in no group yet opens the next
//! group, and later runs of the same sweep and shape fill it, up to the offered size.
//!
//! A group that trains already may have places for further runs, which [`choose_newcomers`] fills. It keeps the same order, as
//! if the group were opened there: otherwise a slot would never come to runs of other shapes, nor of sweeps with a higher
//! priority, as long as there are runs of the shape that it trains.

use std::collections::BTreeMap;

use crate::training::OWN;

/// What a worker has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Groups it can start now.
    pub groups: u32,
    /// Runs of one shape that it would train as one group, at least 1.
    pub group_size: u32,
}

/// A queued run that the worker could train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub run: u64,
    /// Its sweep's id.
    pub sweep: i64,
    /// Runs that share it may train as one group.
    pub shape_key: String,
}

/// Whether runs on the dataset of this name may be given to any worker. A folder of one's own pictures, or a file of strings, may be
/// on any machine; workers may not know of it when they say what they have.
#[must_use]
pub fn is_on_any_worker(dataset: &str) -> bool {
    OWN.iter().any(|prefix| dataset.starts_with(prefix))
}

/// Groups of run ids for the worker, out of `candidates` in the order they should start.
///
/// The first run that no group has yet opens the next one, which later runs of its shape and sweep
/// fill up; so the order holds between groups, and a group never waits to become full. `headroom` says how many
/// more runs a sweep may have running; a sweep that is not in it has no limit.
#[must_use]
pub fn choose_groups(
    candidates: &[Candidate],
    mut headroom: BTreeMap<i64, u32>,
    offer: Offer,
) -> Vec<Vec<u64>> {
    let mut groups: Vec<Vec<u64>> = Vec::new();
    let mut taken = vec![false; candidates.len()];
    for (first, opener) in candidates.iter().enumerate() {
        if groups.len() as u64 >= u64::from(offer.groups) {
            break;
        }
        if taken[first] {
            continue;
        }
        let mut group = Vec::new();
        for (index, candidate) in candidates.iter().enumerate().skip(first) {
            let fits = candidate.sweep == opener.sweep && candidate.shape_key == opener.shape_key;
            if taken[index] || !fits {
                continue;
            }
            if let Some(left) = headroom.get_mut(&candidate.sweep) {
                if *left == 0 {
                    break;
                }
                *left -= 1;
            }
            taken[index] = true;
            group.push(candidate.run);
            if group.len() as u64 >= u64::from(offer.group_size.max(1)) {
                break;
            }
        }
        if !group.is_empty() {
            groups.push(group);
        }
    }
    groups
}

/// The run ids, out of `candidates` in the order they should start, that join a group of this shape with so many places: those of
/// the group that its worker would be given next, if that is of this shape, and otherwise none.
#[must_use]
pub fn choose_newcomers(
    candidates: &[Candidate],
    headroom: BTreeMap<i64, u32>,
    shape_key: &str,
    places: u32,
) -> Vec<u64> {
    let offer = Offer { groups: 1, group_size: places };
    let next = choose_groups(candidates, headroom, offer).pop().unwrap_or_default();
    let is_of_shape = |run: &u64| candidates.iter().any(|of| of.run == *run && of.shape_key == shape_key);
    if next.first().is_some_and(is_of_shape) { next } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(shapes: &[(i64, &str)]) -> Vec<Candidate> {
        let candidate = |(run, &(sweep, shape)): (usize, &(i64, &str))| Candidate {
            run: run as u64,
            sweep,
            shape_key: shape.to_owned(),
        };
        shapes.iter().enumerate().map(candidate).collect()
    }

    #[test]
    fn a_group_takes_later_runs_of_its_shape_and_sweep_and_keeps_the_order() {
        let queue = candidates(&[(1, "a"), (1, "b"), (1, "a"), (2, "a"), (1, "a"), (1, "b")]);
        let chosen =
            |groups, group_size| choose_groups(&queue, BTreeMap::new(), Offer { groups, group_size });
        assert_eq!(chosen(2, 2), vec![vec![0, 2], vec![1, 5]]);
        assert_eq!(chosen(9, 1), vec![vec![0], vec![1], vec![2], vec![3], vec![4], vec![5]]);
        assert_eq!(chosen(0, 4), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn a_sweep_at_its_limit_leaves_the_room_to_others() {
        let queue = candidates(&[(1, "a"), (1, "a"), (1, "a"), (2, "a")]);
        let chosen = choose_groups(&queue, BTreeMap::from([(1, 2)]), Offer { groups: 4, group_size: 1 });
        assert_eq!(chosen, vec![vec![0], vec![1], vec![3]]);
    }

    #[test]
    fn newcomers_are_the_next_group_in_order_and_come_only_to_their_own_shape() {
        let chosen = |shapes: &[(i64, &str)], headroom: &[(i64, u32)], places| {
            choose_newcomers(&candidates(shapes), headroom.iter().copied().collect(), "a", places)
        };
        assert_eq!(chosen(&[(1, "a"), (1, "b"), (1, "a"), (1, "a")], &[], 2), [0, 2]);
        assert!(
            chosen(&[(1, "b"), (1, "a")], &[], 2).is_empty(),
            "the run of another shape was there before"
        );
        assert!(chosen(&[(1, "b"), (2, "a")], &[], 2).is_empty(), "so was the run of another sweep");
        assert_eq!(chosen(&[(1, "b"), (2, "a")], &[(1, 0)], 2), [1], "the other sweep is at its limit");
        assert_eq!(chosen(&[(1, "a"), (1, "a")], &[(1, 1)], 2), [0]);
        assert!(chosen(&[], &[], 2).is_empty());
    }
}
