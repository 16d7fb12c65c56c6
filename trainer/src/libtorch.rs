//! Which libtorch computes.

/// The version of libtorch that this program was built with.
const BUILT_WITH: Option<&str> = option_env!("LIBTORCH_VERSION");

/// The libtorch that was loaded is another than the program was built with, and its functions need not be the same.
#[derive(Debug, thiserror::Error)]
#[error(
    "libtorch {loaded} was loaded, and this program was built with {built}: install it anew with its libraries beside it, or \
     look whether LD_LIBRARY_PATH leads to another"
)]
pub struct OtherLibtorch {
    loaded: String,
    built: &'static str,
}

#[expect(unsafe_code, reason = "`tch` does not say which libtorch was loaded")]
unsafe extern "C" {
    /// Of libtorch: major, minor and patch version in the three highest bytes.
    safe fn aoti_torch_abi_version() -> u64;
}

/// The version of the loaded libtorch, `MAJOR.MINOR.PATCH`.
#[must_use]
pub fn version() -> String {
    let [major, minor, patch, ..] = aoti_torch_abi_version().to_be_bytes();
    format!("{major}.{minor}.{patch}")
}

/// Compares it with the one that the program was built with.
///
/// # Errors
/// When they differ.
pub fn check() -> Result<(), OtherLibtorch> {
    let loaded = version();
    match BUILT_WITH {
        Some(built) if built != loaded => Err(OtherLibtorch { loaded, built }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_libtorch_that_is_loaded_is_the_one_that_was_built_with() {
        super::check().unwrap();
        assert_eq!(Some(super::version().as_str()), super::BUILT_WITH);
    }
}
