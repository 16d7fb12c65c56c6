//! What a run trains: the resolved configuration that a trainer is given.
//!
//! Every field has been validated by the sweep file's parser (or the trainer's command line); a
//! [`TrainingConfig`] holds no defaults and needs no further context.

use serde::{Deserialize, Serialize};

/// Images in one "kimg", the authors' unit of training length.
pub const IMAGES_PER_KIMG: f64 = 1024.0;

/// Width and height of every dataset's images, in pixels.
pub const IMAGE_WIDTH: u32 = 32;

/// A run's resolved configuration, without its seed.
///
/// As JSON it is one flat object: `{"model":"acai","lambda":0.5,"gamma":0.2,"advdepth":16,"dataset":"lines32",…}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingConfig {
    /// Which autoencoder, with the hyper-parameters only it has.
    #[serde(flatten)]
    pub model: Model,
    /// What it is trained on.
    pub dataset: Dataset,
    /// Channels after the first convolution; doubled at each scale.
    pub depth: u32,
    /// Channels of the latent code.
    pub latent: u32,
    /// Width and height of the latent code, a power of two.
    pub latent_width: u32,
    /// Images in a training step.
    pub batch: u32,
    /// Adam's step size, for every network of the run.
    pub lr: f64,
    /// Length of training, in units of 1024 images.
    pub total_kimg: f64,
    /// Training between two evaluations, in units of 1024 images.
    pub eval_kimg: f64,
    /// What convolutions compute in.
    pub precision: Precision,
    /// Restarts of K-means in the final clustering of latent codes.
    pub kmeans_inits: u32,
}

/// What convolutions compute in; weights, losses and Adam's moments are fp32 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    Fp32,
    /// fp32, whose products a GPU that can rounds to TF32: 10 bits of mantissa, the range of fp32. On a CPU the same as fp32.
    Tf32,
    /// bfloat16: 8 bits of mantissa, the range of fp32.
    Bf16,
}

/// The autoencoders that can be trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Model {
    /// Reconstruction only: MSE(x, dec(enc(x))).
    Baseline,
    /// Reconstruction from codes of which a part is dropped in training.
    Dropout {
        /// Share of a code's values that a training step drops.
        dropout: f64,
    },
    /// Reconstruction of an image from a noisy one.
    Denoising {
        /// Standard deviation of the noise.
        noise: f64,
    },
    /// Variational autoencoder with a Bernoulli likelihood.
    Vae {
        /// Weight of the KL term.
        beta: f64,
    },
    /// Adversarial autoencoder: a discriminator tells codes from N(0, 1).
    Aae {
        /// Adam's step size for the discriminator.
        adversary_lr: f64,
    },
    /// Vector-quantised autoencoder.
    Vqvae {
        /// Weight of the commitment loss.
        beta: f64,
        /// Vectors in the codebook.
        codes: u32,
        /// Vectors that make up a code.
        num_latents: u32,
    },
    /// Adversarially Constrained Autoencoder Interpolation (Berthelot et al. 2018, section 3).
    Acai {
        /// λ, weight of the adversarial term in the autoencoder's loss (the authors' `advweight`).
        lambda: f64,
        /// γ, share of the data in the critic's regularizing input (the authors' `reg`).
        gamma: f64,
        /// Channels of the critic after its first convolution.
        advdepth: u32,
    },
    /// The variational autoencoder with ACAI's regularizer on its posterior means.
    AcaiVae {
        /// Weight of the KL term.
        beta: f64,
        /// λ, weight of the adversarial term.
        lambda: f64,
        /// γ, share of the data in the critic's regularizing input.
        gamma: f64,
        /// Channels of the critic after its first convolution.
        advdepth: u32,
    },
    /// No autoencoder: the single-layer classifier on raw pixels (paper, section 5.1).
    Pixels,
}

/// The datasets that can be trained on: images of 32×32 pixels, and strings of 32 characters. As text, their [`name`](Dataset::name).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Dataset {
    /// Anti-aliased lines through the centre, generated without end (paper, section 4).
    Lines32,
    /// 1,797 handwritten digits (UCI), embedded in the trainer and upscaled from 8×8.
    Digits32,
    /// MNIST, IDX files, padded from 28×28.
    Mnist32,
    /// Fashion-MNIST, IDX files, padded from 28×28.
    FashionMnist32,
    /// Street View House Numbers, MATLAB files; the extra images are trained on too.
    Svhn32,
    /// CIFAR-10, its binary or its Python version.
    Cifar10,
    /// CelebA, aligned JPEGs, cut and scaled. No labels.
    Celeba32,
    /// 256 strings of 32 characters, sentences typed over each other: a closed curve, made by the trainer.
    Typeover32,
    /// A folder of one's own pictures, as `images:PATH`; subfolders are labels.
    Images(Box<str>),
    /// A file of one's own strings, as `curve:PATH`: a closed curve, a string a line, each following from the one before.
    Curve(Box<str>),
    /// A file of one's own strings, as `text:PATH`, a string a line, in no order.
    Text(Box<str>),
}

/// Before the path of a dataset of one's own.
pub(crate) const OWN: [&str; 3] = ["images:", "curve:", "text:"];
/// Bytes of a folder's path: it is part of every run's configuration.
const LONGEST_PATH: usize = 1024;

impl Dataset {
    /// Those with a name of their own, in the order they are listed to people.
    pub const NAMED: [Dataset; 8] = [
        Dataset::Lines32,
        Dataset::Digits32,
        Dataset::Mnist32,
        Dataset::FashionMnist32,
        Dataset::Svhn32,
        Dataset::Cifar10,
        Dataset::Celeba32,
        Dataset::Typeover32,
    ];

