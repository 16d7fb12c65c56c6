//! Randomness: identifiers, tokens, backoff, the order of hash maps, which branch of a `select!` comes first.

use std::sync::{Mutex, PoisonError};

use libc::{c_int, c_long, c_uint, c_void, size_t, ssize_t};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// None before the simulation begins.
static RANDOM: Mutex<Option<ChaCha8Rng>> = Mutex::new(None);

pub(super) fn begin(seed: u64) {
    *RANDOM.lock().unwrap_or_else(PoisonError::into_inner) = Some(ChaCha8Rng::seed_from_u64(seed));
}

/// # Safety
/// `buffer` has room for `length` bytes, or is not used because `length` is 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    if length == 0 {
        return 0;
    }
    let mut random = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(random) = random.as_mut() else {
        // SAFETY: as the caller promises.
        let filled: c_long = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
        return filled as ssize_t;
    };
    // SAFETY: as the caller promises.
    random.fill_bytes(unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) });
    length as ssize_t
}

/// # Safety
/// `buffer` has room for `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, length: size_t) -> c_int {
    // SAFETY: as the caller promises.
    match unsafe { getrandom(buffer, length, 0) } {
        filled if filled == length as ssize_t => 0,
        _ => -1,
    }
}
