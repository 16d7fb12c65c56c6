//! Runs of one shape, trained as one program.

use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use acai_sweep::trainer_protocol::{Event, Member};
use tch::{Device, Kind, Tensor};

use super::ending::Endings;
use super::error::catching;
use super::run::{Losses, Run};
use super::said::{Refusal, Said};
use super::{Due, SessionError, batch};
use crate::benchmark::{Benchmark, Benchmarks};
use crate::model::{self, Input, Model};
use crate::random::Keyed;

/// K runs of one shape at their steps, in one model.
///
/// Runs end and join one by one, without a trace in the others (on the CPU at one thread; with more, how sums are shared out
/// depends on K): there a group of two or more never becomes one model alone, whose convolutions round otherwise. Its last
/// run goes on beside a copy of itself. A GPU repeats no bits, and trains the last run alone at half the cost.
pub struct Group {
    shape: String,
    /// Those that are trained. Run i is member i of the model.
    runs: Vec<Run>,
    /// Those that have all their steps.
    endings: Endings,
    model: Box<dyn Model>,
    benchmark: Rc<Benchmark>,
    /// Of the last step, unread.
    losses: Option<model::Losses>,
    said: Said,
}

/// Runs that were opened, and those that cannot be trained.
type Opened = (Option<Group>, Vec<Refusal>);

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("runs", &self.runs).finish_non_exhaustive()
    }
}

impl Group {
    /// Runs of one shape before their first steps, or where their checkpoints left them; and those that cannot be
    /// trained. `None` if none can.
    pub fn open(members: Vec<Member>, benchmarks: &mut Benchmarks) -> Opened {
        let mut refusals = Vec::new();
        let mut runs = Vec::new();
        for member in members {
            match Run::new(member) {
                Ok(run) => runs.push(run),
                Err((run, error)) => refusals.push((run, 0, error)),
            }
        }
        let numbers: Vec<u64> = runs.iter().map(|run| run.member.run).collect();
        if numbers.is_empty() {
            return (None, refusals);
        }
        let opened = catching(|| {
            let mut group = Group::untrained(runs, benchmarks)?;
            group.each(|_, run, model, _| run.resume(&mut *model));
            Ok(group)
        });
        match opened {
            Ok(mut group) => {
                refusals.append(&mut group.said.refusals);
                ((!group.runs.is_empty()).then_some(group), refusals)
            }
            Err(error) => {
                let error = Arc::new(error);
                refusals.extend(numbers.into_iter().map(|run| (run, 0, SessionError::Group(error.clone()))));
                (None, refusals)
            }
        }
    }

    fn untrained(runs: Vec<Run>, benchmarks: &mut Benchmarks) -> Result<Group, SessionError> {
        let benchmark = benchmarks.get(&runs[0].member.config.dataset)?;
        let images = (benchmark.source.medium(), benchmark.source.classes());
        let members: Vec<_> = runs.iter().map(|run| (&run.member.config, run.member.seed)).collect();
        let model = model::new(&members, images, (Kind::Float, benchmarks.device))?;
        let shape = runs[0].shape();
        let (endings, said) = (Endings::default(), Said::default());
        Ok(Group { shape, runs, endings, model, benchmark, losses: None, said })
    }

    /// What all its runs share.
    #[must_use]
    pub fn shape(&self) -> &str {
        &self.shape
    }

    /// Whether runs of the same shape can join without a trace in those that are trained. On the CPU none joins a run that is
    /// trained alone, whose convolutions would be others from then on.
    #[must_use]
    pub fn can_be_joined(&self) -> bool {
        self.runs.is_empty() || self.model_members() > 1 || self.benchmark.device() != Device::Cpu
    }

    /// How many runs are trained, those not counted that have all their steps.
    #[must_use]
    pub fn size(&self) -> usize {
        self.runs.len()
    }

    /// Takes in the runs of another group of the same shape, which go on from where they are. If libtorch fails, as where memory
    /// lacks, this group is as before, and the other one is given back.
    #[must_use]
    pub fn join(&mut self, newcomers: Group) -> Option<Group> {
        let Ok(model) = catching(|| Ok(self.model_with(&newcomers))) else { return Some(newcomers) };
        self.model = model;
        self.runs.extend(newcomers.runs);
        self.losses = None;
        None
    }

