//! One run of a group: what it is, how far it is, and what it reports.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};

use acai_sweep::configuration::Configuration;
use acai_sweep::trainer_protocol::{Event, Member};

use super::writing::Writing;
use super::{Due, Schedule, SessionError};
use crate::benchmark::{Benchmark, Picture};
use crate::checkpoint::{self, Identity, Progress, Snapshot};
use crate::model::Model;

/// A run at some step; its model is in the group.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) member: Member,
    shape: String,
    schedule: Schedule,
    pub(super) progress: Progress,
    /// The last checkpoint, until it has been reported.
    writing: Option<Writing>,
    /// Whether it has stopped, or was refused.
    pub(super) is_over: bool,
}

impl Drop for Run {
    /// Nothing is written into the folder of a run that is over.
    fn drop(&mut self) {
        // Nobody is left to be told of an error.
        let _ = self.written();
    }
}

/// Losses of a run's last step, by name.
pub(super) type Losses = BTreeMap<&'static str, f64>;

impl Run {
    /// A run before its first step. A worker's configurations have been checked, but anybody can speak the
    /// protocol.
    pub(super) fn new(member: Member) -> Result<Run, (u64, SessionError)> {
        let checked = Configuration::try_from(&member.config).map_err(SessionError::from);
        let checked = checked.and_then(|config| match member.own.is_empty() {
            true => Ok(config.shape_key()),
            false => {
                let names: Vec<String> = member.own.keys().map(|name| format!("`{name}`")).collect();
                Err(SessionError::OwnParameters(names.join(", ")))
            }
        });
        let checked = checked.and_then(|shape| match member.checkpoint_kimg {
            kimg if kimg > 0.0 && kimg.is_finite() => Ok(shape),
            kimg => Err(SessionError::CheckpointKimg(kimg)),
        });
        match checked {
            Ok(shape) => {
                let (schedule, progress) = (Schedule::new(&member), Progress::default());
                Ok(Run { shape, schedule, member, progress, writing: None, is_over: false })
            }
            Err(error) => Err((member.run, error)),
        }
    }

    /// Runs that share it can be trained as one group.
    pub(super) fn shape(&self) -> String {
        self.shape.clone()
    }

    /// Gives `model`, a view of this run's in the group, the state that the run resumes from.
    pub(super) fn resume(&mut self, model: &mut dyn Model) -> Result<(), SessionError> {
        if let Some(path) = &self.member.resume {
            self.progress = checkpoint::load(model, &self.identity(), path)?;
            // A shorter run was evaluated at its end, where this one may not be.
            self.progress.recent.retain(|step| self.schedule.due(step).evaluation);
        }
        Ok(())
    }

    /// Optimizer steps done.
    pub(super) fn step(&self) -> u64 {
        self.progress.step
    }

    pub(super) fn has_steps_left(&self) -> bool {
        self.step() < self.schedule.total()
    }

    /// What is due after the step that was taken.
    pub(super) fn due(&self) -> Due {
        self.schedule.due(self.step())
    }

    /// Whether a checkpoint is on the disk, or cannot be written, and that has not been reported.
    pub(super) fn has_written(&self) -> bool {
        self.writing.as_ref().is_some_and(Writing::is_over)
    }

    /// Waits for the last checkpoint, unless it has been reported, and reports it. If the run is opened again, it goes on
    /// from there.
    pub(super) fn written(&mut self) -> Result<Option<Event>, SessionError> {
        let Some(writing) = self.writing.take() else { return Ok(None) };
        let (step, path) = writing.wait()?;
        self.member.resume = Some(path.clone());
        Ok(Some(Event::Checkpoint { run: self.member.run, step, path }))
    }

    /// Does what is due, with this run's `model`; `losses` are those of the last step, if it is known. `pulse` is called
    /// again and again with the run and its step while it does what takes long.
    ///
    /// A checkpoint is written while training goes on, and is reported when it is on the disk: in the same order as all
    /// else, since the next report waits for it, and the last step does.
    pub(super) fn report(
        &mut self,
        due: Due,
        losses: Option<&Losses>,
        model: &dyn Model,
        benchmark: &Benchmark,
        pulse: &mut dyn FnMut(u64, u64),
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        let (run, step) = (self.member.run, self.step());
        let mut pulse = || pulse(run, step);
        if due == Due::NOTHING {
            if self.has_written() {
                events.extend(self.written()?);
            }
            return Ok(());
        }
        events.extend(self.written()?);
        if let Some(losses) = losses {
            self.finite(losses)?;
            if due.losses {
                let values = losses.iter().map(|(name, loss)| (format!("train/{name}"), *loss)).collect();
                events.push(Event::Metric { run, step, values });
            }
        }
        if due.evaluation {
            let values = benchmark.evaluate(model, &mut pulse);
            self.progress.recent.push(step, values.clone());
            events.push(Event::Evaluated { run, step, values });
        }
        if due.pictures {
            events.extend(self.draw(model, benchmark));
        }
        if due.checkpoint {
            self.save(model)?;
            if !self.has_steps_left() {
                events.extend(self.written()?);
            }
        }
        Ok(())
    }

