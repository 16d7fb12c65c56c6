//! The single-layer classifier of latent codes (paper, section 5.1).

use tch::{Device, Kind, Reduction, Tensor};

use super::{Initial, Parameter, Parameters, Role};

/// One dense layer on the latents flattened as C, H, W.
#[derive(Debug)]
pub struct Classifier {
    /// Parameters `classifier.weight` and `classifier.bias`.
    pub parameters: Parameters,
}

impl Classifier {
    /// Initial weights of the run seeded with `seed`: Glorot uniform, zero bias.
    pub fn new(latent_size: i64, classes: i64, seed: u64, options: (Kind, Device)) -> Classifier {
        let limit = (6.0 / (latent_size + classes) as f64).sqrt();
        let table = vec![
            Parameter {
                name: "classifier.weight".into(),
                shape: vec![classes, latent_size],
                initial: Initial::Uniform { limit },
            },
            Parameter { name: "classifier.bias".into(), shape: vec![classes], initial: Initial::Zero },
        ];
        Classifier { parameters: Parameters::new(table, &mut Role::Classifier.weights(seed), options) }
    }

    /// Logits `[n, classes]` of latents `[n, latent, w, w]`, through which no gradient flows back.
    pub fn forward(&self, latents: &Tensor) -> Tensor {
        let [weight, bias] = self.parameters.leaves() else { unreachable!("a weight and a bias") };
        let flat = latents.detach().flatten(1, -1); // copies to C, H, W order
        flat.linear(weight, Some(bias))
    }

    /// Softmax cross-entropy, averaged over the batch, for labels `[n]`.
    pub fn loss(&self, latents: &Tensor, labels: &Tensor) -> Tensor {
        let (class_weights, ignored_label, smoothing) = (None::<&Tensor>, -1, 0.0);
        self.forward(latents).cross_entropy_loss(
            labels,
            class_weights,
            Reduction::Mean,
            ignored_label,
            smoothing,
        )
    }
}
