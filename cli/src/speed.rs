//! How fast a sweep is trained, and how long that still takes.

use std::time::{Duration, Instant};

use acai_proto::v1::Sweep;
use indicatif::HumanDuration;

/// An average over about this long: runs report once a second, and evaluations pause them.
const OVER: Duration = Duration::from_secs(20);

/// Images that a sweep's runs have been trained on, at moments of the last while, oldest first.
#[derive(Default)]
pub(crate) struct Speed(Vec<(Instant, u64)>);

impl Speed {
    pub(crate) fn add(&mut self, images_done: u64) {
        let now = Instant::now();
        self.0.push((now, images_done));
        self.0.retain(|(at, _)| now.duration_since(*at) <= OVER);
    }

    /// Images a second; a run that starts over, or is resumed, takes the count back.
    fn images_a_second(&self) -> f64 {
        let (Some((first, before)), Some((last, after))) = (self.0.first(), self.0.last()) else {
            return 0.0;
        };
        let seconds = last.duration_since(*first).as_secs_f64();
        if seconds > 0.0 { after.saturating_sub(*before) as f64 / seconds } else { 0.0 }
    }

    /// `340 images/s, about 2 minutes left`; none while nothing is known to move.
    pub(crate) fn words(&self, sweep: &Sweep) -> Option<String> {
        let speed = self.images_a_second();
        if speed < 1.0 {
            return None;
        }
        let left = sweep.images_total.saturating_sub(sweep.images_done) as f64 / speed;
        let left = HumanDuration(Duration::from_secs_f64(left.min(1e9)));
        Some(format!("{speed:.0} images/s, about {left} left"))
    }
}
