//! Disks: files are where they are, but a host's disk may be full or broken for a while, and a host that loses its power
//! loses what was written and not flushed. Flushes take no time.
//!
//! Which host's a file is, its path says: each host has a folder of its name. That a name is durable is taken for granted.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{c_char, c_int, c_long, c_void, off64_t, size_t, ssize_t};

use crate::plan::VANISHING;

/// How a disk is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no room for most of what is written.
    Full,
    /// Half of all writes fail, and half of all flushes.
    Writes,
    /// Half of all flushes fail.
    Flushes,
    /// A quarter of what is read cannot be read.
    Reads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Write,
    Flush,
    Read,
}

/// The disks of a simulation that has begun.
#[derive(Debug, Default)]
struct Disks {
    troubles: BTreeMap<&'static str, Trouble>,
    /// Files with bytes that are not flushed, and where the first of these is.
    dirty: BTreeMap<PathBuf, u64>,
    /// Counts what chance is asked for.
    chance: u64,
    /// Whether half of the files that are not flushed lose nothing with the power: what was written before may be lost, and what was
    /// written after that may not.
    keeps_half: bool,
}

static DISKS: Mutex<Option<Disks>> = Mutex::new(None);

pub(super) fn begin(seed: u64) {
    *disks() = Some(Disks { chance: seed, keeps_half: seed >= VANISHING, ..Disks::default() });
}

fn disks() -> MutexGuard<'static, Option<Disks>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on the disk of a host is in trouble, or well again.
pub(crate) fn set(host: &'static str, trouble: Option<Trouble>) {
    if let Some(disks) = disks().as_mut() {
        match trouble {
            Some(trouble) => disks.troubles.insert(host, trouble),
            None => disks.troubles.remove(host),
        };
    }
}

/// The host has lost its power: of what was written and not flushed, chance decides how much is still there, and how much of
/// that is what was written.
pub(crate) fn lose_power(host: &'static str) {
    let Some(mut lost) = disks().as_mut().map(|disks| disks.lose_power(host)) else { return };
    lost.retain(|(path, _, _)| path.exists());
    for (path, length, is_garbled) in lost {
        let done = OpenOptions::new().write(true).open(&path).and_then(|file| {
            if is_garbled && length > 0 {
                file.write_all_at(&[0], length - 1)?;
            }
            file.set_len(length)
        });
        tracing::info!(target: "simulation", "of {} {length} bytes are left ({done:?})", path.display());
    }
    // The simulation's own writes are none of the host's.
    forget(host);
}

/// All files of the host are on its disk.
pub(crate) fn forget(host: &'static str) {
    if let Some(disks) = disks().as_mut() {
        disks.dirty.retain(|path, _| host_of(&path.to_string_lossy()) != Some(host));
    }
}

impl Disks {
    /// The files that lose bytes, their lengths then, and whether the last byte is another one then.
    fn lose_power(&mut self, host: &str) -> Vec<(PathBuf, u64, bool)> {
        let dirty = std::mem::take(&mut self.dirty);
        let (own, others) =
            dirty.into_iter().partition(|(path, _)| host_of(&path.to_string_lossy()) == Some(host));
        self.dirty = others;
        let mut own: BTreeMap<PathBuf, u64> = own;
        if self.keeps_half {
            own.retain(|_, _| self.below(2) == 0);
        }
        let lose = |(path, from): (PathBuf, u64)| {
            let written = fs::metadata(&path).map_or(from, |file| file.len()).max(from);
            let length = from + self.below(written - from + 1);
            (path, length, length > from && self.below(2) == 0)
        };
        own.into_iter().map(lose).collect()
    }

    /// A number from 0 to `bound` - 1, by the seed.
    fn below(&mut self, bound: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// The error of a call on this file, if there is one.
    fn error(&mut self, call: Call, path: &str) -> Option<c_int> {
        let trouble = *self.troubles.get(host_of(path)?)?;
        let (error, one_in) = match (trouble, call) {
            (Trouble::Full, Call::Write) => (libc::ENOSPC, 1),
            (Trouble::Writes, Call::Write | Call::Flush) | (Trouble::Flushes, Call::Flush) => (libc::EIO, 2),
            (Trouble::Reads, Call::Read) => (libc::EIO, 4),
            _ => return None,
        };
        (self.below(one_in) == 0).then_some(error)
    }
}

/// The host whose file this is.
fn host_of(path: &str) -> Option<&'static str> {
    let hosts = crate::plan::AGENTS.into_iter().chain(crate::network::COORDINATORS);
    hosts.into_iter().find(|host| path.split('/').any(|part| part == *host))
}

