//! Places for further runs in the groups of a worker: each group tells of its own, and the agent claims runs for them.

use std::collections::BTreeMap;
use std::time::Duration;

use acai_proto::v1::Group;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Runs of a group often end within a moment of each other. So places are claimed only when no further one has come for this
/// long, all at once.
const TOGETHER: Duration = Duration::from_millis(200);

/// The places of all groups.
#[derive(Debug, Default)]
pub(crate) struct Vacancies(watch::Sender<BTreeMap<u64, Places>>);

/// Runs that a group could take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vacancy {
    /// The group's number among those of this worker.
    pub(crate) group: u64,
    pub(crate) places: u32,
}

/// The places of one group.
#[derive(Debug)]
struct Places {
    /// As the group told last.
    free: u32,
    /// From then on they may be claimed.
    due: Instant,
    /// Whether a claim for them is under way.
    claimed: bool,
    /// What the group has not taken yet.
    granted: Vec<Group>,
}

impl Vacancies {
    /// The group has so many free places at `now`.
    pub(super) fn tell(&self, group: u64, free: u32, now: Instant) {
        self.0.send_if_modified(|groups| match groups.get_mut(&group) {
            Some(places) => {
                let (more, is_news) = (free > places.free, free != places.free);
                places.free = free;
                if more {
                    places.due = places.due.max(now + TOGETHER);
                }
                is_news
            }
            None => {
                let due = now + TOGETHER;
                groups.insert(group, Places { free, due, claimed: false, granted: Vec::new() });
                free > 0
            }
        });
    }

    /// Resolves with what the group is granted, as soon as there are any. Cancel safe.
    pub(super) async fn granted(&self, group: u64) -> Vec<Group> {
        // `self` holds the sender, so waiting cannot end because there is none.
        let _ =
            self.0.subscribe().wait_for(|groups| groups.get(&group).is_some_and(Places::is_granted)).await;
        self.take(group)
    }

    /// The group has no free places any more. Resolves, when no claim for them is under way, with what it is still
    /// granted.
    pub(super) async fn close(&self, group: u64) -> Vec<Group> {
        self.0.send_if_modified(|groups| {
            groups.entry(group).and_modify(|places| places.free = 0);
            false
        });
        let is_settled =
            |groups: &BTreeMap<u64, Places>| groups.get(&group).is_none_or(|places| !places.claimed);
        let _ = self.0.subscribe().wait_for(is_settled).await;
        self.take(group)
    }

    fn take(&self, group: u64) -> Vec<Group> {
        let mut granted = Vec::new();
        self.0.send_if_modified(|groups| {
            groups.entry(group).and_modify(|places| {
                places.free = places.free.saturating_sub(places.taken());
                granted.append(&mut places.granted);
            });
            false
        });
        granted
    }

    /// The group has ended.
    pub(super) fn forget(&self, group: u64) {
        self.0.send_if_modified(|groups| groups.remove(&group).is_some());
    }

    /// Resolves when runs may be claimed for the places of a group.
    pub(crate) async fn due(&self) {
        let mut changes = self.0.subscribe();
        loop {
            let next = first_due(&changes.borrow_and_update()).map(|(due, _)| due);
            let due = async {
                match next {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                () = due => return,
            }
        }
    }

    /// The places that were due first, if any are at `now`. A claim for them counts as under way from now on, and the group
    /// waits for [`settle`](Self::settle) before it ends.
    pub(crate) fn begin_claim(&self, now: Instant) -> Option<Vacancy> {
        let mut next = None;
        self.0.send_if_modified(|groups| {
            next = first_due(groups).filter(|(due, _)| *due <= now).map(|(_, vacancy)| vacancy);
            if let Some(places) = next.as_ref().and_then(|vacancy| groups.get_mut(&vacancy.group)) {
                places.claimed = true;
            }
            false
        });
        next
    }

    /// The claim for places of the group was granted this, or came to nothing: then the places are claimed again
    /// `retry_at` at the earliest.
    pub(crate) fn settle(&self, group: u64, granted: Vec<Group>, retry_at: Instant) {
        self.0.send_modify(|groups| {
            groups.entry(group).and_modify(|places| {
                if granted.is_empty() {
                    places.due = places.due.max(retry_at);
                }
                places.claimed = false;
                places.granted.extend(granted);
            });
        });
    }
}

impl Places {
    fn is_granted(&self) -> bool {
        !self.granted.is_empty()
    }

