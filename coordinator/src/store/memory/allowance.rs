//! What the bearers of a token have, and whether that is more than they may.

use super::state::{Run, State};
use crate::store::rules::{refuse_bytes, refuse_more};
use crate::store::{Limited, Result, Submitter};

impl State {
    /// How many sweeps and runs the submitter's token has.
    pub(super) fn holding(&self, who: &Submitter) -> (u64, u64) {
        let sweeps = self.sweeps.values().filter(|sweep| sweep.file.submitter_is(who)).count();
        (sweeps as u64, self.runs_of_submitter(who).count() as u64)
    }

    /// Refuses what the submitter's token has by now, if it is more than before and too much.
    pub(super) fn check(&self, who: &Submitter, (sweeps, runs): (u64, u64)) -> Result<()> {
        let now = self.holding(who);
        refuse_more(who, Limited::Sweeps, sweeps, now.0)?;
        refuse_more(who, Limited::Runs, runs, now.1)
    }

    /// Refuses if the submitter's sweeps have as many bytes as they may, or more than that with `added` of them.
    pub(super) fn check_bytes(&self, who: &Submitter, added: u64) -> Result<()> {
        let bytes = self.runs_of_submitter(who).flat_map(|run| {
            let checkpoints = run.checkpoints.values().map(|stored| stored.bytes);
            checkpoints.chain(run.artifacts.values().map(|stored| stored.bytes))
        });
        refuse_bytes(who, bytes.sum(), added)
    }

    /// Notes that the submitter uploads a blob for an import, unless all that was announced since `since_ms` is too much.
    pub(super) fn announce(
        &mut self,
        who: &Submitter,
        sha256: String,
        bytes: u64,
        since_ms: i64,
        now_ms: i64,
    ) -> Result<()> {
        let mut announced = self.announced.clone();
        announced.retain(|(token, _), (_, at_ms)| *token != who.token || *at_ms >= since_ms);
        let mine = |all: &super::state::Announced| -> u64 {
            all.iter().filter(|((token, _), _)| *token == who.token).map(|(_, (bytes, _))| bytes).sum()
        };
        let before = mine(&announced);
        announced.insert((who.token.clone(), sha256), (bytes, now_ms));
        refuse_more(who, Limited::Bytes, before, mine(&announced))?;
        self.announced = announced;
        Ok(())
    }

    fn runs_of_submitter(&self, who: &Submitter) -> impl Iterator<Item = &Run> {
        let is_theirs =
            |run: &&Run| self.sweeps.get(&run.sweep).is_some_and(|sweep| sweep.file.submitter_is(who));
        self.runs.values().filter(is_theirs)
    }
}
