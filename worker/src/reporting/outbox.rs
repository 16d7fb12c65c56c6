//! What an attempt has spooled and the coordinator has not acknowledged, in order.

use std::collections::VecDeque;

use acai_proto::v1::Point;

use crate::run_folder::Checkpoint;
use crate::spool::Settled;

/// Most points in one call.
pub(crate) const BATCH_POINTS: usize = 1000;

/// A checkpoint that is not yet what this machine and others resume from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    /// Number of the last point before it.
    after: u64,
    checkpoint: Checkpoint,
    /// Whether it is committed on this machine, or cannot be.
    is_kept: bool,
    /// Whether it is committed with the coordinator, or cannot be, or was overtaken.
    is_handed_over: bool,
}

/// What one call reports.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch {
    /// Number of the first point; points are numbered from 1.
    pub(crate) first_seq: u64,
    pub(crate) points: Vec<Point>,
    /// Training steps done.
    pub(crate) step: u64,
}

/// An answer that does not follow from what was sent and acknowledged before.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAck {
    /// The coordinator's database was restored from a backup, and lacks points that are not in the spool any more.
    #[error(
        "the coordinator acknowledged points up to {acked} of this attempt, and now has {answered} of them"
    )]
    MovedBack { answered: u64, acked: u64 },
    /// The coordinator acknowledged points that it cannot have.
    #[error(
        "the coordinator acknowledged points up to {answered} of this attempt, of which {sent} were sent"
    )]
    Invented { answered: u64, sent: u64 },
}

/// The queue of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The first is number `acked + 1`.
    points: VecDeque<Point>,
    acked: u64,
    /// Whether an earlier agent may have sent more than this one knows of.
    recovered: bool,
    /// Roughly the bytes that the points take in the spool.
    bytes: usize,
    /// **Checkpoint barrier**: each checkpoint may be committed when all points before it are acknowledged. Otherwise a
    /// worker that dies and resumes there would leave a hole in the acknowledged history that nobody fills.
    checkpoints: VecDeque<Waiting>,
    /// Checkpoints that wait for nothing any more.
    settled_checkpoints: u64,
    /// The step that training has reached.
    step: u64,
    /// The step that the coordinator knows of.
    reported_step: u64,
    urgent: bool,
}

impl Outbox {
    /// The queue of an attempt that an earlier agent left, with all points up to number `acked` acknowledged.
    pub(crate) fn recovered(acked: u64) -> Self {
        Self { acked, recovered: true, ..Self::default() }
    }

    /// Appends points in the order of their numbers.
    pub(crate) fn push(&mut self, points: impl IntoIterator<Item = Point>) {
        self.points.extend(points.into_iter().inspect(|point| self.bytes += spooled_bytes(point)));
    }

    /// Appends a checkpoint behind all points so far.
    pub(crate) fn push_checkpoint(&mut self, checkpoint: Checkpoint) {
        let after = self.last_seq();
        self.checkpoints.push_back(Waiting { after, checkpoint, is_kept: false, is_handed_over: false });
    }

    /// Training has reached `step`.
    pub(crate) fn progress(&mut self, step: u64) {
        self.step = self.step.max(step);
    }

    /// The step that training has reached.
    pub(crate) fn step(&self) -> u64 {
        self.step
    }

    /// From now on nothing waits for more to share a call with.
    pub(crate) fn hurry(&mut self) {
        self.urgent = true;
    }

    /// Number of the last point so far.
    pub(crate) fn last_seq(&self) -> u64 {
        self.acked + self.points.len() as u64
    }

