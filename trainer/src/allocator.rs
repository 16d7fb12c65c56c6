//! How memory is handed out to libtorch.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Where glibc reads the settings of its allocator, when a program starts and never again.
const VARIABLE: &str = "GLIBC_TUNABLES";

/// Each step asks for the same large pieces of memory as the one before. So memory is kept instead of being given back to
/// the system, which would have to clear it for the next step, and lies in huge pages, of which there are few to look up.
const TUNABLES: &str = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824:\
                        glibc.malloc.trim_threshold=4294967296:glibc.malloc.top_pad=67108864";

/// Has this program, started anew as the same process, train with settings of the allocator that suit training. To be called
/// before anything else is done. Somebody who has settings in `GLIBC_TUNABLES` keeps them.
///
/// Returns in the program that was started so; also where that cannot be, for then training is slower and otherwise the same.
pub fn tune() {
    if env::var_os(VARIABLE).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let _ = command.args(arguments).env(VARIABLE, TUNABLES).exec();
}
