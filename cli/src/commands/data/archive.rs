//! The wanted files of a downloaded `.tar.gz`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use acai_datasets::Download;
use anyhow::{Context, bail};
use flate2::read::GzDecoder;

/// Takes the wanted files out of the archive at `path`, and nothing else. Those that are there are replaced: they may
/// have been damaged since.
pub(super) fn unpack(download: &Download, path: &Path) -> anyhow::Result<()> {
    visit(download, path, |file, contents| {
        write_whole(file, contents).with_context(|| format!("cannot write `{}`", file.display()))
    })
}

/// Calls `each` with where each wanted file belongs, and its contents.
pub(super) fn visit(
    download: &Download,
    path: &Path,
    mut each: impl FnMut(&Path, &mut dyn Read) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut missing: BTreeSet<&str> = download.unpacks.iter().copied().collect();
    for entry in tar::Archive::new(GzDecoder::new(File::open(path)?)).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        // Only a name that is wanted becomes a path.
        let Some(wanted) = missing.iter().find(|wanted| name == Path::new(wanted)).copied() else { continue };
        each(&folder.join(wanted), &mut entry)?;
        missing.remove(wanted);
    }
    match missing.first() {
        None => Ok(()),
        Some(name) => bail!("it holds no `{name}`"),
    }
}

/// Writes a file that appears whole or not at all.
fn write_whole(path: &Path, contents: &mut dyn Read) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
    let unfinished = path.with_added_extension("part");
    let mut file = File::create(&unfinished)?;
    io::copy(contents, &mut file)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An archive of files that hold `abc`.
    pub(crate) fn write(path: &Path, names: &[&str]) {
        let encoder = flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(encoder);
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            archive.append_data(&mut header, name, &b"abc"[..]).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
    }

    pub(crate) fn wanting(unpacks: &'static [&'static str]) -> Download {
        Download { url: "", path: "", md5: "", unpacks }
    }

    #[test]
    fn only_wanted_files_leave_an_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.tar.gz");
        write(&path, &["in/wanted", "in/other"]);
        unpack(&wanting(&["in/wanted"]), &path).unwrap();
        assert_eq!(fs::read(folder.path().join("in/wanted")).unwrap(), b"abc");
        assert_eq!(fs::read_dir(folder.path().join("in")).unwrap().count(), 1);
        let error = unpack(&wanting(&["in/absent"]), &path).unwrap_err().to_string();
        assert_eq!(error, "it holds no `in/absent`");
    }

    #[test]
    fn a_damaged_file_is_unpacked_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("archive.tar.gz"), folder.path().join("wanted"));
        write(&path, &["wanted"]);
        fs::write(&file, "abd").unwrap();
        unpack(&wanting(&["wanted"]), &path).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"abc");
    }
}
