//! Calls on their way, and what becomes of their answers.

use std::collections::HashSet;

use acai_coordinator::store::{Claim, Grant};
use rand::RngExt;

use crate::network::{Answer, Call, Fate};
use crate::training::Start;
use crate::worker::Worker;
use crate::world::World;

/// A call, and which worker hears its answer.
pub(crate) type Sending = (Option<usize>, Call);

/// A copy of a call under way.
pub(crate) struct Copy {
    pub(crate) sender: Option<usize>,
    pub(crate) call: Call,
    /// Whether the sender hears the answer.
    pub(crate) heard: bool,
    /// When it was sent nothing could be taken from its attempt any more.
    pub(crate) dead: bool,
    /// When it was sent its worker waited for the answer, or was gone and could not say that it did not.
    pub(crate) awaited: bool,
}

impl World<'_> {
    /// Sends all calls before any answer is waited for, each to some coordinator, and takes in what comes back.
    pub(crate) async fn at_once(&mut self, sendings: Vec<Sending>) {
        let claims = sendings.iter().any(|(_, call)| matches!(call, Call::Claim(_)));
        let before = if claims { Some(self.observer.before_claims().await) } else { None };
        // What becomes of each is decided before anything moves: by the seed alone.
        let copies: Vec<Copy> = sendings.into_iter().flat_map(|sending| self.send(sending)).collect();
        let mut under_way = Vec::new();
        for copy in &copies {
            let coordinator = self.cluster.coordinator(self.random.random_range(0..self.cluster.len()));
            let (call, lease) = (copy.call.clone(), self.lease);
            under_way.push(tokio::spawn(async move { call.arrive(&*coordinator, lease).await }));
        }
        let mut answers = Vec::new();
        for answer in under_way {
            answers.push(answer.await.unwrap());
        }
        for (copy, answer) in copies.iter().zip(&answers) {
            let attempt = copy.call.attempt().map(|attempt| (attempt.run, attempt.number));
            self.note(&format!("{attempt:?} {}", answer.trace()));
            self.judge(copy, answer);
        }
        if let Some(before) = before {
            self.judge_claims(&copies, &answers, &before).await;
        }
        self.look_at_files().await;
        for (copy, answer) in copies.iter().zip(&answers) {
            self.take_in(copy, answer).await;
        }
        self.depot.condemned.clear();
    }

    /// The copies of a call that arrive now.
    fn send(&mut self, (sender, call): Sending) -> Vec<Copy> {
        let fate = if self.faulty && call.may_fail() { Fate::draw(&mut self.random) } else { Fate::Arrives };
        self.faults += u64::from(fate != Fate::Arrives);
        let dead = call.attempt().is_some_and(|attempt| self.journal.is_dead(attempt));
        let awaited = match &call {
            Call::Claim(claim) => {
                self.workers.iter().all(|worker| worker.id() != claim.worker || worker.awaits(claim))
            }
            _ => true,
        };
        if fate == Fate::Late || fate == Fate::Doubled && matches!(call, Call::Claim(_)) {
            self.late.push(call.clone());
        }
        let copy = |heard| Copy { sender, call: call.clone(), heard, dead, awaited };
        match fate {
            Fate::Lost | Fate::Late => vec![],
            Fate::AnswerLost => vec![copy(false)],
            Fate::Doubled => vec![copy(false), copy(true)],
            Fate::Arrives => vec![copy(sender.is_some())],
        }
    }

    /// What the sender hears, and the journal notes.
    async fn take_in(&mut self, copy: &Copy, answer: &Answer) {
        if let (Call::Claim(claim), Answer::Granted(grants)) = (&copy.call, answer) {
            // Whether anybody hears of it or not.
            self.journal.answered(claim);
            let name = Worker::name_of(&claim.worker).to_owned();
            self.holders.extend(grants.iter().map(|grant| (grant.attempt, name.clone())));
            grants.iter().for_each(|grant| self.journal.granted(grant.attempt));
        }
        if let (Call::Release { attempt, mishap: Some(_) }, Answer::Taken) = (&copy.call, answer) {
            let worker = self.holders[attempt].clone();
            self.faulty_machines.push((worker, attempt.run, self.clock.now_ms()));
        }
        if !copy.heard {
            return;
        }
        match (&copy.call, answer) {
            (_, Answer::NoBlob) => self.count("commits without a blob"),
            (Call::Upload { attempt, checkpoint, visit, .. }, answer) => {
                return self.uploaded(*attempt, checkpoint, &visit.lost_before, answer).await;
            }
            (call, Answer::Fenced) => self.journal.fenced(call.attempt().unwrap()),
            (Call::Report { attempt, first_seq, points, .. }, Answer::Acknowledged(acked)) => {
                let numbered = (*first_seq..).zip(points);
                let steps = numbered.filter(|(seq, _)| seq <= acked).map(|(_, point)| point.step);
                self.journal.acknowledged(*attempt, steps);
            }
            (Call::Renew { .. }, Answer::Renewed(renewal)) => {
                renewal.fenced.iter().for_each(|attempt| self.journal.fenced(*attempt));
            }
            (Call::Commit { checkpoint, .. }, Answer::Taken)
                if !self.depot.condemned.contains(&checkpoint.sha256) =>
            {
                self.is_there(&checkpoint.sha256, &HashSet::new()).await;
            }
            (call, Answer::Taken) => {
                if let (Some(attempt), Some(ending)) = (call.attempt(), call.ending()) {
                    self.journal.ended(attempt, ending);
                }
            }
            _ => {}
        }
        let Some(who) = copy.sender else { return };
        match (&copy.call, answer) {
            (Call::Claim(claim), Answer::Granted(grants)) => self.begin(who, claim, grants).await,
            (Call::Renew { .. }, Answer::Renewed(renewal)) => self.workers[who].renewed(renewal),
            (Call::Claim(_) | Call::Renew { .. }, Answer::Unknown) => {
                self.register(who).await;
            }
            (call, answer) => self.workers[who].answered(call, answer),
        }
    }

    /// A worker begins what it is granted, unless it has heard of it before. Nobody will report again what comes before the
    /// checkpoint that it begins with.
    async fn begin(&mut self, who: usize, claim: &Claim, grants: &[Grant]) {
        self.workers[who].is_answered(claim);
        let mut resumed = Vec::new();
        for grant in grants {
            if self.workers[who].trains(grant.attempt) {
                continue;
            }
            let start = self.start(who, grant).await;
            if start != Start::Scratch {
                resumed.push((grant.attempt.run, start.step()));
            }
            self.note(&format!("{start:?}"));
            self.workers[who].begin(claim, grant, start);
        }
        if !resumed.is_empty() {
            let points = self.observer.points().await;
            resumed.iter().for_each(|(run, step)| self.journal.resumed(*run, *step, &points));
        }
    }
}
