//! One run in training.

use std::collections::BTreeMap;
use std::rc::Rc;

use acai_sweep::configuration::Configuration;
use acai_sweep::trainer_protocol::{Event, Member};
use tch::Kind;

use super::error::catching;
use super::{Benchmark, Benchmarks, Due, Schedule, SessionError};
use crate::adam::Adam;
use crate::checkpoint::{self, Identity};
use crate::model::{self, Input, Losses, Model};
use crate::network::channels_last;

/// A run with its model, at some step. After an error, drop it.
pub struct Session {
    member: Member,
    schedule: Schedule,
    benchmark: Rc<Benchmark>,
    model: Box<dyn Model>,
    adam: Adam,
    /// Optimizer steps done.
    step: u64,
    /// Of the last step, unread.
    losses: Option<Losses>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("member", &self.member)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A run before its first step, or where its checkpoint left it.
    ///
    /// # Errors
    /// When the configuration cannot be trained, or dataset or checkpoint cannot be read.
    pub fn open(member: Member, benchmarks: &mut Benchmarks) -> Result<Session, SessionError> {
        // A worker's configurations have been checked, but anybody can speak the protocol.
        Configuration::try_from(&member.config)?;
        if !(member.checkpoint_kimg > 0.0 && member.checkpoint_kimg.is_finite()) {
            return Err(SessionError::CheckpointKimg(member.checkpoint_kimg));
        }
        catching(|| {
            let benchmark = benchmarks.get(member.config.dataset)?;
            let images = (benchmark.source.channels(), benchmark.source.classes());
            let options = (Kind::Float, benchmarks.device);
            let mut model = model::new(&member.config, images, member.seed, options)?;
            let step = match &member.resume {
                Some(path) => checkpoint::load(&mut *model, &identity(&member), path)?,
                None => 0,
            };
            let (schedule, adam) = (Schedule::new(&member), Adam { lr: member.config.lr });
            Ok(Session { member, schedule, benchmark, model, adam, step, losses: None })
        })
    }

    /// The run's number.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.member.run
    }

    /// Optimizer steps done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Takes one training step and does what is then due. The last event of a run is `finished`.
    ///
    /// A run resumed after its last step is evaluated again instead.
    ///
    /// # Errors
    /// When the run diverged, a checkpoint cannot be written, or libtorch fails.
    pub fn advance(&mut self) -> Result<Vec<Event>, SessionError> {
        catching(|| {
            let due = if self.step < self.schedule.total() {
                self.train();
                self.schedule.due(self.step)
            } else {
                Due { losses: false, evaluation: true, checkpoint: false, end: true }
            };
            self.report(due)
        })
    }

    /// Writes a checkpoint now.
    ///
    /// # Errors
    /// When the run diverged (a useless state is not kept) or the file cannot be written.
    pub fn checkpoint(&self) -> Result<Event, SessionError> {
        catching(|| {
            self.finite_losses()?;
            self.save()
        })
    }

    fn train(&mut self) {
        let (seed, size) = (self.member.seed, self.member.config.batch as usize);
        let batch = self.benchmark.source.batch(seed, self.step, size);
        let device = self.benchmark.device();
        let input = Input {
            images: channels_last(&batch.images.to_device(device)),
            labels: batch.labels.to_device(device),
        };
        self.losses = Some(model::step(&mut *self.model, &self.adam, &input, seed, self.step));
        self.step += 1;
    }

    fn report(&self, due: Due) -> Result<Vec<Event>, SessionError> {
        let (run, step) = (self.run(), self.step);
        let mut events = Vec::new();
        if due.losses || due.evaluation || due.checkpoint {
            let values = self.finite_losses()?;
            if due.losses {
                events.push(Event::Metric { run, step, values });
            }
        }
        if due.evaluation {
            events.push(Event::Evaluated { run, step, values: self.benchmark.evaluate(&*self.model) });
        }
        if due.checkpoint {
            events.push(self.save()?);
        }
        if due.end {
            events.push(Event::Finished { run, step });
        }
        Ok(events)
    }

    /// The last step's losses, `train/…`; none before the first step after a resume.
    fn finite_losses(&self) -> Result<BTreeMap<String, f64>, SessionError> {
        let losses = self.losses.as_ref().map(Losses::read).unwrap_or_default();
        if losses.values().all(|loss| loss.is_finite()) {
            return Ok(losses.into_iter().map(|(name, loss)| (format!("train/{name}"), loss)).collect());
        }
        let all: Vec<String> = losses.iter().map(|(name, loss)| format!("{name} is {loss}")).collect();
        Err(SessionError::Diverged { step: self.step, what: all.join(", ") })
    }

    fn save(&self) -> Result<Event, SessionError> {
        if !self.model.parameters().iter().all(|parameters| parameters.is_finite()) {
            let what = "a weight or a moment of Adam is not finite".to_owned();
            return Err(SessionError::Diverged { step: self.step, what });
        }
        let path = checkpoint::save(&*self.model, &identity(&self.member), self.step, &self.member.folder)?;
        Ok(Event::Checkpoint { run: self.run(), step: self.step, path })
    }
}

fn identity(member: &Member) -> Identity {
    Identity { seed: member.seed, config: member.config.clone() }
}
