//! A run in a group is the same run as alone.

use acai_trainer::model;
use tch::{Device, Kind, Tensor};

use crate::small_run::{Case, Group, cases, device, open};

fn trained(case: &Case, runs: &[u64], kind: Kind, steps: u64) -> Group {
    // Two threads share out a sum over an odd group otherwise than over an even one.
    tch::set_num_threads(1);
    let source = open(case);
    let mut group = Group::new(case, runs, kind);
    group.train(&*source, steps);
    group
}

/// ‖a - b‖ / ‖b‖.
fn error(a: &Tensor, b: &Tensor) -> f64 {
    ((a - b).norm() / b.norm()).double_value(&[])
}

#[test]
fn a_member_of_a_group_ends_equal_to_the_same_run_alone_in_f64() {
    for model in cases() {
        let group = trained(&model, &[0, 1, 2], Kind::Double, 100);
        for run in [0, 2] {
            let alone = trained(&model, &[run], Kind::Double, 100);
            let error = error(&group.state(run as usize), &alone.state(0));
            assert!(error < 1e-12, "{model:?}, run {run}: off by {error}");
        }
    }
}

/// A rounding that turns the sign of a gradient near 0 is a step of full length in Adam, which is some 1e-4 of the state;
/// so now and then f32 leaves the run in f64 by as much, alone or in a group. Another run is as far as its weights are long.
#[test]
fn a_member_of_a_group_ends_equal_to_the_same_run_alone_in_f32() {
    for model in cases() {
        let group = trained(&model, &[0, 1, 2], Kind::Float, 100).state(1);
        let alone = trained(&model, &[1], Kind::Float, 100).state(0);
        let off = error(&group, &alone);
        assert!(off < 1e-3, "{model:?}: off by {off}");
    }
}

#[test]
fn groups_of_any_size_from_two_on_give_a_member_the_same_bits() {
    if device() != Device::Cpu {
        eprintln!("skipped: promised on the CPU alone");
        return;
    }
    for model in cases() {
        let two = trained(&model, &[0, 1], Kind::Float, 10).state(1);
        for group in [&[1, 2, 3][..], &[0, 2, 3, 1, 4]] {
            let at = group.iter().position(|run| *run == 1).expect("it is one of them");
            assert_eq!(trained(&model, group, Kind::Float, 10).state(at), two, "{model:?} among {group:?}");
        }
    }
}

#[test]
fn a_member_that_is_not_finite_leaves_the_bits_of_the_others() {
    tch::set_num_threads(1);
    for model in cases() {
        let source = open(&model);
        let mut group = Group::new(&model, &[0, 1, 2], Kind::Float);
        for (i, poison) in [f64::NAN, f64::INFINITY].into_iter().enumerate() {
            for network in model::member(&*group.model, 2 * i).parameters_mut() {
                let _ = network.weights.fill_(poison);
            }
        }
        group.train(&*source, 5);
        assert_eq!(group.state(1), trained(&model, &[0, 1, 2], Kind::Float, 5).state(1), "{model:?}");
    }
}

#[test]
fn members_that_join_a_group_end_with_the_bits_of_any_group() {
    if device() != Device::Cpu {
        eprintln!("skipped: promised on the CPU alone");
        return;
    }
    for model in cases() {
        let source = open(&model);
        let whole = trained(&model, &[0, 1, 2], Kind::Float, 10);
        let (mut some, another) =
            (trained(&model, &[0, 1], Kind::Float, 5), trained(&model, &[2, 3], Kind::Float, 5));
        some.join(another.only(1));
        some.train(&*source, 5);
        for member in 0..3 {
            assert_eq!(some.state(member), whole.state(member), "{model:?}, member {member}");
        }
    }
}
