//! What no answer may say.

use std::collections::BTreeSet;

use acai_coordinator::store::RunId;
use acai_sweep::schedule::Offer;

use crate::delivery::Copy;
use crate::depot::AGES;
use crate::network::{Answer, Call};
use crate::observer::BeforeClaims;
use crate::queue;
use crate::worker::Worker;
use crate::world::{ELSEWHERE, World};

impl World<'_> {
    /// What no answer may say, by what was known when the call was sent.
    pub(crate) fn judge(&self, copy: &Copy, answer: &Answer) {
        let contradicted = copy.heard && copy.call.is_contradicted_by(answer);
        assert!(!contradicted || self.moves > 0, "{answer:?} is no answer to {:?}", copy.call);
        match (&copy.call, answer) {
            (Call::Commit { checkpoint, .. }, Answer::NoBlob) => {
                let age = self.journal.told(&checkpoint.sha256).map(|told| self.clock.now_ms() - told);
                assert!(
                    age.is_none_or(|age| age > AGES.unused_ms),
                    "the blob of {checkpoint:?} was there {age:?} ms ago"
                );
            }
            // The end of an attempt may be told again after others came: it gets its first answer, and changes nothing.
            (Call::Report { .. } | Call::Commit { .. }, Answer::Taken | Answer::Acknowledged(_)) => {
                assert!(!copy.dead, "a zombie wrote: {:?} {answer:?}", copy.call);
            }
            (Call::Claim(claim), Answer::Granted(grants)) => {
                for grant in grants {
                    let attempt = grant.attempt;
                    assert!(!self.journal.is_over(attempt), "{attempt:?} was granted when it was dead");
                    assert!(
                        copy.awaited || self.journal.knows(attempt),
                        "{attempt:?} was granted to {claim:?}, for which nobody waits"
                    );
                }
            }
            _ => {}
        }
    }

    /// What claims may be granted, by what was there before and is after.
    pub(crate) async fn judge_claims(&mut self, copies: &[Copy], answers: &[Answer], before: &BeforeClaims) {
        let BeforeClaims { queue, loads, cordoned } = before;
        if let ([copy], [Answer::Granted(grants)]) = (copies, answers)
            && let Call::Claim(claim) = &copy.call
            && let Some(worker) = copy.sender.map(|who| &self.workers[who])
            && !self.journal.has_answered(claim)
            && !cordoned.contains(&worker.name)
            && !queue.iter().any(|waiting| self.goes_elsewhere(waiting.run, worker))
        {
            queue::check(queue, loads, claim.offer, grants);
        }
        for (copy, answer) in copies.iter().zip(answers) {
            if let (Call::Claim(claim), Answer::Granted(grants)) = (&copy.call, answer)
                && !self.journal.has_answered(claim)
            {
                let groups: BTreeSet<_> = grants.iter().map(|grant| grant.group).collect();
                let offers = copies.iter().filter_map(|copy| match &copy.call {
                    Call::Claim(other) if other.id == claim.id => Some(other.offer),
                    _ => None,
                });
                let fits = |offer: Offer| {
                    groups.len() <= offer.groups as usize
                        && grants.len() <= offer.groups as usize * offer.group_size as usize
                };
                assert!({ offers }.any(fits), "{claim:?} was granted {grants:?}");
            }
        }
        assert_eq!(self.observer.miscounted().await, [""; 0], "runs are tallied as they are");
        let quiet = copies.iter().all(|copy| !matches!(copy.call, Call::Submit(_) | Call::Limit { .. }));
        if quiet {
            for (before, after) in loads.iter().zip(self.observer.loads().await) {
                let most = before.limit.map_or(i64::MAX, |limit| limit.max(before.running));
                assert!(
                    after.running <= most,
                    "more runs than max_concurrent allows: {before:?}, then {after:?}"
                );
            }
        }
    }

    /// Whether the worker could not train the run just now.
    fn goes_elsewhere(&self, run: RunId, worker: &Worker) -> bool {
        let now = self.clock.now_ms();
        self.faulty_machines
            .iter()
            .any(|(name, faulty, at)| *name == worker.name && *faulty == run && now - at <= ELSEWHERE)
    }
}
