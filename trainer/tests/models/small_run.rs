//! Small runs of every model: on digits, and where it takes strings on those too.

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_sweep::training::{Dataset, TrainingConfig};
use acai_trainer::data::{self, Source};
use acai_trainer::device;
use acai_trainer::model::{self, Input, Model};
use acai_trainer::network::channels_last;
use acai_trainer::random::Keyed;
use tch::{Device, Kind, Tensor};

/// A model and what it is trained on.
pub(crate) type Case = (&'static str, Dataset);

/// Every model on what it can be trained on.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    const IMAGES: [&str; 9] =
        ["baseline", "dropout", "denoising", "vae", "aae", "vqvae", "acai", "acai_vae", "pixels"];
    const STRINGS: [&str; 6] = ["baseline", "dropout", "denoising", "vae", "acai", "acai_vae"];
    let images = IMAGES.map(|model| (model, Dataset::Digits32));
    images.into_iter().chain(STRINGS.map(|model| (model, Dataset::Typeover32)))
}

/// Run `i` of a shape: its scalars depend on `i`, its sizes do not.
pub(crate) fn config((model, dataset): &Case, i: u64) -> TrainingConfig {
    let share = 0.1 + 0.2 * i as f64;
    let mut values = vec![
        ("model", Scalar::from(*model)),
        ("dataset", Scalar::from(dataset.name())),
        ("depth", Scalar::Int(2)),
        ("latent", Scalar::Int(2)),
        ("latent_width", Scalar::Int(8)),
        ("batch", Scalar::Int(4)),
        ("lr", Scalar::Float(1e-3 / (i + 1) as f64)),
    ];
    values.extend(match *model {
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
pub(crate) struct Group {
    pub(crate) model: Box<dyn Model>,
    runs: Vec<u64>,
    kind: Kind,
    step: u64,
}

impl Group {
    pub(crate) fn new(case: &Case, runs: &[u64], kind: Kind) -> Group {
        let configs: Vec<TrainingConfig> = runs.iter().map(|run| config(case, *run)).collect();
        let members: Vec<_> = configs.iter().zip(runs.iter().copied()).collect();
        let source = open(case);
        let examples = (source.medium(), source.classes());
        let model = model::new(&members, examples, (kind, device())).expect("sizes are valid");
        Group { model, runs: runs.into(), kind, step: 0 }
    }

    pub(crate) fn train(&mut self, source: &dyn Source, steps: u64) {
        for _ in 0..steps {
            let keys: Vec<(u64, u64)> = self.runs.iter().map(|run| (*run, self.step)).collect();
            let batches: Vec<_> = keys.iter().map(|(seed, step)| source.batch(*seed, *step, 4)).collect();
            let images = Tensor::cat(&batches.iter().map(|batch| &batch.images).collect::<Vec<_>>(), 1);
            let labels = Tensor::stack(&batches.iter().map(|batch| &batch.labels).collect::<Vec<_>>(), 0);
            let draws = Keyed { keys: &keys, options: (self.kind, device()) };
            let images = channels_last(&images.to_device(device()).to_kind(self.kind));
            let labels = labels.to_device(device());
            self.step += 1;
            let t = vec![self.step; keys.len()];
            model::step(&mut *self.model, &Input { images, labels, draws: &draws }, &t);
        }
    }

    /// Its first members, so many of them.
    pub(crate) fn only(self, members: usize) -> Group {
        let model = self.model.pick(&|tensor| tensor.narrow(0, 0, members as i64));
        Group { model, runs: self.runs[..members].into(), ..self }
    }

    /// Takes in the members of another group, which has done as many steps.
    pub(crate) fn join(&mut self, others: Group) {
        assert_eq!(self.step, others.step);
        self.model = model::together(&*self.model, &*others.model);
        self.runs.extend(others.runs);
    }

    /// All weights, moments and averages of the member.
    pub(crate) fn state(&self, member: usize) -> Tensor {
        let member = model::member(&*self.model, member);
        let mut state: Vec<Tensor> = Vec::new();
        for network in member.parameters() {
            state.extend([&network.weights, &network.first_moment, &network.second_moment].map(row));
        }
        state.extend(member.averages().iter().map(|(_, average)| row(average)));
        Tensor::cat(&state, 0)
    }
}

fn row(tensor: &Tensor) -> Tensor {
    tensor.reshape(-1)
}

/// Where models are tested: on the CPU, or on what `ACAI_TEST_DEVICE` names as `--device` does.
pub(crate) fn device() -> Device {
    let name = std::env::var("ACAI_TEST_DEVICE").unwrap_or("cpu".into());
    device::open(&name).expect("there is such a device")
}

/// What is trained on.
pub(crate) fn open((_, dataset): &Case) -> Box<dyn Source> {
    data::open(dataset, None).expect("the dataset is built in")
}