    /// Reports the figures that stand for the run, medians of its last evaluations and the clustering accuracy of its `model`,
    /// and that it has finished.
    pub(super) fn end(&self, clustering_accuracy: Option<f64>, model: &dyn Model) -> Vec<Event> {
        let (run, step) = (self.member.run, self.step());
        let mut values = self.progress.recent.medians();
        if let Some(accuracy) = clustering_accuracy {
            values.extend(["eval", "final"].map(|kind| (format!("{kind}/clustering_accuracy"), accuracy)));
        }
        let mut events = vec![Event::Evaluated { run, step, values }];
        events.extend(self.export(model));
        events.push(Event::Finished { run, step });
        events
    }

    /// Writes pictures into the run's folder. One that cannot be written is said on standard error: a picture less is no
    /// reason to end a run.
    fn draw(&self, model: &dyn Model, benchmark: &Benchmark) -> Vec<Event> {
        let (run, step) = (self.member.run, self.step());
        let write = |picture: Picture| {
            let path = self.member.folder.join(format!("{}-{step:09}.{}", picture.name, picture.extension));
            match fs::write(&path, picture.file) {
                Ok(()) => Some(Event::Artifact { run, step, path }),
                Err(error) => {
                    // Half a picture would be in the way, on a full disk too.
                    let _ = fs::remove_file(&path);
                    let path = path.display();
                    // Nothing is left to be told if standard error is closed.
                    let _ = writeln!(io::stderr(), "warning: cannot write picture `{path}`: {error}");
                    None
                }
            }
        };
        benchmark.pictures(model).into_iter().filter_map(write).collect()
    }

    /// Writes the weights into the run's folder, if they are wanted. That they cannot be written is said as of pictures.
    fn export(&self, model: &dyn Model) -> Option<Event> {
        let (run, step) = (self.member.run, self.step());
        let path = self.member.folder.join(format!("weights-{step:09}.safetensors"));
        if !self.member.weights {
            return None;
        }
        match checkpoint::export_model(self.snapshot(model), &path) {
            Ok(()) => Some(Event::Artifact { run, step, path }),
            Err(error) => {
                let reason = SessionError::from(error).paragraph();
                let _ = writeln!(io::stderr(), "warning: the weights are no artifact: {reason}");
                None
            }
        }
    }

    fn finite(&self, losses: &Losses) -> Result<(), SessionError> {
        if losses.values().all(|loss| loss.is_finite()) {
            return Ok(());
        }
        let all: Vec<String> = losses.iter().map(|(name, loss)| format!("{name} is {loss}")).collect();
        Err(SessionError::Diverged { step: self.step(), what: all.join(", ") })
    }

    /// Begins to write a checkpoint, but not of a useless state. Reports the one before, if that is still to be done.
    pub(super) fn checkpoint(
        &mut self,
        losses: Option<&Losses>,
        model: &dyn Model,
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        events.extend(self.written()?);
        losses.map_or(Ok(()), |losses| self.finite(losses))?;
        self.save(model)
    }

    /// Reports the last checkpoint, and that the run has stopped.
    pub(super) fn stopped(&mut self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        events.extend(self.written()?);
        events.push(Event::Stopped { run: self.member.run, step: self.step() });
        self.is_over = true;
        Ok(())
    }

    fn save(&mut self, model: &dyn Model) -> Result<(), SessionError> {
        if !model.parameters().iter().all(|parameters| parameters.is_finite()) {
            let what = "a weight or a moment of Adam is not finite".to_owned();
            return Err(SessionError::Diverged { step: self.step(), what });
        }
        self.writing = Some(Writing::begin(self.snapshot(model), self.member.folder.clone())?);
        Ok(())
    }

    fn snapshot(&self, model: &dyn Model) -> Snapshot {
        Snapshot::new(model, self.identity(), self.progress.clone())
    }

    fn identity(&self) -> Identity {
        Identity { seed: self.member.seed, config: self.member.config.clone() }
    }
}
