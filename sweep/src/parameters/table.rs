//! The table itself.

use std::ops::Bound::{Excluded, Included};

use super::DefaultValue::{ByDataset, ByModel, Float, Int, Required, SameAs, Word};
use super::{Kind, Models, Parameter, Sharing};
use crate::scalar::Scalar;
use crate::training::{Dataset, IMAGE_WIDTH};

/// Channels at the first scale. The paper uses 16 and 64; at 128 and `latent_width` 1 the widest
/// convolution has 4096² × 9 weights (0.6 GB), the most that anybody can ask for.
const DEPTH: Kind = Kind::Int(1..=128);

/// Models with the adversarial regularizer.
const CRITICS: Models = Models::Only(&["acai", "acai_vae"]);

/// Step sizes of Adam.
const LR: Kind = Kind::Float(Excluded(0.0), Included(1.0));

/// Training lengths, in units of 1024 images; the paper's longest is 16384.
const KIMG: Kind = Kind::Float(Excluded(0.0), Included(1e6));

/// Every parameter, in the order in which people see them. Defaults are the paper's (Berthelot et
/// al. 2018, section 4 and appendix) and its authors' code's. A row that is added says in `before`
/// what runs had in effect until then.
pub static PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "model",
        kind: Kind::Word(&[
            "baseline",
            "dropout",
            "denoising",
            "vae",
            "aae",
            "vqvae",
            "acai",
            "acai_vae",
            "pixels",
        ]),
        default: Required,
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "which autoencoder is trained",
    },
    Parameter {
        name: "dataset",
        kind: Kind::Dataset,
        default: Required,
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "what it is trained on",
    },
    Parameter {
        name: "lambda",
        kind: Kind::Float(Included(0.0), Included(1e3)),
        default: Float(0.5),
        before: None,
        models: CRITICS,
        needs: None,
        // Without the adversarial term the critic cannot move the autoencoder, so none is trained.
        sharing: Sharing::Zero,
        doc: "weight of the adversarial term in the autoencoder's loss (the authors' advweight)",
    },
    Parameter {
        name: "gamma",
        kind: Kind::Float(Included(0.0), Included(1.0)),
        default: Float(0.2),
        before: None,
        models: CRITICS,
        needs: Some("lambda"),
        sharing: Sharing::Free,
        doc: "share of the data in the critic's regularizing input (the authors' reg)",
    },
    Parameter {
        name: "beta",
        kind: Kind::Float(Included(0.0), Included(1e3)),
        default: ByModel(beta),
        before: None,
        models: Models::Only(&["vae", "acai_vae", "vqvae"]),
        needs: None,
        sharing: Sharing::Free,
        doc: "weight of the KL term; for vqvae that of the commitment loss",
    },
    Parameter {
        name: "noise",
        kind: Kind::Float(Included(0.0), Included(1e2)),
        default: ByDataset(noise),
        before: None,
        models: Models::Only(&["denoising"]),
        needs: None,
        sharing: Sharing::Free,
        doc: "standard deviation of the noise on the encoder's images; for strings the share of characters that are replaced, at most 1",
    },
    Parameter {
        name: "dropout",
        kind: Kind::Float(Included(0.0), Excluded(1.0)),
        default: Float(0.5),
        before: None,
        models: Models::Only(&["dropout"]),
        needs: None,
        sharing: Sharing::Free,
        doc: "share of a code's values that a training step drops (the paper has 0.25 on cifar10)",
    },
    Parameter {
        name: "codes",
        kind: Kind::Int(2..=1 << 16),
        default: Int(1 << 14),
        before: None,
        models: Models::Only(&["vqvae"]),
        needs: None,
        sharing: Sharing::Equal,
        doc: "vectors in the codebook",
    },
    Parameter {
        name: "num_latents",
        kind: Kind::Int(1..=64),
        default: Int(10),
        before: None,
        models: Models::Only(&["vqvae"]),
        needs: None,
        sharing: Sharing::Equal,
        doc: "vectors of the codebook that make up a code",
    },
    Parameter {
        name: "lr",
        kind: LR,
        default: Float(1e-4),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Free,
        doc: "Adam's step size, for every network of the run",
    },
    Parameter {
        name: "adversary_lr",
        kind: LR,
        default: Float(1e-4),
        before: None,
        models: Models::Only(&["aae"]),
        needs: None,
        sharing: Sharing::Free,
        doc: "Adam's step size for the discriminator of codes",
    },
    Parameter {
        name: "batch",
        kind: Kind::Int(1..=4096),
        default: Int(64),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "images in a training step",
    },
    Parameter {
        name: "depth",
        kind: DEPTH,
        default: ByDataset(depth),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "channels after the first convolution, doubled at each scale",
    },
    Parameter {
        name: "latent",
        kind: Kind::Int(1..=1024),
        default: Int(16),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "channels of the latent code",
    },
    Parameter {
        name: "latent_width",
        // At least one scale: a code as wide as the image would be no bottleneck.
        kind: Kind::PowerOfTwo(1..=IMAGE_WIDTH as i64 / 2),
        default: ByDataset(latent_width),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "width and, of images, height of the latent code; there are log2(32 / latent_width) scales",
    },
    Parameter {
        name: "advdepth",
        kind: DEPTH,
        default: SameAs("depth"),
        before: None,
        models: CRITICS,
        needs: Some("lambda"),
        sharing: Sharing::Equal,
        doc: "channels of the critic after its first convolution",
    },
    Parameter {
        name: "total_kimg",
        kind: KIMG,
        default: Float(16384.0),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "length of training, in units of 1024 images",
    },
    Parameter {
        name: "eval_kimg",
        kind: KIMG,
        default: Float(64.0),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "training between two evaluations, in units of 1024 images",
    },
    Parameter {
        name: "precision",
        kind: Kind::Word(&["fp32", "tf32", "bf16"]),
        default: Word("fp32"),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "what convolutions compute in (tf32: on a CPU the same as fp32); weights, losses and moments are fp32",
    },
    Parameter {
        name: "kmeans_inits",
        kind: Kind::Int(1..=100_000),
        default: Int(1000),
        before: None,
        models: Models::All,
        needs: None,
        sharing: Sharing::Free,
        doc: "restarts of K-means when the final codes are clustered (datasets with labels and an end)",
    },
];

fn beta(model: &str) -> f64 {
    if model == "vqvae" { 10.0 } else { 1.0 }
}

fn noise(dataset: &Dataset) -> Scalar {
    Scalar::Float(if dataset.is_strings() { 0.3 } else { 1.0 })
}

fn depth(dataset: &Dataset) -> Scalar {
    Scalar::Int(match dataset {
        Dataset::Lines32
        | Dataset::Digits32
        | Dataset::Mnist32
        | Dataset::FashionMnist32
        | Dataset::Typeover32
        | Dataset::Curve(_)
        | Dataset::Text(_) => 16,
        Dataset::Svhn32 | Dataset::Cifar10 | Dataset::Celeba32 | Dataset::Images(_) => 64,
    })
}

fn latent_width(dataset: &Dataset) -> Scalar {
    Scalar::Int(match dataset {
        Dataset::Lines32 | Dataset::Typeover32 | Dataset::Curve(_) | Dataset::Text(_) => 2,
        _ => 4,
    })
}
