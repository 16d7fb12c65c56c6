//! Strips of images that runs have left: a row of a picture for each pair of test images, at each step of training.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::json;
use tokio_stream::StreamExt as _;

use super::controls;
use crate::asked::{Asked, of_run};
use crate::blob;
use crate::problem::{Problem, Result};
use crate::site::Site;

/// The picture that is shown unless another one is asked for.
pub(crate) const USUAL: &str = "interpolations.png";
/// Pixels of a row of images in a picture, and between two rows, as the trainer draws them.
const IMAGE: u32 = 32;
const GUTTER: u32 = 2;
/// Pictures that are looked at for their size, since one may be gone.
const TRIED: usize = 3;

/// A picture of a run by step: its digest.
type Frames = BTreeMap<u64, String>;

/// Pictures of one name, shown all at one pair and one step.
pub(super) struct Film {
    pub(super) name: String,
    names: Vec<String>,
    /// By run.
    frames: BTreeMap<u32, Frames>,
    /// Width and height of a picture in pixels.
    size: (u32, u32),
    pair: u32,
    step: Option<u64>,
}

impl Film {
    /// The pictures of these runs.
    pub(super) async fn of(site: &Site, sweep: &str, numbers: BTreeSet<u32>, asked: &Asked) -> Result<Film> {
        let name = asked.question.get("name").unwrap_or(USUAL).to_owned();
        let (names, frames) = frames(site, sweep, numbers, &name).await?;
        let mut size = (IMAGE, IMAGE);
        for sha256 in frames.values().filter_map(|frames| frames.values().next_back()).take(TRIED) {
            // One that is gone is said where it would be.
            if let Some(found) = blob::read(site, sha256).await.ok().and_then(|png| size_of(&png)) {
                size = found;
                break;
            }
        }
        let pair = number(asked, "pair")?.unwrap_or_default();
        let pair = u32::try_from(pair).unwrap_or(u32::MAX).min(pairs(size) - 1);
        Ok(Film { name, names, frames, size, pair, step: number(asked, "step")? })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The latest step of a run's picture that is shown, and its digest.
    pub(super) fn shown(&self, run: u32) -> Option<(u64, &str)> {
        let frames = self.frames.get(&run)?;
        let shown = match self.step {
            Some(step) => frames.range(..=step).next_back().or(frames.iter().next()),
            None => frames.iter().next_back(),
        };
        shown.map(|(step, sha256)| (*step, sha256.as_str()))
    }

    fn steps(&self) -> Vec<u64> {
        let steps: BTreeSet<u64> = self.frames.values().flat_map(|frames| frames.keys().copied()).collect();
        steps.into_iter().collect()
    }

    /// Which picture, and the sliders that move all strips together.
    pub(super) fn controls(&self) -> Markup {
        let steps = self.steps();
        let step = self.step.or(steps.last().copied()).unwrap_or_default();
        let place = steps.partition_point(|known| *known <= step).saturating_sub(1);
        html! {
            (controls::choice("Picture", "name", Some(&self.name), &self.names, None))
            label.scrub { "Pair " output { (self.pair + 1) }
                input type="range" name="pair" min="0" max=(pairs(self.size) - 1) value=(self.pair); }
            label.scrub { "Step " output { (step) }
                // Scripts scrub over the steps that there are; without them a step is typed.
                input type="number" name="step" min="0" value=(step) data-steps=(json!(steps)) data-place=(place); }
        }
    }

    /// A run's row of images; nothing if it has none. `about` says what it is of.
    pub(super) fn strip(&self, sweep: &str, run: u32, about: &str) -> Option<Markup> {
        let (step, sha256) = self.shown(run)?;
        let (width, height) = self.size;
        let label = format!("{about}: {} of run {run} at step {step}", self.name);
        Some(html! {
            a href=(of_run(sweep, run)) {
                svg.strip viewBox={ "0 " (self.pair * (IMAGE + GUTTER)) " " (width) " " (IMAGE) } role="img"
                    data-frames=(json!(self.frames.get(&run))) data-row=(IMAGE + GUTTER) aria-label=(label)
                { image href=(blob::path(sha256)) width=(width) height=(height) {} }
            }
        })
    }
}

/// A number that is asked for.
pub(super) fn number(asked: &Asked, name: &'static str) -> Result<Option<u64>> {
    let text = asked.question.get(name);
    text.map(str::parse).transpose().map_err(|_| Problem::question(name, "is no number"))
}

/// Rows of images in a picture.
fn pairs((_, height): (u32, u32)) -> u32 {
    (height.saturating_add(GUTTER) / (IMAGE + GUTTER)).max(1)
}

/// Names of the pictures of these runs, and those of one name by run and step.
async fn frames(
    site: &Site,
    sweep: &str,
    numbers: BTreeSet<u32>,
    name: &str,
) -> Result<(Vec<String>, BTreeMap<u32, Frames>)> {
    let (mut names, mut frames) = (BTreeSet::new(), BTreeMap::<u32, Frames>::new());
    if numbers.is_empty() {
        return Ok((Vec::new(), frames));
    }
    let mut artifacts = site.use_cases.artifacts(sweep, numbers.into_iter().collect()).await?;
    while let Some(artifact) = artifacts.next().await {
        let record = artifact?;
        if is_picture(&record.artifact.name) {
            names.insert(record.artifact.name.clone());
        }
        if record.artifact.name == name {
            frames.entry(record.number).or_default().insert(record.artifact.step, record.artifact.sha256);
        }
    }
    Ok((names.into_iter().collect(), frames))
}

pub(crate) fn is_picture(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("png"))
}

/// Width and height that a PNG file says of itself.
fn size_of(png: &[u8]) -> Option<(u32, u32)> {
    let number = |from: usize| Some(u32::from_be_bytes(png.get(from..from + 4)?.try_into().ok()?));
    Some((number(16)?, number(20)?)).filter(|(width, height)| *width > 0 && *height > 0)
}
