//! What people ask for.

use acai_coordinator::store::Duty;
use acai_sweep::control::{Intent, RETRIED};
use rand::RngExt;

use crate::network::Call;
use crate::world::World;

impl World<'_> {
    pub(crate) fn people(&mut self) -> Call {
        let sweep = &self.sweeps[self.random.random_range(0..self.sweeps.len())];
        let name = sweep.name.clone();
        let intent = match self.random.random_range(0..14) {
            0 => Intent::Cancel,
            1 => Intent::Pause,
            2 => Intent::PauseNow,
            3..=5 => Intent::Resume,
            6..=8 => {
                Intent::Retry { states: RETRIED.to_vec(), from_scratch: self.random.random_range(0..2) == 0 }
            }
            9 | 10 => return Call::Submit(Box::new(sweep.file(&mut self.random))),
            11 => {
                let (priority, max_concurrent) =
                    (self.random.random_range(0..3), self.random.random_range(0..5));
                return Call::Limit { sweep: name, priority, max_concurrent };
            }
            _ => {
                let who = self.random.random_range(0..self.workers.len());
                let duty =
                    [Duty::Open, Duty::Open, Duty::Cordoned, Duty::Drained][self.random.random_range(0..4)];
                return Call::SetDuty { worker: self.workers[who].name.clone(), duty };
            }
        };
        let run = self.random.random_range(0..sweep.places());
        let numbers = if self.random.random_range(0..3) == 0 { Vec::new() } else { vec![run] };
        Call::Change { sweep: name, numbers, intent }
    }
}