    /// The models of all runs of both groups, and of these alone.
    fn model_with(&self, newcomers: &Group) -> Box<dyn Model> {
        let own = |group: &Group| {
            let runs = group.runs.len() as i64;
            group.model.pick(&|tensor| tensor.narrow(0, 0, runs))
        };
        match self.runs.is_empty() {
            true => newcomers.model.pick(&Tensor::shallow_clone),
            false => model::together(&*own(self), &*own(newcomers)),
        }
    }

    /// Numbers of the runs that have not ended, with their steps.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        self.all().map(|run| (run.member.run, run.step()))
    }

    /// The runs that have not ended. When libtorch has failed, some that have may still be beside them.
    fn all(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().chain(self.endings.runs()).filter(|run| !run.is_over)
    }

    /// What is to be reported since the last time, in this order; also when libtorch has failed: what some runs had come to before
    /// that stands, and their checkpoints are to resume from.
    #[must_use]
    pub fn take_said(&mut self) -> Said {
        mem::take(&mut self.said)
    }

    /// Takes one training step of every run and does what is then due ([`Self::take_said`]). The last event of a run is `finished`; a
    /// run that diverged or whose checkpoint cannot be written is refused. Either way it leaves the group.
    ///
    /// A run that has all its steps, and has reported its last checkpoint, does not keep the others: a part of its end is done
    /// beside their steps, in about the same time as these, and when it has ended that of the next run. `pulse` is called again
    /// and again, with a run and its step, while what takes long goes on.
    ///
    /// # Errors
    /// When libtorch fails: none of the runs can go on.
    pub fn advance(&mut self, pulse: &mut dyn FnMut(u64, u64)) -> Result<(), SessionError> {
        catching(|| {
            self.part_with_those_that_end();
            if !self.runs.is_empty() {
                self.step(pulse);
            }
            if self.runs.is_empty() || self.endings.are_due() {
                self.said.events.extend(self.endings.advance(&self.benchmark, pulse));
            }
            Ok(())
        })
    }

    /// Has the runs that have all their steps leave for their ends, with models of their own.
    fn part_with_those_that_end(&mut self) {
        let own = |member: i64| self.model.pick(&|tensor| tensor.narrow(0, member, 1).copy());
        let ending = (0..).zip(&self.runs).filter(|(_, run)| !run.has_steps_left());
        let models: Vec<_> = ending.map(|(member, _)| own(member)).collect();
        let runs = self.keep(Run::has_steps_left);
        runs.into_iter().zip(models).for_each(|(run, model)| self.endings.push(run, model));
    }

    /// Trains the runs by a step and does what is due.
    fn step(&mut self, pulse: &mut dyn FnMut(u64, u64)) {
        self.train();
        let due: Vec<Due> = self.runs.iter().map(Run::due).collect();
        if due.iter().all(|due| *due == Due::NOTHING) && !self.runs.iter().any(Run::has_written) {
            return;
        }
        let losses = self.read_losses();
        let benchmark = self.benchmark.clone();
        self.each(|at, run, model, events| {
            let losses = losses.as_ref().map(|losses| &losses[at]);
            run.report(due[at], losses, model, &benchmark, pulse, events)
        });
    }

    /// Writes a checkpoint of every chosen run, and ends it if `stop`: then all that are stopped write at the same time.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn checkpoint(&mut self, chosen: impl Fn(u64) -> bool, stop: bool) -> Result<(), SessionError> {
        catching(|| {
            let losses = self.read_losses();
            self.each(|at, run, model, events| {
                if chosen(run.member.run) {
                    run.checkpoint(losses.as_ref().map(|losses| &losses[at]), model, events)?;
                }
                Ok(())
            });
            if stop {
                self.stop(&chosen);
            }
            Ok(())
        })
    }

    /// Ends the chosen runs, of whom those that train have begun to write their last checkpoints.
    fn stop(&mut self, chosen: impl Fn(u64) -> bool) {
        self.each(|_, run, _, events| if chosen(run.member.run) { run.stopped(events) } else { Ok(()) });
        for mut run in self.endings.take(|run| chosen(run.member.run)) {
            self.said.take_in(&mut run, Run::stopped);
        }
    }

    /// The runs that have not ended, to be opened again at their last checkpoints.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.all().map(|run| run.member.clone()).collect()
    }

    /// Waits for the checkpoints that are being written, and reports those that can be.
    pub fn written(&mut self) -> Vec<Event> {
        let runs = self.runs.iter_mut().filter(|run| !run.is_over);
        runs.filter_map(|run| run.written().ok().flatten()).collect()
    }

    /// One step of all members.
    fn train(&mut self) {
        let members = self.model_members();
        // Beyond the runs, a member is a copy of the last.
        let run = |member: usize| &self.runs[member.min(self.runs.len() - 1)];
        let keys: Vec<(u64, u64)> = (0..members).map(|at| (run(at).member.seed, run(at).step())).collect();
        let size = self.runs[0].member.config.batch as usize;
        let device = self.benchmark.device();
        let (images, labels) = batch::of_members(&*self.benchmark.source, &keys, size, device);
        let input = Input { images, labels, draws: &Keyed { keys: &keys, options: (Kind::Float, device) } };
        let t: Vec<u64> = keys.iter().map(|(_, step)| step + 1).collect();
        self.losses = Some(model::step(&mut *self.model, &input, &t));
        for run in &mut self.runs {
            run.progress.step += 1;
        }
    }

    fn model_members(&self) -> usize {
        self.model.parameters()[0].members() as usize
    }

    /// Of each run.
    fn read_losses(&self) -> Option<Vec<Losses>> {
        Some(self.losses.as_ref()?.read())
    }

    /// Does `work` with every run that is trained and a view of its model, and notes what it reports. Those that fail, or are over,
    /// leave the group.
    fn each(
        &mut self,
        mut work: impl FnMut(usize, &mut Run, &mut dyn Model, &mut Vec<Event>) -> Result<(), SessionError>,
    ) {
        for (at, run) in self.runs.iter_mut().enumerate() {
            let model = &mut *model::member(&*self.model, at);
            self.said.take_in(run, |run, events| work(at, run, model, events));
        }
        self.keep(|run| !run.is_over);
    }

    /// Takes the other runs out. Their members leave the model too, if any run stays.
    fn keep(&mut self, kept: impl Fn(&Run) -> bool) -> Vec<Run> {
        let staying = (0..).zip(&self.runs).filter(|(_, run)| kept(run));
        let mut members: Vec<i64> = staying.map(|(member, _)| member).collect();
        if members.len() < self.runs.len() && !members.is_empty() {
            if let ([last], Device::Cpu) = (&members[..], self.benchmark.device()) {
                members.push(*last);
            }
            let index = Tensor::from_slice(&members);
            // If libtorch fails here, all runs are where they were.
            self.model = self.model.pick(&|tensor| tensor.index_select(0, &index.to_device(tensor.device())));
            self.losses = None;
        }
        let (staying, leaving) = mem::take(&mut self.runs).into_iter().partition(|run| kept(run));
        self.runs = staying;
        leaving
    }
}