    /// Points that are not acknowledged, and about the bytes they take in the spool.
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.points.len(), self.bytes)
    }

    /// How far the attempt has come with the coordinator.
    pub(crate) fn settled(&self) -> Settled {
        Settled { acked: self.acked, checkpoints: self.settled_checkpoints }
    }

    /// Whether there is anything to send.
    pub(crate) fn has_news(&self) -> bool {
        !self.points.is_empty() || self.step > self.reported_step
    }

    /// Whether sending should not wait for more.
    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent || self.points.len() >= BATCH_POINTS
    }

    /// Whether all points are acknowledged.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.points.is_empty()
    }

    /// Whether all points are acknowledged and all checkpoints committed.
    pub(crate) fn is_flushed(&self) -> bool {
        self.is_acknowledged() && self.checkpoints.is_empty()
    }

    /// What to send next.
    pub(crate) fn batch(&self) -> Batch {
        let points = self.points.iter().take(BATCH_POINTS).cloned().collect();
        Batch { first_seq: self.acked + 1, points, step: self.step }
    }

    /// Takes in the answer to `batch`: all points up to number `answered` are durable. Those that the answer leaves out
    /// are sent again with the next batch.
    pub(crate) fn acknowledge(&mut self, batch: &Batch, answered: u64) -> Result<(), BadAck> {
        let sent = batch.first_seq - 1 + batch.points.len() as u64;
        if answered < self.acked {
            return Err(BadAck::MovedBack { answered, acked: self.acked });
        }
        if answered > sent && !self.recovered {
            return Err(BadAck::Invented { answered, sent });
        }
        let taken = self.points.len().min((answered - self.acked) as usize);
        self.bytes -= self.points.drain(..taken).map(|point| spooled_bytes(&point)).sum::<usize>();
        self.acked = answered;
        self.reported_step = batch.step;
        Ok(())
    }

    /// The checkpoints before which all points are acknowledged.
    fn due(&self) -> impl DoubleEndedIterator<Item = &Waiting> {
        self.checkpoints.iter().filter(|waiting| waiting.after <= self.acked)
    }

    /// The oldest checkpoint that may be committed on this machine and is not yet, with the number of the last point
    /// before it.
    pub(super) fn to_keep(&self) -> Option<(Checkpoint, u64)> {
        let oldest = self.due().find(|waiting| !waiting.is_kept)?;
        Some((oldest.checkpoint.clone(), oldest.after))
    }

    /// The newest checkpoint that may be handed over, with the number of the last point before it; none when it has
    /// been handed over.
    pub(super) fn to_hand_over(&self) -> Option<(Checkpoint, u64)> {
        let newest = self.due().next_back().filter(|waiting| !waiting.is_handed_over)?;
        Some((newest.checkpoint.clone(), newest.after))
    }

    /// The checkpoint is committed on this machine, or cannot be.
    pub(crate) fn kept(&mut self, checkpoint: &Checkpoint) {
        for waiting in self.checkpoints.iter_mut().filter(|waiting| waiting.checkpoint == *checkpoint) {
            waiting.is_kept = true;
        }
        self.settle();
    }

    /// The checkpoint is handed over, or cannot be; the checkpoints before it are overtaken.
    pub(crate) fn handed_over(&mut self, checkpoint: &Checkpoint) {
        let until = self.checkpoints.iter().position(|waiting| waiting.checkpoint == *checkpoint);
        for waiting in self.checkpoints.iter_mut().take(until.map_or(0, |until| until + 1)) {
            waiting.is_handed_over = true;
        }
        self.settle();
    }

    /// Forgets the oldest checkpoints for which nothing is left to do.
    fn settle(&mut self) {
        while self.checkpoints.front().is_some_and(|waiting| waiting.is_kept && waiting.is_handed_over) {
            self.checkpoints.pop_front();
            self.settled_checkpoints += 1;
        }
    }
}

