//! How fast the runs of a group train together.

use std::time::Duration;

use tokio::time::Instant;

/// For so long the same runs have to train before it is said how fast. The scores that are due meanwhile count as well.
const WINDOW: Duration = Duration::from_secs(30);

/// Measures for as long as the same runs are trained, and then anew.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    runs: Vec<u64>,
    /// Images that the runs had trained together when this began.
    images: u64,
    /// When it began: with the first step after that, so that what a trainer does before does not count.
    since: Option<Instant>,
}

impl Pace {
    /// These runs are trained at `now`, and have trained so many images each. Tells how many they train per second together,
    /// once that has been so for a while.
    pub(crate) fn observe(&mut self, now: Instant, trained: &[(u64, u64)]) -> Option<f64> {
        let images: u64 = trained.iter().map(|(_, images)| images).sum();
        if !self.runs.iter().eq(trained.iter().map(|(run, _)| run)) {
            let runs = trained.iter().map(|(run, _)| *run).collect();
            *self = Self { runs, images, since: None };
            return None;
        }
        let Some(since) = self.since else {
            if images > self.images {
                (self.images, self.since) = (images, Some(now));
            }
            return None;
        };
        let elapsed = now.duration_since(since);
        if elapsed < WINDOW {
            return None;
        }
        let rate = images.saturating_sub(self.images) as f64 / elapsed.as_secs_f64();
        (self.images, self.since) = (images, Some(now));
        Some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_images_of_all_runs_count_from_the_first_step_on_while_the_same_runs_are_trained() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::default();
        assert_eq!(pace.observe(at(0), &[(1, 0), (2, 640)]), None);
        assert_eq!(pace.observe(at(500), &[(1, 0), (2, 640)]), None, "it has not begun");
        assert_eq!(pace.observe(at(501), &[(1, 64), (2, 704)]), None);
        assert_eq!(pace.observe(at(530), &[(1, 1000), (2, 1640)]), None);
        assert_eq!(pace.observe(at(541), &[(1, 2064), (2, 2704)]), Some(100.0));
        assert_eq!(pace.observe(at(571), &[(1, 5064), (2, 2704)]), Some(100.0), "it goes on");
        assert_eq!(pace.observe(at(572), &[(1, 5128), (3, 0)]), None, "others are trained");
        assert_eq!(pace.observe(at(602), &[(1, 5192), (3, 64)]), None);
        assert_eq!(pace.observe(at(632), &[(1, 5832), (3, 704)]), Some(1280.0 / 30.0));
    }
}
