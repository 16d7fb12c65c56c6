//! An end of a way between images or strings, as it is given on the command line.

use std::convert::Infallible;
use std::path::Path;
use std::str::FromStr;

use acai_datasets::string;
use acai_trainer::data::{Source, picture, strings};
use acai_trainer::medium::Medium;
use anyhow::{Context, ensure};
use tch::Tensor;

/// A test image or string, or one of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EndPoint {
    /// The number of a test example, from 0.
    Test(i64),
    /// A picture's file; where the model is of strings, the string.
    Own(String),
}

impl FromStr for EndPoint {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| EndPoint::Own(text.to_owned()), EndPoint::Test))
    }
}

impl EndPoint {
    /// Its example for a model of this dataset, `[c, h, 32]`; `flag` is what it was given with.
    fn example(&self, flag: &str, source: &dyn Source) -> anyhow::Result<Tensor> {
        let images = &source.test().images;
        let last = images.size()[0] - 1;
        match self {
            EndPoint::Test(number) => {
                let (examples, own) = match source.medium() {
                    Medium::Images { .. } => ("images", "a picture's file is given by its path"),
                    Medium::Strings { .. } => ("strings", "a string of your own is given as it is"),
                };
                ensure!(
                    (0..=last).contains(number),
                    "{flag} is `{number}`; test {examples} have numbers from 0 to {last}, and {own}"
                );
                Ok(images.get(*number))
            }
            EndPoint::Own(own) => match source.medium() {
                Medium::Images { colours } => picture(Path::new(own), colours)
                    .with_context(|| format!("{flag} is no number of a test image and no picture")),
                Medium::Strings { .. } => {
                    let numbers = string(own)
                        .with_context(|| format!("{flag} is no number of a test string and no string"))?;
                    Ok(strings::examples(&[numbers]).get(0))
                }
            },
        }
    }

    /// The examples of several, `[n, c, h, 32]`.
    pub(super) fn examples(all: &[EndPoint], flag: &str, source: &dyn Source) -> anyhow::Result<Tensor> {
        let images = all.iter().map(|end| end.example(flag, source));
        Ok(Tensor::stack(&images.collect::<anyhow::Result<Vec<Tensor>>>()?, 0))
    }
}
