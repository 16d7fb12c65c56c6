//! What a person sees of a training, on standard error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use acai_sweep::training::{IMAGES_PER_KIMG, TrainingConfig};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A line that is redrawn on a terminal, and a line for every evaluation anywhere.
pub(super) struct Progress {
    bar: ProgressBar,
    kimg_per_step: f64,
}

impl Progress {
    pub(super) fn new(config: &TrainingConfig, step: u64) -> anyhow::Result<Progress> {
        let images_per_step = f64::from(config.batch);
        let kimg_per_step = images_per_step / IMAGES_PER_KIMG;
        let kimg = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let of = state.len().unwrap_or(0) as f64 * kimg_per_step;
            // A line that cannot be formatted is a line less on the terminal.
            let _ = write!(out, "{:.1}/{of:.1} kimg", state.pos() as f64 * kimg_per_step);
        };
        let speed = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.0} images/s", state.per_sec() * images_per_step);
        };
        let style = ProgressStyle::with_template("{bar:30} {kimg}, {speed}, {eta} left {msg}")?
            .with_key("kimg", kimg)
            .with_key("speed", speed);
        let bar = ProgressBar::new(config.total_steps()).with_style(style).with_position(step);
        bar.reset_eta();
        Ok(Progress { bar, kimg_per_step })
    }

    pub(super) fn at(&self, step: u64) {
        self.bar.set_position(step);
    }

    /// Something goes on that takes longer than a step.
    pub(super) fn scoring(&self) {
        self.bar.set_message("scoring");
        self.bar.tick();
    }

    pub(super) fn evaluated(&self, step: u64, scores: &BTreeMap<String, f64>) {
        let mut line = format!("{:.1} kimg:", step as f64 * self.kimg_per_step);
        for (name, score) in scores {
            let _ = write!(line, " {} {score:.4}", name.trim_start_matches("eval/"));
        }
        self.bar.set_message("");
        self.say(&line);
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        // Training goes on when nobody reads along.
        let _ = self.bar.suspend(|| writeln!(io::stderr(), "{line}"));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
