//! Whether a GPU may compute convolutions of fp32 in TF32, whose mantissa has 10 bits: libtorch's switch for all of the
//! process. A CPU computes in fp32 in any case.

#[expect(unsafe_code, reason = "`tch` does not offer the switch")]
unsafe extern "C" {
    /// Of `tf32.cpp`.
    fn acai_allow_tf32(is_allowed: bool);
    /// Of `tf32.cpp`.
    fn acai_allows_tf32() -> bool;
}

/// Allows convolutions in TF32, or forbids them: libtorch allows them unless told.
#[expect(unsafe_code, reason = "a function of C++")]
pub(super) fn allow(is_allowed: bool) {
    // SAFETY: the function takes a value alone and throws nothing for what it asks libtorch for.
    unsafe { acai_allow_tf32(is_allowed) }
}

/// Whether convolutions in TF32 are allowed.
#[must_use]
#[expect(unsafe_code, reason = "a function of C++")]
pub fn is_allowed() -> bool {
    // SAFETY: as above.
    unsafe { acai_allows_tf32() }
}
