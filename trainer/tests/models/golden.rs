//! Every model's step against an independent implementation in eager PyTorch (`trainer/eager`), in f64: losses, and
//! weights and averages after two steps; of images and of strings.

use std::collections::HashMap;

use acai_sweep::training::{Dataset, Model as Of, Precision, TrainingConfig};
use acai_trainer::data::strings;
use acai_trainer::medium::Medium;
use acai_trainer::model::{self, Input, Model};
use acai_trainer::network::channels_last;
use acai_trainer::random::{Draws, Purpose};
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use crate::small_run::device;

const STEPS: u64 = 2;

/// The models, with the hyper-parameters of `trainer/eager/models.py`.
const MODELS: [(&str, Of); 9] = [
    ("baseline", Of::Baseline),
    ("dropout", Of::Dropout { dropout: 1.0 - 0.6 }),
    ("denoising", Of::Denoising { noise: 0.8 }),
    ("vae", Of::Vae { beta: 0.7 }),
    ("aae", Of::Aae { adversary_lr: 5e-4 }),
    ("vqvae", Of::Vqvae { beta: 10.0, codes: 16, num_latents: 3 }),
    ("acai", Of::Acai { lambda: 0.5, gamma: 0.2, advdepth: 2 }),
    ("acai_vae", Of::AcaiVae { beta: 0.7, lambda: 0.5, gamma: 0.2, advdepth: 2 }),
    ("pixels", Of::Pixels),
];

/// The models that take strings, with the hyper-parameters of `trainer/eager/strings.py`.
const OF_STRINGS: [(&str, Of); 6] = [
    ("baseline", Of::Baseline),
    ("dropout", Of::Dropout { dropout: 1.0 - 0.6 }),
    ("denoising", Of::Denoising { noise: 0.3 }),
    ("vae", Of::Vae { beta: 0.7 }),
    ("acai", Of::Acai { lambda: 0.5, gamma: 0.2, advdepth: 2 }),
    ("acai_vae", Of::AcaiVae { beta: 0.7, lambda: 0.5, gamma: 0.2, advdepth: 2 }),
];

fn golden(file: &[u8]) -> HashMap<String, Tensor> {
    let file = SafeTensors::deserialize(file).expect("the golden file is whole");
    let tensor = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        let shape: Vec<i64> = view.shape().iter().map(|size| *size as i64).collect();
        let kind = if view.dtype() == Dtype::I64 { Kind::Int64 } else { Kind::Double };
        (name, Tensor::from_data_size(view.data(), &shape, kind).to_device(device()))
    };
    file.tensors().into_iter().map(tensor).collect()
}

/// The random numbers that the golden file has for a step.
struct Stored<'a> {
    golden: &'a HashMap<String, Tensor>,
    step: u64,
}

impl Stored<'_> {
    fn draw(&self, name: &str, n: i64, d: i64) -> Tensor {
        self.golden[&format!("step{}.draw.{name}", self.step)].view([1, n, d])
    }
}

impl Draws for Stored<'_> {
    fn uniform(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        let name = match purpose {
            // In [0, 0.5] already: folding leaves it as it is.
            Purpose::Alpha => "alpha",
            Purpose::Dropout => "keep",
            Purpose::Noise => "replaced",
            _ => panic!("no model draws uniform numbers for {purpose:?}"),
        };
        self.draw(name, n, d)
    }

    fn normal(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        let name = match purpose {
            Purpose::Noise => "noise",
            Purpose::Posterior => "epsilon",
            Purpose::Prior => "prior",
            _ => panic!("no model draws normal numbers for {purpose:?}"),
        };
        self.draw(name, n, d)
    }
}

fn untrained(medium: Medium, name: &str, of: &Of, golden: &HashMap<String, Tensor>) -> Box<dyn Model> {
    let config = TrainingConfig {
        model: of.clone(),
        dataset: if medium.is_strings() { Dataset::Typeover32 } else { Dataset::Lines32 },
        depth: 2,
        latent: 1,
        latent_width: 4,
        batch: 4,
        lr: 1e-3,
        total_kimg: 1.0,
        eval_kimg: 1.0,
        precision: Precision::Fp32,
        kmeans_inits: 1,
    };
    let double = (Kind::Double, device());
    let mut model = model::new(&[(&config, 0)], (medium, 10), double).expect("sizes are valid");
    let prefix = if name == "pixels" { "init.pixels." } else { "init." };
    for parameters in model.parameters_mut() {
        for (name, mut weight) in parameters.named(&parameters.weights, 0) {
            let initial = &golden[&format!("{prefix}{name}")];
            weight.copy_(&initial.view_as(&weight));
        }
    }
    for (name, average) in model.averages() {
        if name != "codebook_counts" {
            average.select(0, 0).copy_(&golden["init.codebook"]);
        }
    }
    model
}

/// Largest difference between two tensors, relative to the largest value of the second.
fn error(ours: &Tensor, theirs: &Tensor) -> f64 {
    ((ours - theirs.view_as(ours)).abs().max() / theirs.abs().max()).double_value(&[])
}

#[test]
fn two_steps_of_each_model_equal_those_of_pytorch() {
    let golden = golden(include_bytes!("../golden/models_golden.safetensors"));
    compare(Medium::GREY, &MODELS, &golden, |step| golden[&format!("step{step}.x")].shallow_clone());
}

#[test]
fn two_steps_on_strings_equal_those_of_pytorch() {
    let golden = golden(include_bytes!("../golden/strings_golden.safetensors"));
    let strings = |step| {
        let one_hot = golden[&format!("step{step}.strings")].one_hot(32).to_kind(Kind::Double);
        one_hot.transpose(1, 2).unsqueeze(2) * 32_f64.sqrt()
    };
    compare(strings::MEDIUM, &OF_STRINGS, &golden, strings);
}

fn compare(
    medium: Medium,
    models: &[(&str, Of)],
    golden: &HashMap<String, Tensor>,
    examples: impl Fn(u64) -> Tensor,
) {
    for (name, of) in models {
        let mut model = untrained(medium, name, of, golden);
        for step in 0..STEPS {
            let input = Input {
                images: channels_last(&examples(step)),
                labels: golden[&format!("step{step}.labels")].unsqueeze(0),
                draws: &Stored { golden, step },
            };
            let losses = model::step(&mut *model, &input, &[step + 1]).read().remove(0);
            let theirs = golden.keys().filter(|key| key.starts_with(&format!("{name}.step{step}.")));
            assert_eq!(theirs.count(), losses.len(), "{name} has other losses: {losses:?}");
            for (loss, ours) in losses {
                let theirs = golden[&format!("{name}.step{step}.{loss}")].double_value(&[0]);
                let off = (ours / theirs - 1.0).abs();
                assert!(off < 1e-9, "{name}, step {step}: {loss} is {ours}, PyTorch has {theirs}");
            }
        }
        let mut compared = 0;
        for parameters in model.parameters() {
            for (parameter, ours) in parameters.named(&parameters.weights, 0) {
                let error = error(&ours, &golden[&format!("{name}.final.{parameter}")]);
                assert!(error < 1e-9, "{name}: {parameter} is off by {error}");
                compared += 1;
            }
        }
        for (average, ours) in model.averages() {
            let error = error(&ours.select(0, 0), &golden[&format!("{name}.final.{average}")]);
            assert!(error < 1e-9, "{name}: {average} is off by {error}");
            compared += 1;
        }
        let finals = golden.keys().filter(|key| key.starts_with(&format!("{name}.final.")));
        assert_eq!(finals.count(), compared, "{name} has other parameters");
    }
}