/// Roughly the bytes that a point takes in a spool: its name, two numbers and what separates them.
pub(crate) fn spooled_bytes(point: &Point) -> usize {
    point.name.len() + 40
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(steps: std::ops::RangeInclusive<u64>) -> Vec<Point> {
        steps.map(|step| Point { name: "train/loss".into(), step, value: 0.5 }).collect()
    }

    fn checkpoint(step: u64) -> Checkpoint {
        Checkpoint { step, file: format!("step-{step}").into() }
    }

    #[test]
    fn batches_are_bounded_and_continue_after_what_is_acknowledged() {
        let mut outbox = Outbox::default();
        outbox.push(points(1..=1500));
        let first = outbox.batch();
        assert_eq!((first.first_seq, first.points.len()), (1, BATCH_POINTS));
        outbox.acknowledge(&first, 1000).unwrap();
        let second = outbox.batch();
        assert_eq!(second, Batch { first_seq: 1001, points: points(1001..=1500), step: 0 });
    }

    #[test]
    fn points_that_an_answer_leaves_out_are_sent_again() {
        let mut outbox = Outbox::default();
        outbox.push(points(1..=10));
        let batch = outbox.batch();
        outbox.acknowledge(&batch, 4).unwrap();
        assert_eq!(outbox.batch(), Batch { first_seq: 5, points: points(5..=10), step: 0 });
    }

    #[test]
    fn an_answer_that_loses_or_invents_points_is_an_error() {
        let mut outbox = Outbox::default();
        outbox.push(points(1..=10));
        let batch = outbox.batch();
        assert_eq!(outbox.acknowledge(&batch, 11), Err(BadAck::Invented { answered: 11, sent: 10 }));
        outbox.acknowledge(&batch, 10).unwrap();
        outbox.push(points(11..=12));
        let batch = outbox.batch();
        assert_eq!(outbox.acknowledge(&batch, 9), Err(BadAck::MovedBack { answered: 9, acked: 10 }));
    }

    #[test]
    fn a_checkpoint_is_due_only_when_all_points_before_it_are_acknowledged() {
        let mut outbox = Outbox::default();
        outbox.push(points(1..=3));
        outbox.push_checkpoint(checkpoint(3));
        outbox.push(points(4..=5));
        let batch = outbox.batch();
        outbox.acknowledge(&batch, 2).unwrap();
        assert_eq!((outbox.to_keep(), outbox.to_hand_over()), (None, None));
        let batch = outbox.batch();
        outbox.acknowledge(&batch, 3).unwrap();
        assert_eq!(outbox.to_keep(), Some((checkpoint(3), 3)));
        assert_eq!(outbox.to_hand_over(), Some((checkpoint(3), 3)));
        outbox.kept(&checkpoint(3));
        assert_eq!((outbox.to_keep(), outbox.settled().checkpoints), (None, 0));
        outbox.handed_over(&checkpoint(3));
        assert_eq!((outbox.to_hand_over(), outbox.settled().checkpoints), (None, 1));
        assert!(!outbox.is_flushed());
    }

    #[test]
    fn checkpoints_are_kept_one_after_the_other_and_the_newest_is_handed_over() {
        let mut outbox = Outbox::default();
        for step in [1, 2, 3] {
            outbox.push_checkpoint(checkpoint(step));
        }
        assert_eq!(outbox.to_hand_over(), Some((checkpoint(3), 0)));
        for step in [1, 2, 3] {
            assert_eq!(outbox.to_keep(), Some((checkpoint(step), 0)));
            outbox.kept(&checkpoint(step));
        }
        outbox.push_checkpoint(checkpoint(4));
        outbox.handed_over(&checkpoint(3));
        assert_eq!((outbox.settled().checkpoints, outbox.to_hand_over()), (3, Some((checkpoint(4), 0))));
        outbox.handed_over(&checkpoint(4));
        assert!(!outbox.is_flushed());
        outbox.kept(&checkpoint(4));
        assert!(outbox.is_flushed());
    }

    #[test]
    fn a_new_step_without_points_is_news_until_it_is_reported() {
        let mut outbox = Outbox::default();
        assert!(!outbox.has_news());
        outbox.progress(7);
        let batch = outbox.batch();
        assert_eq!(batch, Batch { first_seq: 1, points: vec![], step: 7 });
        outbox.acknowledge(&batch, 0).unwrap();
        assert!(!outbox.has_news());
    }

    #[test]
    fn an_attempt_left_by_an_earlier_agent_takes_an_answer_beyond_what_was_sent_by_this_one() {
        let mut outbox = Outbox::recovered(4);
        outbox.push(points(5..=1500));
        let batch = outbox.batch();
        assert_eq!((batch.first_seq, batch.points.len()), (5, BATCH_POINTS));
        outbox.acknowledge(&batch, 1400).unwrap();
        assert_eq!(outbox.batch(), Batch { first_seq: 1401, points: points(1401..=1500), step: 0 });
        // Such an answer comes when the machine has lost the end of its spool.
        let batch = outbox.batch();
        outbox.acknowledge(&batch, 1600).unwrap();
        assert!(outbox.is_flushed() && outbox.last_seq() == 1600);
    }

    #[test]
    fn points_count_against_the_capacity_until_they_are_acknowledged() {
        let mut outbox = Outbox::default();
        outbox.push(points(1..=10));
        let bytes = spooled_bytes(&points(1..=1)[0]);
        assert_eq!(outbox.held(), (10, 10 * bytes));
        let batch = outbox.batch();
        outbox.acknowledge(&batch, 7).unwrap();
        assert_eq!((outbox.held(), outbox.settled().acked), ((3, 3 * bytes), 7));
    }
}