    /// How many runs are granted.
    fn taken(&self) -> u32 {
        self.granted.iter().map(|group| group.runs.len() as u32).sum()
    }

    /// How many runs can be claimed.
    fn vacant(&self) -> u32 {
        match self.claimed {
            true => 0,
            false => self.free.saturating_sub(self.taken()),
        }
    }
}

/// The vacancy that may be claimed first, and when.
fn first_due(groups: &BTreeMap<u64, Places>) -> Option<(Instant, Vacancy)> {
    let vacant = groups.iter().filter(|(_, places)| places.vacant() > 0);
    let (group, places) = vacant.min_by_key(|(_, places)| places.due)?;
    let vacancy = Vacancy { group: *group, places: places.vacant() };
    Some((places.due, vacancy))
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::Assignment;
    use tokio::time::timeout;

    use super::*;

    fn one_run() -> Vec<Group> {
        vec![Group { runs: vec![Assignment::default()], ..Group::default() }]
    }

    fn vacancy(group: u64, places: u32) -> Vacancy {
        Vacancy { group, places }
    }

    /// What is claimed within a minute.
    async fn claimed(vacancies: &Vacancies) -> Option<Vacancy> {
        timeout(Duration::from_secs(60), vacancies.due()).await.ok()?;
        vacancies.begin_claim(Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn places_that_come_within_a_moment_of_each_other_are_claimed_together() {
        let vacancies = Vacancies::default();
        vacancies.tell(1, 0, Instant::now());
        assert_eq!(claimed(&vacancies).await, None);
        let start = Instant::now();
        for free in 1..=3 {
            vacancies.tell(1, free, Instant::now());
            assert_eq!(vacancies.begin_claim(Instant::now()), None);
            tokio::time::advance(TOGETHER / 2).await;
        }
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 3)));
        assert!(start.elapsed() >= TOGETHER * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_that_is_granted_nothing_is_repeated_no_sooner_than_it_may_be() {
        let vacancies = Vacancies::default();
        vacancies.tell(1, 2, Instant::now());
        vacancies.tell(2, 1, Instant::now());
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 2)));
        let retry_at = Instant::now() + Duration::from_secs(5);
        vacancies.settle(1, Vec::new(), retry_at);
        assert_eq!(claimed(&vacancies).await, Some(vacancy(2, 1)), "the other group does not wait");
        assert!(Instant::now() < retry_at);
        vacancies.tell(1, 3, Instant::now());
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 3)));
        assert!(Instant::now() >= retry_at);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_takes_what_is_granted_and_until_then_the_places_are_taken() {
        let vacancies = Vacancies::default();
        vacancies.tell(1, 3, Instant::now());
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 3)));
        assert_eq!(claimed(&vacancies).await, None, "a claim is under way");
        vacancies.settle(1, one_run(), Instant::now());
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 2)));
        vacancies.settle(1, one_run(), Instant::now());
        assert_eq!(vacancies.granted(1).await.len(), 2);
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_ends_waits_for_the_answer_to_a_claim_under_way_and_is_given_nothing_after_it() {
        let vacancies = Vacancies::default();
        vacancies.tell(1, 2, Instant::now());
        assert_eq!(claimed(&vacancies).await, Some(vacancy(1, 2)));
        let (late, ()) = tokio::join!(vacancies.close(1), async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            vacancies.settle(1, one_run(), Instant::now());
        });
        assert_eq!(late.len(), 1);
        assert_eq!(claimed(&vacancies).await, None, "it is closed");
        assert!(vacancies.close(1).await.is_empty());
        vacancies.forget(1);
        assert!(vacancies.close(1).await.is_empty());
    }
}
