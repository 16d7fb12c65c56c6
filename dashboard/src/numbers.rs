//! Figures, shares and times as pages write them.

use std::time::{Duration, SystemTime};

use acai_sweep::results::Aggregate;
use acai_sweep::statistics::Spread;
use acai_sweep::training::IMAGES_PER_KIMG;

/// `0.240 ± 0.010`, of the runs that have a value.
pub(crate) fn mean(aggregate: &Aggregate, spread: Spread) -> String {
    let n = u32::try_from(aggregate.n).unwrap_or(u32::MAX);
    acai_plot::figure(aggregate.mean, spread.of(n, aggregate.std))
}

pub(crate) fn value(value: f64) -> String {
    acai_plot::figure(value, None)
}

/// `37 %`, never rounded up to 100.
pub(crate) fn percent(done: u64, total: u64) -> String {
    let share = if total == 0 { 0.0 } else { done as f64 / total as f64 };
    format!("{:.0} %", (share * 100.0).floor().min(100.0))
}

/// A moment, as `2026-11-24 23:10:05`, in UTC.
pub(crate) fn utc(unix_ms: i64) -> String {
    let since_epoch = Duration::from_millis(u64::try_from(unix_ms).unwrap_or_default());
    let text = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since_epoch).to_string();
    text.replace('T', " ").trim_end_matches('Z').to_owned()
}

/// The same for machines.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    format!("{}Z", utc(unix_ms).replace(' ', "T"))
}

/// `2m 5s`.
pub(crate) fn lasted(from_ms: i64, to_ms: i64) -> String {
    let seconds = u64::try_from((to_ms - from_ms).max(0) / 1000).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// Images in units of 1024.
pub(crate) fn kimg(images: u64) -> String {
    let kimg = images as f64 / IMAGES_PER_KIMG;
    if kimg >= 100.0 { format!("{kimg:.0}") } else { ((kimg * 100.0).round() / 100.0).to_string() }
}

/// `1.4 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < 1e3 => format!("{bytes} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes if bytes < 1e9 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.1} GB", bytes / 1e9),
    }
}
