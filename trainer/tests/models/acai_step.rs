//! ACAI's step against an independent implementation in eager PyTorch, f64: losses, gradients, weights.

use acai_sweep::training::Precision;
use acai_trainer::adam;
use acai_trainer::medium::Medium;
use acai_trainer::model::{Acai, AdversarialRegularizer, Autoencoder, Input, Model};
use acai_trainer::network::{Architecture, Members, channels_last};
use acai_trainer::random::{Draws, Purpose};
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use crate::small_run::device;

const GOLDEN: &[u8] = include_bytes!("../golden/acai_step_golden.safetensors");
const STEPS: u64 = 3;
const LAMBDA: f64 = 0.5;

struct Golden(SafeTensors<'static>);

/// The golden step's α `[n]`, which folding leaves as they are.
struct Alpha(Tensor);

impl Draws for Alpha {
    fn uniform(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        assert_eq!((purpose, n, d), (Purpose::Alpha, self.0.size()[0], 1));
        self.0.view([1, -1, 1])
    }

    fn normal(&self, purpose: Purpose, _n: i64, _d: i64) -> Tensor {
        panic!("ACAI draws no normal numbers, but asked for {purpose:?}")
    }
}

impl Golden {
    fn open() -> Golden {
        Golden(SafeTensors::deserialize(GOLDEN).expect("the golden file is whole"))
    }

    fn tensor(&self, name: &str, kind: Kind) -> Tensor {
        let view = self.0.tensor(name).expect("the golden file has it");
        let shape: Vec<i64> = view.shape().iter().map(|size| *size as i64).collect();
        let stored = if view.dtype() == Dtype::I64 { Kind::Int64 } else { Kind::Double };
        Tensor::from_data_size(view.data(), &shape, stored).to_device(device()).to_kind(kind)
    }

    fn input<'a>(&self, step: u64, kind: Kind, alpha: &'a Alpha) -> Input<'a> {
        let images = channels_last(&self.tensor(&format!("step{step}.x"), kind));
        let labels = self.tensor(&format!("step{step}.labels"), Kind::Int64).unsqueeze(0);
        Input { images, labels, draws: alpha }
    }

    /// The golden run's model, with its initial weights.
    fn model(&self, kind: Kind) -> Acai {
        let sizes = Architecture::new(Medium::GREY, 4, 4, 4, Precision::Fp32)
            .expect("the golden run's sizes are valid");
        let members = Members { seeds: vec![0], lr: vec![1e-3], options: (kind, device()) };
        let mut acai = Acai {
            autoencoder: Autoencoder::new(&sizes, 10, &members),
            regularizer: AdversarialRegularizer::new(&sizes, &[LAMBDA], &[0.2], &members),
        };
        for parameters in acai.parameters_mut() {
            for (name, mut weight) in parameters.named(&parameters.weights, 0) {
                weight.copy_(&self.tensor(&format!("init.{name}"), kind));
            }
        }
        acai
    }
}

/// Largest difference between two tensors, relative to the largest value of the second.
fn error(ours: &Tensor, theirs: &Tensor) -> f64 {
    let difference = (ours - theirs).abs().max().double_value(&[]);
    difference / theirs.abs().max().double_value(&[])
}

/// Three steps: losses of each, gradients of the first and weights after the last, all within the given
/// errors. In f32, gradients and weights are not compared by element: Adam divides tiny gradients by
/// their own size, which turns a rounding error into a step of full length.
fn three_steps_match(kind: Kind, loss_error: f64, gradient_error: f64, weight_error: f64) {
    let golden = Golden::open();
    let mut acai = golden.model(kind);
    let losses = golden.tensor("losses", Kind::Double); // [steps, 4]
    for step in 0..STEPS {
        let alpha = Alpha(golden.tensor(&format!("step{step}.alpha"), kind));
        let (ours, gradients) = acai.gradients(&golden.input(step, kind, &alpha));
        let ours = ours.read().remove(0);
        let columns = [
            ours["loss_ae"],
            LAMBDA * ours["loss_ae_disc"],
            ours["loss_disc"] + ours["loss_disc_real"],
            ours["loss_classifier"],
        ];
        for (column, loss) in columns.into_iter().enumerate() {
            let expected = losses.double_value(&[step as i64, column as i64]);
            let relative = (loss - expected).abs() / expected.abs();
            assert!(relative < loss_error, "loss {column} of step {step}: {loss} is not {expected}");
        }
        for (parameters, gradient) in acai.parameters_mut().into_iter().zip(&gradients) {
            if step == 0 {
                for (name, ours) in parameters.named(gradient, 0) {
                    let error = error(&ours, &golden.tensor(&format!("grad0.{name}"), kind));
                    assert!(error < gradient_error, "gradient of {name} is off by {error}");
                }
            }
            adam::update(parameters, gradient, &[step + 1]);
        }
    }
    for parameters in acai.parameters() {
        for (name, ours) in parameters.named(&parameters.weights, 0) {
            let error = error(&ours, &golden.tensor(&format!("final.{name}"), kind));
            assert!(error < weight_error, "{name} is off by {error}");
        }
    }
}

#[test]
fn three_steps_in_f64_equal_those_of_pytorch() {
    three_steps_match(Kind::Double, 1e-9, 1e-9, 1e-9);
}

#[test]
fn three_steps_in_f32_equal_those_of_pytorch() {
    three_steps_match(Kind::Float, 1e-4, 1e-4, 1e-4);
}
