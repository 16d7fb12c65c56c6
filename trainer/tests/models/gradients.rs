//! Gradients are those of the losses that are reported.

use std::collections::BTreeMap;

use acai_sweep::training::Model as Of;
use acai_trainer::data::Batch;
use acai_trainer::model::{self, Input, Model};
use acai_trainer::network::channels_last;
use acai_trainer::random::Keyed;
use tch::{Device, Kind, Tensor};

use crate::small_run::{cases, config, open};

const F64: (Kind, Device) = (Kind::Double, Device::Cpu);
/// Length of the way on which a loss is compared with its gradient: short, for a leaky ReLU turns somewhere.
const STEP: f64 = 1e-7;

/// What a parameter is to minimise. `None` before a quantiser: gradients go straight through it, so that they are those of
/// no loss, and `golden.rs` compares what they lead to with PyTorch.
fn objective(parameter: &str, losses: &BTreeMap<&'static str, f64>, of: &Of) -> Option<f64> {
    let weight_of_adversary = match of {
        Of::Acai { lambda, .. } | Of::AcaiVae { lambda, .. } => *lambda,
        _ => 1.0,
    };
    let quantised = matches!(of, Of::Vqvae { .. });
    match parameter.split('.').next()? {
        "classifier" => Some(losses["loss_classifier"]),
        "critic" | "discriminator" => Some(losses["loss_disc"] + losses["loss_disc_real"]),
        "encoder" | "to_vectors" if quantised => None,
        _ => Some(losses["loss_ae"] + weight_of_adversary * losses.get("loss_ae_disc").unwrap_or(&0.0)),
    }
}

/// Losses and gradients of a batch at weights that differ by `change` in parameter `at` of network `network`.
fn evaluate(
    model: &dyn Model,
    batch: &Batch,
    change: Option<(usize, usize, &Tensor)>,
) -> (BTreeMap<&'static str, f64>, Vec<Tensor>) {
    let mut model = model.pick(&Tensor::copy);
    if let Some((network, at, change)) = change {
        let parameters = &*model.parameters_mut()[network];
        let (_, mut weights) = parameters.named(&parameters.weights, 0).nth(at).expect("it has so many");
        weights += change;
    }
    let images = channels_last(&batch.images.to_kind(Kind::Double));
    let draws = Keyed { keys: &[(0, 0)], options: F64 };
    let labels = batch.labels.unsqueeze(0);
    let (losses, gradients) = model.gradients(&Input { images, labels, draws: &draws });
    (losses.read().remove(0), gradients)
}

#[test]
fn each_parameters_gradient_is_that_of_its_loss() {
    for case in cases() {
        let (source, config) = (open(&case), config(&case, 1));
        let batch = source.batch(0, 0, 4);
        let examples = (source.medium(), source.classes());
        let mut model = model::new(&[(&config, 1)], examples, F64).expect("sizes are valid");
        for parameters in model.parameters_mut() {
            // Biases of 0 would put whole areas of an image where a leaky ReLU has no slope.
            parameters.weights += Tensor::arange(parameters.weights.numel() as i64, F64).sin() * 0.01;
        }
        let (_, gradients) = evaluate(&*model, &batch, None);
        let mut compared = 0;
        for (network, parameters) in model.parameters().iter().enumerate() {
            for (at, (parameter, gradient)) in parameters.named(&gradients[network], 0).enumerate() {
                // Along the gradient a loss rises by its length.
                let length = gradient.norm().double_value(&[]);
                if length == 0.0 {
                    // Of one class nothing is to be learnt.
                    continue;
                }
                let step = &gradient * (STEP / length);
                let loss = |change: &Tensor| {
                    let (losses, _) = evaluate(&*model, &batch, Some((network, at, change)));
                    objective(parameter, &losses, &config.model)
                };
                let (Some(above), Some(below)) = (loss(&step), loss(&-&step)) else { continue };
                let slope = (above - below) / (2.0 * STEP);
                let off = (slope / length - 1.0).abs();
                assert!(off < 1e-4, "{case:?}, {parameter}: slope {slope}, gradient {length}");
                compared += 1;
            }
        }
        assert!(compared > 0, "{case:?}");
    }
}