/// The path of an open file.
fn path_of(file: c_int) -> Option<PathBuf> {
    // Standard input and output are no host's.
    if file < 3 {
        return None;
    }
    fs::read_link(format!("/proc/self/fd/{file}")).ok()
}

/// Whether a call on an open file goes on: the file's path if it is a host's, and the error that it meets if there is one.
fn meet(call: Call, file: c_int) -> Result<Option<PathBuf>, c_int> {
    // Whoever checks the files is on no host.
    if tokio::runtime::Handle::try_current().is_err() {
        return Ok(None);
    }
    let mut disks = disks();
    let Some(disks) = disks.as_mut().filter(|disks| call != Call::Read || !disks.troubles.is_empty()) else {
        return Ok(None);
    };
    let Some(path) = path_of(file).filter(|path| host_of(&path.to_string_lossy()).is_some()) else {
        return Ok(None);
    };
    disks.error(call, &path.to_string_lossy()).map_or(Ok(Some(path)), Err)
}

fn fail<T: From<i8>>(error: c_int) -> T {
    // SAFETY: the place of this thread's error is always there.
    unsafe { *libc::__errno_location() = error };
    T::from(-1)
}

/// Bytes from this place on are not flushed.
fn soil(path: Option<PathBuf>, from: u64) {
    if let (Some(path), Some(disks)) = (path, disks().as_mut()) {
        let first = disks.dirty.entry(path).or_insert(from);
        *first = from.min(*first);
    }
}

/// Where the next bytes go that are written to an open file.
fn next_write(file: c_int, path: &Path) -> u64 {
    let end = fs::metadata(path).map_or(0, |file| file.len());
    // SAFETY: the system checks the number of the file.
    let (flags, at) = unsafe { (libc::fcntl(file, libc::F_GETFL), libc::lseek64(file, 0, libc::SEEK_CUR)) };
    if flags & libc::O_APPEND != 0 { end } else { end.min(at.max(0).cast_unsigned()) }
}

/// # Safety
/// As of the C library's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    match meet(Call::Write, file) {
        Err(error) => fail(error),
        Ok(path) => {
            let from = path.as_ref().map_or(0, |path| next_write(file, path));
            soil(path, from);
            // SAFETY: as the caller promises.
            unsafe { libc::syscall(libc::SYS_write, file, bytes, length) as ssize_t }
        }
    }
}

/// # Safety
/// As of the C library's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: size_t, at: off64_t) -> ssize_t {
    match meet(Call::Write, file) {
        Err(error) => fail(error),
        Ok(path) => {
            soil(path, at.cast_unsigned());
            // SAFETY: as the caller promises.
            unsafe { libc::syscall(libc::SYS_pwrite64, file, bytes, length, at) as ssize_t }
        }
    }
}

/// # Safety
/// As of the C library's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn read(file: c_int, bytes: *mut c_void, length: size_t) -> ssize_t {
    match meet(Call::Read, file) {
        Err(error) => fail(error),
        // SAFETY: as the caller promises.
        Ok(_) => unsafe { libc::syscall(libc::SYS_read, file, bytes, length) as ssize_t },
    }
}

/// # Safety
/// As of the C library's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn pread64(file: c_int, bytes: *mut c_void, length: size_t, at: off64_t) -> ssize_t {
    match meet(Call::Read, file) {
        Err(error) => fail(error),
        // SAFETY: as the caller promises.
        Ok(_) => unsafe { libc::syscall(libc::SYS_pread64, file, bytes, length, at) as ssize_t },
    }
}

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    flush(libc::SYS_fsync, file)
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    flush(libc::SYS_fdatasync, file)
}

fn flush(call: c_long, file: c_int) -> c_int {
    match meet(Call::Flush, file) {
        Err(error) => fail(error),
        Ok(Some(path)) => {
            if let Some(disks) = disks().as_mut() {
                disks.dirty.remove(&path);
            }
            0
        }
        // SAFETY: the system checks the number of the file.
        Ok(None) => unsafe { libc::syscall(call, file) as c_int },
    }
}

/// # Safety
/// As of the C library's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    let done =
        unsafe { libc::syscall(libc::SYS_renameat, libc::AT_FDCWD, from, libc::AT_FDCWD, to) as c_int };
    if done == 0 {
        // SAFETY: as the caller promises.
        let names = unsafe { [CStr::from_ptr(from), CStr::from_ptr(to)] };
        let absolute =
            names.map(|name| std::path::absolute(name.to_string_lossy().as_ref()).unwrap_or_default());
        if let Some(disks) = disks().as_mut() {
            let [from, to] = absolute;
            let moved = disks.dirty.remove(&from);
            disks.dirty.remove(&to);
            disks.dirty.extend(moved.map(|first| (to, first)));
        }
    }
    done
}
