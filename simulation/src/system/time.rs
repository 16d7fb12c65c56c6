//! Clocks: they show the virtual time of the host that asks. A host's wall clock may be set to another time, its other clocks
//! go on as before.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libc::{c_int, clockid_t, timespec};
use tokio::runtime::{Handle, Id};

/// What every clock shows when a simulation begins, in seconds: 2026-01-01 for those that count from 1970.
const BEGINNING: u64 = 1_767_225_600;

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
/// What was shown last, in nanoseconds since the beginning: for whoever asks outside of all hosts.
static LAST: AtomicU64 = AtomicU64::new(0);

static WALL_CLOCKS: Mutex<WallClocks> = Mutex::new(WallClocks { hosts: Vec::new(), ahead: BTreeMap::new() });

/// The wall clocks that were set.
struct WallClocks {
    /// On which runtime each host's tasks are.
    hosts: Vec<(Id, &'static str)>,
    /// By how many seconds each host's wall clock is ahead of virtual time; behind where that is negative.
    ahead: BTreeMap<&'static str, i64>,
}

impl WallClocks {
    /// The host that asks, if it has said so.
    fn host(&self) -> Option<&'static str> {
        let runtime = Handle::try_current().ok()?;
        self.hosts.iter().find(|(of, _)| *of == runtime.id()).map(|(_, host)| *host)
    }

    /// By how many seconds the wall clock of the host that asks is ahead.
    fn ahead(&self) -> i64 {
        self.host().and_then(|host| self.ahead.get(host)).copied().unwrap_or_default()
    }
}

fn wall_clocks() -> MutexGuard<'static, WallClocks> {
    WALL_CLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tasks of the current runtime are this host's.
pub(crate) fn is_on(host: &'static str) {
    if let Ok(runtime) = Handle::try_current() {
        let mut clocks = wall_clocks();
        clocks.hosts.retain(|(of, known)| *of != runtime.id() && *known != host);
        clocks.hosts.push((runtime.id(), host));
    }
}

/// The host whose task this is, if [`is_on`] was said there.
pub(crate) fn here() -> Option<&'static str> {
    wall_clocks().host()
}

/// Sets a host's wall clock forth by so many seconds, or back.
pub(crate) fn set_wall_clock(host: &'static str, seconds: i64) {
    *wall_clocks().ahead.entry(host).or_default() += seconds;
}

thread_local! {
    /// Whether this thread is just looking at the clock.
    static IS_LOOKING: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn begin() {
    HAS_BEGUN.store(true, Ordering::Relaxed);
}

/// Virtual time since the beginning.
pub(crate) fn elapsed() -> Duration {
    let last = || Duration::from_nanos(LAST.load(Ordering::Relaxed));
    // Outside of a simulated host tokio would ask the system's clock, and that is this one.
    if Handle::try_current().is_err() || IS_LOOKING.replace(true) {
        return last();
    }
    let elapsed = turmoil::sim_elapsed();
    IS_LOOKING.set(false);
    if let Some(elapsed) = elapsed {
        LAST.store(elapsed.as_nanos() as u64, Ordering::Relaxed);
    }
    elapsed.unwrap_or_else(last)
}

/// So much virtual time has passed, for whoever asks outside of all hosts: a host that has just been started again may have
/// shown more for a moment.
pub(crate) fn is_now(elapsed: Duration) {
    LAST.store(elapsed.as_nanos() as u64, Ordering::Relaxed);
}

/// # Safety
/// `shown` has room for a time.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, shown: *mut timespec) -> c_int {
    if !HAS_BEGUN.load(Ordering::Relaxed) {
        // SAFETY: as the caller promises.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, shown) as c_int };
    }
    let now = Duration::from_secs(BEGINNING) + elapsed();
    let ahead = match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => wall_clocks().ahead(),
        _ => 0,
    };
    let seconds = now.as_secs().cast_signed() + ahead;
    // SAFETY: as the caller promises.
    unsafe { shown.write(timespec { tv_sec: seconds, tv_nsec: now.subsec_nanos().into() }) };
    0
}
