//! From configurations to untrained models.

use acai_sweep::training::{Model as Of, TrainingConfig};
use tch::{Device, Kind};

use super::{
    Aae, Acai, AdversarialRegularizer, Autoencoder, Baseline, Corruption, Encodes, Likelihood, Model, Pixels,
    Vae, VqVae,
};
use crate::medium::{Medium, WIDTH};
use crate::network::{Architecture, ArchitectureError, Classifier, Members};

/// The untrained models of runs of one shape, each a configuration and a seed, for examples of this kind
/// in `classes` classes. What does not fix the shape is each run's own.
///
/// ACAI with λ = 0 is the autoencoder without a critic: no gradient of one would reach it, so none is trained.
///
/// # Errors
/// When the sizes fit no network.
///
/// # Panics
/// On no runs, or on runs of different models.
pub fn new(
    runs: &[(&TrainingConfig, u64)],
    (medium, classes): (Medium, i64),
    options: (Kind, Device),
) -> Result<Box<dyn Model>, ArchitectureError> {
    let (first, _) = runs[0];
    let each = |value: &dyn Fn(&TrainingConfig) -> f64| -> Vec<f64> {
        runs.iter().map(|(config, _)| value(config)).collect()
    };
    let members = Members {
        seeds: runs.iter().map(|(_, seed)| *seed).collect(),
        lr: each(&|config| config.lr),
        options,
    };
    let shape = |depth| Architecture::new(medium, depth, first.latent, first.latent_width, first.precision);
    let sizes = shape(first.depth)?;
    let autoencoder = || Autoencoder::new(&sizes, classes, &members);
    let bounded = || Autoencoder { likelihood: Likelihood::of_bound(medium), ..autoencoder() };
    let code = (sizes.latent_size(), sizes.latent_extent());
    let lambda = each(&|config| match config.model {
        Of::Acai { lambda, .. } | Of::AcaiVae { lambda, .. } => lambda,
        _ => 0.0,
    });
    let gamma = each(&|config| match config.model {
        Of::Acai { gamma, .. } | Of::AcaiVae { gamma, .. } => gamma,
        _ => 0.0,
    });
    let beta = each(&|config| match config.model {
        Of::Vae { beta } | Of::AcaiVae { beta, .. } | Of::Vqvae { beta, .. } => beta,
        _ => 0.0,
    });
    let critic = match first.model {
        Of::Acai { lambda: first, advdepth, .. } | Of::AcaiVae { lambda: first, advdepth, .. }
            if first != 0.0 =>
        {
            Some(AdversarialRegularizer::new(&shape(advdepth)?, &lambda, &gamma, &members))
        }
        _ => None,
    };
    let baseline = |corruption| Baseline { autoencoder: autoencoder(), corruption };
    Ok(match (&first.model, critic) {
        (Of::Acai { .. }, Some(regularizer)) => Box::new(Acai { autoencoder: autoencoder(), regularizer }),
        (Of::Baseline | Of::Acai { .. }, _) => Box::new(baseline(Corruption::None)),
        (Of::Denoising { .. }, _) => {
            let noise = each(&|config| if let Of::Denoising { noise } = config.model { noise } else { 0.0 });
            let noise = members.scalars(&noise);
            Box::new(baseline(match medium {
                Medium::Images { .. } => Corruption::Noise(noise),
                Medium::Strings { .. } => Corruption::Replacement(noise),
            }))
        }
        (Of::Dropout { .. }, _) => {
            let share =
                each(&|config| if let Of::Dropout { dropout } = config.model { dropout } else { 0.0 });
            Box::new(baseline(Corruption::Dropout(members.scalars(&share))))
        }
        (Of::Vae { .. }, _) => Box::new(Vae::new(bounded(), code, &beta, (None, Encodes::Draws), &members)),
        (Of::AcaiVae { .. }, critic) => {
            Box::new(Vae::new(bounded(), code, &beta, (critic, Encodes::Means), &members))
        }
        (Of::Aae { .. }, _) => {
            let lr =
                each(&|config| if let Of::Aae { adversary_lr } = config.model { adversary_lr } else { 0.0 });
            let adversaries = Members { lr, ..members.clone() };
            Box::new(Aae::new(autoencoder(), sizes.latent_size(), &adversaries))
        }
        (&Of::Vqvae { codes, num_latents, .. }, _) => {
            let book = (codes.into(), num_latents.into());
            Box::new(VqVae::new(autoencoder(), code, book, &beta, &members))
        }
        (Of::Pixels, _) => {
            let pixels = medium.channels() * medium.height() * WIDTH;
            Box::new(Pixels { classifier: Classifier::new(pixels, classes, &members) })
        }
    })
}