    /// The dataset of this [`name`](Self::name): one of [`NAMED`](Self::NAMED), or `images:`, `curve:` or `text:` with a path behind it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Dataset> {
        let is_path =
            |path: &str| (1..=LONGEST_PATH).contains(&path.len()) && !path.contains(char::is_control);
        let own: [fn(Box<str>) -> Dataset; 3] = [Dataset::Images, Dataset::Curve, Dataset::Text];
        for (prefix, own) in OWN.into_iter().zip(own) {
            if name.strip_prefix(prefix).is_some_and(is_path) {
                return Some(own(name.into()));
            }
        }
        Self::NAMED.into_iter().find(|dataset| dataset.name() == name)
    }

    /// The word for it, in sweep files and everywhere else.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Dataset::Lines32 => "lines32",
            Dataset::Digits32 => "digits32",
            Dataset::Mnist32 => "mnist32",
            Dataset::FashionMnist32 => "fashion-mnist32",
            Dataset::Svhn32 => "svhn32",
            Dataset::Cifar10 => "cifar10",
            Dataset::Celeba32 => "celeba32",
            Dataset::Typeover32 => "typeover32",
            Dataset::Images(name) | Dataset::Curve(name) | Dataset::Text(name) => name,
        }
    }

    /// Whether its examples are strings; they are images otherwise.
    #[must_use]
    pub fn is_strings(&self) -> bool {
        matches!(self, Dataset::Typeover32 | Dataset::Curve(_) | Dataset::Text(_))
    }

    /// Whether interpolations between its examples can be scored: it is known what lies between two of them.
    #[must_use]
    pub fn has_ground_truth(&self) -> bool {
        matches!(self, Dataset::Lines32 | Dataset::Typeover32 | Dataset::Curve(_))
    }

    /// Path of one's own folder of pictures or file of strings, relative to the data folder or absolute.
    #[must_use]
    pub fn own_path(&self) -> Option<&str> {
        OWN.iter().find_map(|prefix| self.name().strip_prefix(prefix))
    }

    /// The files it needs, relative to the data folder; each may also end in `.gz`. Empty when it
    /// is generated or built in, or one's own.
    #[must_use]
    pub fn files(&self) -> &'static [&'static str] {
        match self {
            Dataset::Lines32
            | Dataset::Digits32
            | Dataset::Celeba32
            | Dataset::Typeover32
            | Dataset::Images(_)
            | Dataset::Curve(_)
            | Dataset::Text(_) => &[],
            Dataset::Mnist32 => &[
                "mnist/train-images-idx3-ubyte",
                "mnist/train-labels-idx1-ubyte",
                "mnist/t10k-images-idx3-ubyte",
                "mnist/t10k-labels-idx1-ubyte",
            ],
            Dataset::FashionMnist32 => &[
                "fashion-mnist/train-images-idx3-ubyte",
                "fashion-mnist/train-labels-idx1-ubyte",
                "fashion-mnist/t10k-images-idx3-ubyte",
                "fashion-mnist/t10k-labels-idx1-ubyte",
            ],
            Dataset::Svhn32 => &["svhn/train_32x32.mat", "svhn/extra_32x32.mat", "svhn/test_32x32.mat"],
            Dataset::Cifar10 => &[
                "cifar10/cifar-10-batches-bin/data_batch_1.bin",
                "cifar10/cifar-10-batches-bin/data_batch_2.bin",
                "cifar10/cifar-10-batches-bin/data_batch_3.bin",
                "cifar10/cifar-10-batches-bin/data_batch_4.bin",
                "cifar10/cifar-10-batches-bin/data_batch_5.bin",
                "cifar10/cifar-10-batches-bin/test_batch.bin",
            ],
        }
    }
}

impl From<Dataset> for String {
    fn from(dataset: Dataset) -> String {
        dataset.name().to_owned()
    }
}

impl TryFrom<String> for Dataset {
    type Error = String;

    fn try_from(name: String) -> Result<Dataset, String> {
        Dataset::from_name(&name).ok_or_else(|| format!("there is no dataset `{name}`"))
    }
}

/// Optimizer steps between two reports of losses.
pub const LOSS_STEPS: u64 = 50;
/// Evaluations at the end of a run whose median stands for it (paper, section 4); of a run with fewer, all of them.
pub const FINAL_EVALUATIONS: u64 = 20;

impl TrainingConfig {
    /// Optimizer steps of the whole run: `total_kimg`·1024 images in batches, rounded up.
    #[must_use]
    pub fn total_steps(&self) -> u64 {
        self.steps_in(self.total_kimg)
    }

    /// Optimizer steps between two evaluations, at least one.
    #[must_use]
    pub fn eval_steps(&self) -> u64 {
        self.steps_in(self.eval_kimg)
    }

    /// Whether a run that is longer than this many steps reports this metric after the last of them. At its end a run also
    /// reports what is not due then, and what stands for the whole run.
    #[must_use]
    pub fn reports_midway(&self, metric: &str, step: u64) -> bool {
        let is_evaluation = step.is_multiple_of(self.eval_steps());
        match metric.split_once('/') {
            Some(("final", _)) => false,
            _ if metric == "eval/clustering_accuracy" => false,
            Some(("eval", _)) => is_evaluation,
            _ => is_evaluation || step.is_multiple_of(LOSS_STEPS),
        }
    }

    /// Optimizer steps that take `kimg`·1024 images, rounded up, at least one.
    #[must_use]
    pub fn steps_in(&self, kimg: f64) -> u64 {
        ((kimg * IMAGES_PER_KIMG / f64::from(self.batch)).ceil() as u64).max(1)
    }
}