#[cfg(test)]
mod tests {
    use acai_sweep::training::{Dataset, Model, Precision, TrainingConfig};

    use super::{Benchmarks, Device, Event, Group, Member, catching};

    #[test]
    fn what_runs_have_reported_stands_when_libtorch_fails_at_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = TrainingConfig {
            model: Model::Acai { lambda: 0.5, gamma: 0.2, advdepth: 2 },
            dataset: Dataset::Lines32,
            depth: 2,
            latent: 2,
            latent_width: 8,
            batch: 2,
            lr: 1e-3,
            total_kimg: 1.0,
            eval_kimg: 1.0,
            precision: Precision::Fp32,
            kmeans_inits: 1,
        };
        let member = |run: u64| Member {
            run,
            seed: run,
            config: config.clone(),
            own: Default::default(),
            folder: folder.path().to_owned(),
            resume: None,
            checkpoint_kimg: 1.0,
            weights: false,
        };
        let members = vec![member(1), member(2), member(3)];
        let (group, refused) = Group::open(members, &mut Benchmarks::new(Device::Cpu, None));
        let mut group = group.unwrap();
        assert!(refused.is_empty());
        let failed = catching(|| {
            group.each(|_, run, _, events| match run.member.run {
                1 => run.stopped(events),
                2 => {
                    events.push(Event::Working { run: 2, step: 7 });
                    Ok(())
                }
                _ => panic!("libtorch fails"),
            });
            Ok(())
        });
        assert!(failed.is_err());
        let said = group.take_said();
        assert_eq!(said.events, [Event::Stopped { run: 1, step: 0 }, Event::Working { run: 2, step: 7 }]);
        assert!(said.refusals.is_empty() && group.take_said().events.is_empty());
        assert!(group.steps().eq([(2, 0), (3, 0)]));
    }
}
