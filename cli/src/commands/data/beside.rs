//! Files that are read in place of a download beside them: a plain one of a `.gz`, those that an archive was unpacked to.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use acai_datasets::Download;
use acai_sweep::training::Dataset;
use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;

use super::archive;

/// Refuses such files where they are not what the download at `path` holds, which is known to be the published one.
pub(super) fn refuse_others(dataset: &Dataset, download: &Download, path: &Path) -> anyhow::Result<()> {
    let cannot_read = || format!("cannot read `{}`", path.display());
    let mut others = Vec::new();
    let mut compare = |file: &Path, contents: &mut dyn Read| {
        if is_another(file, contents).with_context(|| format!("cannot compare `{}`", file.display()))? {
            others.push(format!("`{}`", file.display()));
        }
        anyhow::Ok(())
    };
    let remedy = if download.unpacks.is_empty() {
        if path.extension().is_some_and(|extension| extension == "gz") {
            let compressed = File::open(path).with_context(cannot_read)?;
            compare(&path.with_extension(""), &mut MultiGzDecoder::new(compressed))?;
        }
        "remove it".to_owned()
    } else {
        archive::visit(download, path, compare).with_context(cannot_read)?;
        format!("`acai data fetch {}` replaces it", dataset.name())
    };
    match others.as_slice() {
        [] => Ok(()),
        others => bail!(
            "what is read in place of `{}` differs from it: {}; {remedy}",
            path.display(),
            others.join(", ")
        ),
    }
}

/// Whether there is a file that does not hold `contents`.
fn is_another(path: &Path, contents: impl Read) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => BufReader::new(file?),
    };
    let mut contents = BufReader::new(contents);
    loop {
        let (left, right) = (file.fill_buf()?, contents.fill_buf()?);
        let len = left.len().min(right.len());
        if len == 0 || left[..len] != right[..len] {
            return Ok(left.len().max(right.len()) > 0);
        }
        file.consume(len);
        contents.consume(len);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::archive::tests::{wanting, write};
    use super::*;

    #[test]
    fn a_plain_file_beside_its_gz_must_hold_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (gz, plain) = (folder.path().join("images.gz"), folder.path().join("images"));
        let published = vec![7; 100_000];
        let mut encoder = GzEncoder::new(File::create(&gz).unwrap(), Compression::fast());
        encoder.write_all(&published).unwrap();
        encoder.finish().unwrap();
        let refuse = || refuse_others(&Dataset::Mnist32, &wanting(&[]), &gz);
        refuse().unwrap();
        fs::write(&plain, &published).unwrap();
        refuse().unwrap();
        let (mut changed, longer) = (published.clone(), [published.as_slice(), &[7]].concat());
        changed[99_999] = 8;
        for other in [&[], &published[1..], &changed, &longer] {
            fs::write(&plain, other).unwrap();
            assert_eq!(
                refuse().unwrap_err().to_string(),
                format!(
                    "what is read in place of `{}` differs from it: `{}`; remove it",
                    gz.display(),
                    plain.display()
                )
            );
        }
    }

    #[test]
    fn files_that_differ_from_their_archive_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.tar.gz");
        write(&path, &["1.bin", "2.bin", "3.bin"]);
        let download = wanting(&["1.bin", "2.bin", "3.bin"]);
        fs::write(folder.path().join("1.bin"), "abc").unwrap();
        fs::write(folder.path().join("2.bin"), "abd").unwrap();
        let error = refuse_others(&Dataset::Cifar10, &download, &path).unwrap_err().to_string();
        let expected =
            format!("`{}`; `acai data fetch cifar10` replaces it", folder.path().join("2.bin").display());
        assert!(error.ends_with(&format!("differs from it: {expected}")), "{error}");
        archive::unpack(&download, &path).unwrap();
        refuse_others(&Dataset::Cifar10, &download, &path).unwrap();
    }
}
