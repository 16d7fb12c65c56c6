//! A configuration from flags.

use acai_sweep::training::{Dataset, Model, TrainingConfig};
use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::defaults;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModelName {
    /// Reconstruction only
    Baseline,
    /// With a critic of interpolations
    Acai,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Hyper-parameters")]
pub(super) struct Hyperparameters {
    /// Autoencoder to train
    #[arg(long, value_enum)]
    model: ModelName,
    /// Images to train on
    #[arg(long, value_parser = dataset())]
    dataset: Dataset,
    /// acai: weight of the critic in the autoencoder's loss [default: 0.5]
    #[arg(long, allow_negative_numbers = true)]
    lambda: Option<f64>,
    /// acai: share of the data in the critic's second input [default: 0.2]
    #[arg(long, allow_negative_numbers = true)]
    gamma: Option<f64>,
    /// acai: depth of the critic [default: that of the autoencoder]
    #[arg(long)]
    advdepth: Option<u32>,
    /// Channels after the first convolution, doubled at each scale
    #[arg(long, default_value_t = defaults::DEPTH)]
    depth: u32,
    /// Channels of the latent code
    #[arg(long, default_value_t = defaults::LATENT)]
    latent: u32,
    /// Width and height of the latent code, a power of two [default: 2 on lines32, 4 on others]
    #[arg(long)]
    latent_width: Option<u32>,
    /// Images in a training step
    #[arg(long, default_value_t = defaults::BATCH)]
    batch: u32,
    /// Step size of Adam
    #[arg(long, default_value_t = defaults::LR, allow_negative_numbers = true)]
    lr: f64,
    /// Length of training, in units of 1024 images
    #[arg(long, value_name = "KIMG", default_value_t = defaults::TOTAL_KIMG, allow_negative_numbers = true)]
    total_kimg: f64,
    /// Training between two evaluations, in units of 1024 images
    #[arg(long, value_name = "KIMG", default_value_t = defaults::EVAL_KIMG, allow_negative_numbers = true)]
    eval_kimg: f64,
}

impl Hyperparameters {
    /// The configuration they say; ranges are checked where training starts.
    pub(super) fn config(&self) -> anyhow::Result<TrainingConfig> {
        Ok(TrainingConfig {
            model: self.model()?,
            dataset: self.dataset,
            depth: self.depth,
            latent: self.latent,
            latent_width: self.latent_width.unwrap_or_else(|| defaults::latent_width(self.dataset)),
            batch: self.batch,
            lr: self.lr,
            total_kimg: self.total_kimg,
            eval_kimg: self.eval_kimg,
        })
    }

    fn model(&self) -> anyhow::Result<Model> {
        match self.model {
            ModelName::Acai => Ok(Model::Acai {
                lambda: self.lambda.unwrap_or(defaults::LAMBDA),
                gamma: self.gamma.unwrap_or(defaults::GAMMA),
                advdepth: self.advdepth.unwrap_or(self.depth),
            }),
            ModelName::Baseline => {
                let given = [
                    ("--lambda", self.lambda.is_some()),
                    ("--gamma", self.gamma.is_some()),
                    ("--advdepth", self.advdepth.is_some()),
                ];
                if let Some((flag, _)) = given.iter().find(|(_, given)| *given) {
                    bail!("`{flag}` has no effect on the model `baseline`; leave it out or use `acai`");
                }
                Ok(Model::Baseline)
            }
        }
    }
}

fn dataset() -> impl TypedValueParser<Value = Dataset> {
    PossibleValuesParser::new(Dataset::ALL.map(Dataset::name)).map(|name| {
        let named = Dataset::ALL.into_iter().find(|dataset| dataset.name() == name);
        named.expect("the parser admits only these names")
    })
}
