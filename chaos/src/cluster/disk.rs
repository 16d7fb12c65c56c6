//! A small file system in memory that can be made full, and given room again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use rustix::fs::statvfs;

/// Room on a disk that is not full, in bytes; what is not used takes no memory.
const ROOM: u64 = 1 << 30;
/// Times that a disk is tried to be made full: somebody may write in the moment between measuring and setting.
const TRIES: usize = 20;

/// Mounted on a folder until it is dropped; what is on it stays in that folder.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one on `folder`, which is made.
    ///
    /// # Errors
    /// Where this process may not mount anything.
    pub(super) fn mount(folder: &Path) -> anyhow::Result<Disk> {
        fs::create_dir_all(folder)?;
        mount(&format!("size={ROOM},mode=700"), folder)?;
        Ok(Disk { folder: folder.to_owned() })
    }

    /// Leaves no room for anything more.
    ///
    /// # Errors
    /// If that cannot be done.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            let usage = statvfs(&self.folder)?;
            // A size of nothing would be no limit.
            let used = (usage.f_blocks - usage.f_bfree).max(1) * usage.f_frsize;
            outcome = mount(&format!("remount,size={used}"), &self.folder);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Gives it room again.
    ///
    /// # Errors
    /// If that cannot be done.
    pub(super) fn free(&self) -> anyhow::Result<()> {
        mount(&format!("remount,size={ROOM}"), &self.folder)
    }

    /// Puts what is on it in its folder's place.
    fn unmount(&self) -> anyhow::Result<()> {
        let kept = self.folder.with_extension("kept");
        run(Command::new("cp").arg("-a").arg(&self.folder).arg(&kept))?;
        run(Command::new("umount").arg("-l").arg(&self.folder))?;
        fs::remove_dir(&self.folder)?;
        fs::rename(&kept, &self.folder)?;
        Ok(())
    }
}

impl Drop for Disk {
    #[allow(clippy::print_stderr, reason = "there is nobody else to tell")]
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            eprintln!("cannot keep `{}`: {error:#}", self.folder.display());
        }
    }
}

/// Unmounts what a session that was killed has left mounted below `folder`.
///
/// # Errors
/// If that cannot be done.
pub fn unmount_leftovers(folder: &Path) -> anyhow::Result<()> {
    let folder = folder.canonicalize()?;
    for line in fs::read_to_string("/proc/self/mounts")?.lines() {
        let place = line.split_whitespace().nth(1).map(Path::new);
        if let Some(place) = place.filter(|place| place.starts_with(&folder)) {
            run(Command::new("umount").arg("-l").arg(place))?;
        }
    }
    Ok(())
}

fn mount(options: &str, folder: &Path) -> anyhow::Result<()> {
    run(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run `{program}`"))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    #[allow(clippy::print_stderr, reason = "what is not tested is said")]
    fn a_full_disk_takes_nothing_until_there_is_room_and_what_it_took_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("disk");
        let disk = match Disk::mount(&place) {
            Ok(disk) => disk,
            Err(error) => return eprintln!("NOT TESTED: nothing can be mounted here: {error:#}"),
        };
        fs::write(place.join("before"), [7; 10_000]).unwrap();
        disk.fill().unwrap();
        let refused = fs::write(place.join("during"), [7; 10_000]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        disk.free().unwrap();
        fs::write(place.join("after"), [7; 10_000]).unwrap();
        drop(disk);
        for file in ["before", "after"] {
            assert_eq!(fs::read(place.join(file)).unwrap(), [7; 10_000]);
        }
    }
}
