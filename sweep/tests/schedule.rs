//! Which runs a worker is given, whatever waits and whatever it has room for.

use std::collections::{BTreeMap, BTreeSet};

use acai_sweep::schedule::{Candidate, Offer, choose_groups};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};

/// Runs 0, 1, 2 … in the order in which they should start: their sweeps and shapes.
fn queue(sweeps_and_shapes: &[(i64, u8)]) -> Vec<Candidate> {
    let candidate = |(run, &(sweep, shape)): (usize, &(i64, u8))| Candidate {
        run: run as u64,
        sweep,
        shape_key: format!("shape {shape}"),
    };
    sweeps_and_shapes.iter().enumerate().map(candidate).collect()
}

#[test]
fn a_second_group_of_a_shape_does_not_overtake_the_first_run_of_another() {
    const A: (i64, u8) = (1, 0);
    const B: (i64, u8) = (1, 1);
    let chosen = choose_groups(&queue(&[A, A, B, A, A]), BTreeMap::new(), Offer { groups: 2, group_size: 2 });
    assert_eq!(chosen, [vec![0, 1], vec![2]]);
}

fn queues() -> impl Strategy<Value = Vec<(i64, u8)>> {
    vec((1..4i64, 0..3u8), 0..40)
}

fn limits() -> impl Strategy<Value = BTreeMap<i64, u32>> {
    btree_map(1..4i64, 0..6u32, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn openers_keep_the_order_and_nothing_is_left_that_fits(
        runs in queues(), headroom in limits(), groups in 0..6u32, group_size in 0..5u32,
    ) {
        let queue = queue(&runs);
        let chosen = choose_groups(&queue, headroom.clone(), Offer { groups, group_size });
        let size = group_size.max(1) as usize;
        prop_assert!(chosen.len() <= groups as usize);
        prop_assert!(chosen.iter().all(|group| (1..=size).contains(&group.len())));

        let taken: BTreeSet<u64> = chosen.iter().flatten().copied().collect();
        prop_assert_eq!(taken.len(), chosen.iter().map(Vec::len).sum::<usize>(), "a run is in two groups");
        let of = |run: u64| &queue[run as usize];
        for group in &chosen {
            prop_assert!(group.is_sorted());
            let opener = of(group[0]);
            prop_assert!(group.iter().all(
                |&run| of(run).sweep == opener.sweep && of(run).shape_key == opener.shape_key
            ));
        }
        let openers: Vec<u64> = chosen.iter().map(|group| group[0]).collect();
        prop_assert!(openers.is_sorted(), "{openers:?}");

        let running = |sweep: i64| taken.iter().filter(|&&run| of(run).sweep == sweep).count() as u32;
        let is_at_limit = |sweep: i64| headroom.get(&sweep).is_some_and(|&limit| running(sweep) == limit);
        prop_assert!(headroom.iter().all(|(&sweep, &limit)| running(sweep) <= limit));

        for waiting in queue.iter().filter(|candidate| !taken.contains(&candidate.run)) {
            // Only the limit of its sweep keeps a run back that stands before an opener, …
            let would_open = chosen.len() < groups as usize || openers.last().is_some_and(|&last| waiting.run < last);
            // … or behind the opener of a group of its shape that has room.
            let would_fill = chosen.iter().any(|group| {
                let opener = of(group[0]);
                group.len() < size && opener.run < waiting.run
                    && (opener.sweep, &opener.shape_key) == (waiting.sweep, &waiting.shape_key)
            });
            prop_assert!(
                !(would_open && groups > 0 || would_fill) || is_at_limit(waiting.sweep),
                "run {} waits although it fits: {chosen:?}", waiting.run
            );
        }
    }
}
