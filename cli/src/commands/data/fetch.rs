//! `acai data fetch`

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use acai_datasets::{Download, downloads, md5};
use acai_sweep::training::Dataset;
use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::output::Output;

/// Without a byte for this long, a connection is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// Downloads what is not there yet.
pub(super) fn fetch(
    dataset: &Dataset,
    data: &Path,
    mirror: Option<&str>,
    output: Output,
) -> anyhow::Result<()> {
    let name = dataset.name();
    match dataset {
        Dataset::Lines32 | Dataset::Digits32 => output.note(&format!("{name} is built in: nothing to fetch")),
        Dataset::Images(_) => bail!("{name} is a folder of your own: put pictures there"),
        Dataset::Celeba32 => bail!(
            "CelebA's publishers want their terms agreed to: download img_align_celeba.zip and \
             list_eval_partition.txt from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, and unpack them to `{}`",
            data.join("celeba").display()
        ),
        _ => {}
    }
    for download in downloads(dataset) {
        let path = data.join(download.path);
        let url = match mirror {
            Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), download.path),
            None => download.url.to_owned(),
        };
        if path.is_file() && md5(&path)? == download.md5 {
            output.note(&format!("{} is there already", path.display()));
        } else {
            get(&url, &path, download.md5)?;
            output.note(&format!("fetched {}", path.display()));
        }
        unpack(download, &path).with_context(|| format!("cannot unpack `{}`", path.display()))?;
    }
    Ok(())
}

/// Downloads `url` to `path`. What came before an interruption stays beside it, and the next call goes on from there;
/// the file appears under its own name only whole and with the right MD5.
fn get(url: &str, path: &Path, expected: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).with_context(|| format!("cannot make folder `{}`", folder.display()))?;
    let part = path.with_added_extension("part");
    transfer(url, &part).with_context(|| {
        format!(
            "cannot download {url}; run it again to go on, or put the file at `{}` yourself",
            path.display()
        )
    })?;
    let found = md5(&part)?;
    if found != expected {
        fs::remove_file(&part)?;
        bail!("{url} is not the published file: its MD5 is {found}, not {expected}; it was deleted");
    }
    Ok(fs::rename(&part, path)?)
}

/// Adds to `part` what it lacks of `url`.
fn transfer(url: &str, part: &Path) -> anyhow::Result<()> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into();
    let mut have = fs::metadata(part).map_or(0, |metadata| metadata.len());
    let mut response = agent.get(url).header("Range", format!("bytes={have}-")).call()?;
    let mut file = OpenOptions::new().create(true).append(true).open(part)?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {}
        // All of it is there; its MD5 will say whether it is the right one.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(()),
        StatusCode::OK => {
            file.set_len(0)?;
            have = 0;
        }
        status => bail!("the server answers {status}"),
    }
    let length = response.body().content_length();
    let bar = ProgressBar::new(have + length.unwrap_or(0)).with_position(have);
    let style = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style)?);
    let received = io::copy(&mut bar.wrap_read(response.body_mut().as_reader()), &mut file)?;
    bar.finish_and_clear();
    if length.is_some_and(|length| length != received) {
        bail!("the connection broke off after {received} of {} bytes", length.unwrap_or(0));
    }
    Ok(file.sync_all()?)
}

/// Takes the wanted files out of an archive, and nothing else.
fn unpack(download: &Download, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let is_missing = |name: &&&str| !folder.join(name).is_file();
    let mut missing: BTreeSet<&str> = download.unpacks.iter().filter(is_missing).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    for entry in tar::Archive::new(GzDecoder::new(File::open(path)?)).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        // Only a name that is wanted becomes a path.
        let Some(wanted) = missing.iter().find(|wanted| name == Path::new(wanted)).copied() else { continue };
        write_whole(&folder.join(wanted), &mut entry)?;
        missing.remove(wanted);
    }
    match missing.first() {
        None => Ok(()),
        Some(name) => bail!("it holds no `{name}`"),
    }
}

/// Writes a file that appears whole or not at all.
fn write_whole(path: &Path, contents: &mut impl Read) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
    let unfinished: PathBuf = path.with_added_extension("part");
    let mut file = File::create(&unfinished)?;
    io::copy(contents, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use md5::{Digest, Md5};

    use super::*;

    /// Serves `contents` with ranges on loopback; the first answer breaks off in the middle. Returns its address.
    fn serve(contents: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let request: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
                let range = request
                    .iter()
                    .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
                let from: usize = range.unwrap().trim_end_matches('-').parse().unwrap();
                let (rest, end) = (&contents[from..], contents.len() - 1);
                let sent = if number == 0 { &rest[..rest.len() / 2] } else { rest };
                write!(
                    stream,
                    "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{end}/{}\r\nConnection: close\r\n\r\n",
                    rest.len(),
                    contents.len(),
                )
                .unwrap();
                stream.write_all(sent).unwrap();
            }
        });
        format!("http://{address}/file")
    }

    fn md5_of(contents: &[u8]) -> String {
        Md5::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_download_that_broke_off_goes_on_and_appears_only_whole() {
        let contents: &[u8] = &[7; 100_000];
        let (url, folder) = (serve(contents), tempfile::tempdir().unwrap());
        let path = folder.path().join("below/file");
        let error = get(&url, &path, &md5_of(contents)).unwrap_err();
        assert!(format!("{error:#}").contains("run it again to go on"), "{error:#}");
        assert!(!path.exists());
        get(&url, &path, &md5_of(contents)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), contents);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_file_with_another_checksum_is_deleted_and_named() {
        let (url, folder) = (serve(b"others"), tempfile::tempdir().unwrap());
        let path = folder.path().join("file");
        let _ = get(&url, &path, "00");
        let error = get(&url, &path, "00").unwrap_err().to_string();
        assert!(error.contains("is not the published file") && error.contains(&md5_of(b"others")), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_wanted_files_leave_an_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.tar.gz");
        let encoder =
            flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(encoder);
        for name in ["in/wanted", "in/other"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            archive.append_data(&mut header, name, &b"abc"[..]).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
        let download = |unpacks| Download { url: "", path: "", md5: "", unpacks };
        unpack(&download(&["in/wanted"]), &path).unwrap();
        assert_eq!(fs::read(folder.path().join("in/wanted")).unwrap(), b"abc");
        assert_eq!(fs::read_dir(folder.path().join("in")).unwrap().count(), 1);
        let error = unpack(&download(&["in/absent"]), &path).unwrap_err().to_string();
        assert_eq!(error, "it holds no `in/absent`");
    }
}
