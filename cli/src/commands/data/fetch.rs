//! `acai data fetch`

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use acai_datasets::{downloads, place};
use acai_sweep::training::Dataset;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::archive::unpack;
use super::beside::refuse_others;
use super::checksum;
use crate::output::Output;

/// Without a byte for this long, a connection is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// Of a file in a dataset's folder that is locked while it is fetched. It stays: were it deleted, another fetch could
/// hold the deleted one while a third makes and locks the next.
const LOCK: &str = ".fetch.lock";

/// A file of a dataset that is there now.
#[derive(Debug)]
pub(super) struct Fetched {
    path: PathBuf,
    /// Downloaded now; otherwise it was there already.
    is_new: bool,
}

pub(super) fn as_json(dataset: &Dataset, files: &[Fetched]) -> Value {
    let files = files.iter().map(|file| json!({"path": file.path, "fetched": file.is_new}));
    json!({"version": 1, "name": dataset.name(), "files": files.collect::<Vec<_>>()})
}

/// Downloads what is not there yet.
pub(super) fn fetch(
    dataset: &Dataset,
    data: &Path,
    mirror: Option<&str>,
    output: Output,
) -> anyhow::Result<Vec<Fetched>> {
    let name = dataset.name();
    match dataset {
        Dataset::Lines32 | Dataset::Digits32 | Dataset::Typeover32 => {
            output.note(&format!("{name} is built in: nothing to fetch"));
            return Ok(Vec::new());
        }
        Dataset::Curve(_) | Dataset::Text(_) => {
            let file = path::absolute(place(dataset, Some(data)))?;
            bail!("{name} is a file of your own: write strings to `{}`, a line each", file.display())
        }
        Dataset::Images(_) => {
            let folder = path::absolute(place(dataset, Some(data)))?;
            bail!("{name} is a folder of your own: put pictures into `{}`", folder.display())
        }
        Dataset::Celeba32 => bail!(
            "CelebA's publishers want their terms agreed to: download img_align_celeba.zip and \
             list_eval_partition.txt from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, and unpack them to `{}`",
            data.join("celeba").display()
        ),
        _ => {}
    }
    let _lock = lock(&place(dataset, Some(data)))?;
    let mut files = Vec::new();
    for download in downloads(dataset) {
        let path = data.join(download.path);
        let url = match mirror {
            Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), download.path),
            None => download.url.to_owned(),
        };
        let is_new = !path.is_file() || checksum(&path)? != download.md5;
        if is_new {
            get(&url, &path, download.md5)?;
            output.note(&format!("fetched {}", path.display()));
        } else {
            output.note(&format!("{} is there already", path.display()));
        }
        if download.unpacks.is_empty() {
            refuse_others(dataset, download, &path)?;
        } else {
            unpack(download, &path).with_context(|| format!("cannot unpack `{}`", path.display()))?;
        }
        files.push(Fetched { path, is_new });
    }
    Ok(files)
}

/// Makes the folder and keeps other fetches out of it until the result is dropped: two would write to the same files.
fn lock(folder: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make folder `{}`", folder.display()))?;
    let path = folder.join(LOCK);
    let file = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another `acai data fetch` is under way in `{}`: wait for its end", folder.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
        }
    }
}

/// Downloads `url` to `path`. What came before an interruption stays beside it, and the next call goes on from there;
/// the file appears under its own name only whole and with the right MD5.
fn get(url: &str, path: &Path, expected: &str) -> anyhow::Result<()> {
    let part = path.with_added_extension("part");
    let cannot_download = || {
        format!(
            "cannot download {url}; run it again to go on, or put the file at `{}` yourself",
            path.display()
        )
    };
    let have = fs::metadata(&part).map_or(0, |metadata| metadata.len());
    let response = request(url, have).with_context(cannot_download)?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&part)
        .with_context(|| format!("cannot write `{}`", part.display()))?;
    receive(response, have, &mut file).with_context(cannot_download)?;
    let found = checksum(&part)?;
    if found != expected {
        fs::remove_file(&part).with_context(|| format!("cannot delete `{}`", part.display()))?;
        bail!("{url} is not the published file: its MD5 is {found}, not {expected}; it was deleted");
    }
    fs::rename(&part, path)
        .with_context(|| format!("cannot rename `{}` to `{}`", part.display(), path.display()))
}

/// Asks for what is behind the first `have` bytes of `url`.
fn request(url: &str, have: u64) -> anyhow::Result<Response<Body>> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into();
    let response = agent.get(url).header("Range", format!("bytes={have}-")).call()?;
    match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(response),
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => Ok(response),
        status => bail!("the server answers {status}"),
    }
}

/// Adds to `file`, which has `have` bytes, what the server sends.
fn receive(mut response: Response<Body>, mut have: u64, file: &mut File) -> anyhow::Result<()> {
    match response.status() {
        // All of it is there; its MD5 will say whether it is the right one.
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
        // All of it comes again.
        StatusCode::OK => {
            file.set_len(0)?;
            have = 0;
        }
        _ => {}
    }
    let length = response.body().content_length();
    let bar = ProgressBar::new(have + length.unwrap_or(0)).with_position(have);
    let style = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style)?);
    let received = io::copy(&mut bar.wrap_read(response.body_mut().as_reader()), file)?;
    bar.finish_and_clear();
    if length.is_some_and(|length| length != received) {
        bail!("the connection broke off after {received} of {} bytes", length.unwrap_or(0));
    }
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
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
        let path = folder.path().join("file");
        let error = get(&url, &path, &md5_of(contents)).unwrap_err();
        assert!(format!("{error:#}").contains("run it again to go on"), "{error:#}");
        assert!(!path.exists());
        get(&url, &path, &md5_of(contents)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), contents);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
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
    fn a_second_fetch_into_the_same_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("mnist");
        let first = lock(&place).unwrap();
        let fetch = || fetch(&Dataset::Mnist32, folder.path(), Some("http://127.0.0.1:1"), Output::new());
        let error = fetch().unwrap_err().to_string();
        assert!(error.contains("another `acai data fetch` is under way in `"), "{error}");
        drop(first);
        let error = fetch().unwrap_err().to_string();
        assert!(error.contains("cannot download"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let (url, folder) = (serve(b"contents"), tempfile::tempdir().unwrap());
        let path = folder.path().join("nowhere/file");
        let error = get(&url, &path, "00").unwrap_err().to_string();
        assert_eq!(error, format!("cannot write `{}.part`", path.display()));
    }
}
