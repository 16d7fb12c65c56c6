//! A run in a group is the same run as alone.

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_sweep::training::{Dataset, TrainingConfig};
use acai_trainer::data::{self, Source};
use acai_trainer::model::{self, Input, Model};
use acai_trainer::network::channels_last;
use acai_trainer::random::Keyed;
use tch::{Device, Kind, Tensor};

const MODELS: [&str; 9] =
    ["baseline", "dropout", "denoising", "vae", "aae", "vqvae", "acai", "acai_vae", "pixels"];

/// Run `i` of a shape: its scalars depend on `i`, its sizes do not.
fn config(model: &str, i: u64) -> TrainingConfig {
    let share = 0.1 + 0.2 * i as f64;
    let mut values = vec![
        ("model", Scalar::from(model)),
        ("dataset", Scalar::from("digits32")),
        ("depth", Scalar::Int(2)),
        ("latent", Scalar::Int(2)),
        ("latent_width", Scalar::Int(8)),
        ("batch", Scalar::Int(4)),
        ("lr", Scalar::Float(1e-3 / (i + 1) as f64)),
    ];
    values.extend(match model {
        "acai" | "acai_vae" => vec![("lambda", Scalar::Float(share)), ("gamma", Scalar::Float(share / 2.0))],
        "denoising" => vec![("noise", Scalar::Float(share))],
        "dropout" => vec![("dropout", Scalar::Float(share))],
        "vae" => vec![("beta", Scalar::Float(share))],
        "vqvae" => vec![("beta", Scalar::Float(share)), ("codes", Scalar::Int(16))],
        "aae" => vec![("adversary_lr", Scalar::Float(1e-3 * share))],
        _ => Vec::new(),
    });
    Configuration::new(values).expect("a valid configuration").training_config()
}

/// Runs trained together.
struct Group {
    model: Box<dyn Model>,
    runs: Vec<u64>,
    kind: Kind,
    step: u64,
}

impl Group {
    fn new(name: &str, runs: &[u64], kind: Kind) -> Group {
        let configs: Vec<TrainingConfig> = runs.iter().map(|run| config(name, *run)).collect();
        let members: Vec<_> = configs.iter().zip(runs.iter().copied()).collect();
        let model = model::new(&members, (1, 10), (kind, Device::Cpu)).expect("sizes are valid");
        Group { model, runs: runs.into(), kind, step: 0 }
    }

    fn train(&mut self, source: &dyn Source, steps: u64) {
        for _ in 0..steps {
            let keys: Vec<(u64, u64)> = self.runs.iter().map(|run| (*run, self.step)).collect();
            let batches: Vec<_> = keys.iter().map(|(seed, step)| source.batch(*seed, *step, 4)).collect();
            let images = Tensor::cat(&batches.iter().map(|batch| &batch.images).collect::<Vec<_>>(), 1);
            let labels = Tensor::stack(&batches.iter().map(|batch| &batch.labels).collect::<Vec<_>>(), 0);
            let draws = Keyed { keys: &keys, options: (self.kind, Device::Cpu) };
            let images = channels_last(&images.to_kind(self.kind));
            self.step += 1;
            let t = vec![self.step; keys.len()];
            model::step(&mut *self.model, &Input { images, labels, draws: &draws }, &t);
        }
    }

    /// All weights, moments and averages of the member.
    fn state(&self, member: usize) -> Tensor {
        let member = model::member(&*self.model, member);
        let mut state: Vec<Tensor> = Vec::new();
        for network in member.parameters() {
            state.extend([&network.weights, &network.first_moment, &network.second_moment].map(Tensor::row));
        }
        state.extend(member.averages().iter().map(|(_, average)| average.row()));
        Tensor::cat(&state, 0)
    }
}

trait Row {
    fn row(&self) -> Tensor;
}

impl Row for Tensor {
    fn row(&self) -> Tensor {
        self.reshape(-1)
    }
}

fn trained(name: &str, runs: &[u64], kind: Kind, steps: u64) -> Group {
    // Two threads share out a sum over an odd group otherwise than over an even one.
    tch::set_num_threads(1);
    let source = data::open(Dataset::Digits32, None).expect("digits are built in");
    let mut group = Group::new(name, runs, kind);
    group.train(&*source, steps);
    group
}

/// ‖a - b‖ / ‖b‖.
fn error(a: &Tensor, b: &Tensor) -> f64 {
    ((a - b).norm() / b.norm()).double_value(&[])
}

#[test]
fn a_member_of_a_group_ends_equal_to_the_same_run_alone_in_f64() {
    for model in MODELS {
        let group = trained(model, &[0, 1, 2], Kind::Double, 100);
        for run in [0, 2] {
            let alone = trained(model, &[run], Kind::Double, 100);
            let error = error(&group.state(run as usize), &alone.state(0));
            assert!(error < 1e-12, "{model}, run {run}: off by {error}");
        }
    }
}

/// A rounding that turns the sign of a gradient near 0 is a step of full length in Adam, so now and then f32 leaves
/// the run in f64 by more, alone or in a group; then that run in f64 is what the group must be near to.
#[test]
fn a_member_of_a_group_ends_equal_to_the_same_run_alone_in_f32() {
    for model in MODELS {
        let group = trained(model, &[0, 1, 2], Kind::Float, 100).state(1);
        let alone = trained(model, &[1], Kind::Float, 100).state(0);
        let off = error(&group, &alone);
        if off >= 1e-5 {
            let exact = error(&group, &trained(model, &[1], Kind::Double, 100).state(0));
            assert!(exact < 1e-5, "{model}: off by {off}, from f64 by {exact}");
        }
    }
}

#[test]
fn groups_of_any_size_from_two_on_give_a_member_the_same_bits() {
    for model in MODELS {
        let two = trained(model, &[0, 1], Kind::Float, 10).state(1);
        for group in [&[1, 2, 3][..], &[0, 2, 3, 1, 4]] {
            let at = group.iter().position(|run| *run == 1).expect("it is one of them");
            assert_eq!(trained(model, group, Kind::Float, 10).state(at), two, "{model} among {group:?}");
        }
    }
}

#[test]
fn a_member_that_is_not_finite_leaves_the_bits_of_the_others() {
    tch::set_num_threads(1);
    let source = data::open(Dataset::Digits32, None).expect("digits are built in");
    for model in MODELS {
        let mut group = Group::new(model, &[0, 1, 2], Kind::Float);
        for (i, poison) in [f64::NAN, f64::INFINITY].into_iter().enumerate() {
            for network in model::member(&*group.model, 2 * i).parameters_mut() {
                let _ = network.weights.fill_(poison);
            }
        }
        group.train(&*source, 5);
        assert_eq!(group.state(1), trained(model, &[0, 1, 2], Kind::Float, 5).state(1), "{model}");
    }
}
