//! The folder of what a person has set up: `~/.config/acai`.

use std::env;
use std::path::PathBuf;

/// A file there; none where the user has no home.
pub(crate) fn file(name: &str) -> Option<PathBuf> {
    let absolute = |variable| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("acai").join(name))
}
