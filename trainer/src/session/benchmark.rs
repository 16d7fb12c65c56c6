//! A dataset with the scores that a model gets on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use acai_sweep::training::Dataset;
use rand_distr::{Distribution, Uniform};
use tch::{Device, Kind, Tensor};

use crate::data::{self, DataError, Source};
use crate::model::{Codes, Model};
use crate::network::channels_last;
use crate::random::{Keyed, Purpose, stream};
use crate::score::accuracy;
use crate::score::lines::LineJudge;

/// Images that go through a network together in an evaluation.
const CHUNK: i64 = 256;
/// Interpolations scored, and images in each (the authors' periodic figure).
const INTERPOLATIONS: usize = 256;
const STEPS: i64 = 16;

/// The datasets that a process has open, shared by its runs.
#[derive(Debug)]
pub struct Benchmarks {
    /// Where models live.
    pub device: Device,
    folder: Option<PathBuf>,
    open: BTreeMap<Dataset, Rc<Benchmark>>,
}

/// An open dataset, and what judges interpolations on it.
pub struct Benchmark {
    /// Its images.
    pub source: Box<dyn Source>,
    judge: Option<LineJudge>,
    device: Device,
}

impl std::fmt::Debug for Benchmark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Benchmark").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Benchmarks {
    /// None open yet; files are looked for below `folder`.
    #[must_use]
    pub fn new(device: Device, folder: Option<PathBuf>) -> Benchmarks {
        Benchmarks { device, folder, open: BTreeMap::new() }
    }

    /// The benchmark of `dataset`, opened when first asked for.
    ///
    /// # Errors
    /// When the dataset's files cannot be read.
    pub fn get(&mut self, dataset: Dataset) -> Result<Rc<Benchmark>, DataError> {
        if let Some(benchmark) = self.open.get(&dataset) {
            return Ok(benchmark.clone());
        }
        let source = data::open(dataset, self.folder.as_deref())?;
        let judge = (dataset == Dataset::Lines32).then(|| LineJudge::new(self.device));
        let benchmark = Rc::new(Benchmark { source, judge, device: self.device });
        self.open.insert(dataset, benchmark.clone());
        Ok(benchmark)
    }
}

impl Benchmark {
    /// Where models live.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Scores of `model`, which is of one run, by name: a function of its weights alone. A score that is not finite is left out.
    #[must_use]
    pub fn evaluate(&self, model: &dyn Model) -> BTreeMap<String, f64> {
        let _guard = tch::no_grad_guard();
        let mut scores = self.reconstruction(model);
        if let Some(judge) = &self.judge {
            let lines = judge.score(&self.interpolations(model));
            scores.push(("eval/mean_distance", lines.mean_distance));
            scores.extend(lines.smoothness.map(|smoothness| ("eval/smoothness", smoothness)));
            scores.push(("eval/smoothness_nan", lines.nan as f64));
        }
        scores.retain(|(_, score)| score.is_finite());
        scores.into_iter().map(|(name, score)| (name.to_owned(), score)).collect()
    }

    /// Squared error and latent accuracy over the whole test set.
    fn reconstruction(&self, model: &dyn Model) -> Vec<(&'static str, f64)> {
        let test = self.source.test();
        let mut squared_error = Tensor::zeros([], (Kind::Double, self.device));
        let mut logits = Vec::new();
        for (chunk, images) in test.images.split(CHUNK, 0).iter().enumerate() {
            let images = channels_last(&images.to_device(self.device));
            let codes = self.encode(model, &images, chunk as u64);
            logits.push(model.classify(&codes.features).squeeze_dim(0));
            squared_error += (model.decode(&codes.latents) - images).square().sum(Kind::Double);
        }
        let mse = squared_error.double_value(&[]) / test.images.numel() as f64;
        let labels = test.labels.to_device(self.device);
        let accuracy = accuracy(&Tensor::cat(&logits, 0), &labels);
        vec![("eval/reconstruction_mse", mse), ("eval/latent_accuracy", accuracy)]
    }

    /// Codes of images; those that are drawn are the same in every evaluation.
    fn encode(&self, model: &dyn Model, images: &Tensor, chunk: u64) -> Codes {
        model.encode(images, &Keyed { keys: &[(0, chunk)], options: (Kind::Float, self.device) })
    }

    /// Decoded codes on straight lines between those of pairs of test images,
    /// `[256, 16, 32, 32]`; the first image of each is the first of the pair.
    fn interpolations(&self, model: &dyn Model) -> Tensor {
        let images = &self.source.test().images;
        let (from, to) = pairs(images.size()[0] as u64);
        let encode = |indices: &[i64], chunk| {
            let chosen = images.index_select(0, &Tensor::from_slice(indices));
            self.encode(model, &channels_last(&chosen.to_device(self.device)), chunk).latents
        };
        let (from, to) = (encode(&from, 0), encode(&to, 1)); // each [256, latent, w, w]
        let decoded: Vec<Tensor> = (0..STEPS)
            .map(|i| model.decode(&from.lerp(&to, i as f64 / (STEPS - 1) as f64)).squeeze_dim(1))
            .collect();
        Tensor::stack(&decoded, 1)
    }
}

/// Pairs of different test images out of `count`, the same for every run.
fn pairs(count: u64) -> (Vec<i64>, Vec<i64>) {
    let mut random = stream(0, Purpose::Pairs, 0);
    let below = |limit| Uniform::new(0, limit).expect("a test set has several images");
    (0..INTERPOLATIONS)
        .map(|_| {
            let from = below(count).sample(&mut random);
            let other = below(count - 1).sample(&mut random);
            (from as i64, (if other < from { other } else { other + 1 }) as i64)
        })
        .unzip()
}
