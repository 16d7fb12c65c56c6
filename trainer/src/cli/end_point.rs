//! An end of a way between images, as it is given on the command line.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use acai_trainer::data::{Source, picture};
use anyhow::{Context, ensure};
use tch::Tensor;

/// A test image, or a picture of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EndPoint {
    /// The number of a test image, from 0.
    Test(i64),
    /// A picture's file.
    File(PathBuf),
}

impl FromStr for EndPoint {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| EndPoint::File(text.into()), EndPoint::Test))
    }
}

impl EndPoint {
    /// Its image for a model of this dataset, `[c, 32, 32]`; `flag` is what it was given with.
    fn image(&self, flag: &str, source: &dyn Source) -> anyhow::Result<Tensor> {
        let images = &source.test().images;
        let last = images.size()[0] - 1;
        match self {
            EndPoint::Test(number) => {
                ensure!(
                    (0..=last).contains(number),
                    "{flag} is `{number}`; test images have numbers from 0 to {last}, and a picture's file is given by its path"
                );
                Ok(images.get(*number))
            }
            EndPoint::File(path) => picture(path, source.channels())
                .with_context(|| format!("{flag} is no number of a test image and no picture")),
        }
    }

    /// The images of several, `[n, c, 32, 32]`.
    pub(super) fn images(all: &[EndPoint], flag: &str, source: &dyn Source) -> anyhow::Result<Tensor> {
        let images = all.iter().map(|end| end.image(flag, source));
        Ok(Tensor::stack(&images.collect::<anyhow::Result<Vec<Tensor>>>()?, 0))
    }
}
