//! Pages of one stored database, word by word, and its figures and files byte by byte. After a change that is meant, look at
//! what is new and keep it:
//!
//!     UPDATE_GOLDEN=1 cargo test -p acai-dashboard --test pages golden
//!
//! `tests/golden/plane.db.gz` itself, with other runs or as a later version writes it, which changes its times:
//!
//!     cargo test -p acai-dashboard --test pages -- --ignored golden::make_the_database

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_coordinator::clock::Clock;
use acai_coordinator::store::Store;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::use_cases::UseCases;
use acai_coordinator::{Guard, LeaseTerms};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::{Coordinator, import_plane};

/// Pages, of which the words are kept.
const PAGES: [(&str, &str); 9] = [
    ("sweeps.txt", "/"),
    ("overview.txt", "/sweeps/plane"),
    ("fixed.txt", "/sweeps/plane?where=gamma+%3D+0&at=max&spread=ci95&sort=-lambda"),
    ("cell.txt", "/sweeps/plane/cell?dataset=digits32&is.lambda=1.0&is.gamma=0.2"),
    ("runs.txt", "/sweeps/plane/runs"),
    ("run.txt", "/sweeps/plane/runs/10"),
    ("compare.txt", "/sweeps/plane/compare?with=lambda+%3D+0.5&with=lambda+%3D+1"),
    ("feed.txt", "/sweeps/plane/feed"),
    ("unknown.txt", "/sweeps/plan"),
];

/// Figures and files, kept as they are.
const FILES: [(&str, &str); 9] = [
    ("plane.svg", "/sweeps/plane/heatmap.svg?x=lambda&y=gamma&dataset=digits32"),
    ("scatter.svg", "/sweeps/plane/scatter.svg?dataset=digits32"),
    ("curves.svg", "/sweeps/plane/curves.svg?group-by=lambda"),
    ("results.csv", "/sweeps/plane/results.csv"),
    ("results.tex", "/sweeps/plane/results.tex"),
    ("curves.csv", "/sweeps/plane/curves.csv?where=number+%3D+0"),
    ("compare.tex", "/sweeps/plane/compare.tex?with=lambda+%3D+0.5&with=lambda+%3D+1"),
    ("differences.csv", "/sweeps/plane/differences.csv?with=lambda+%3D+0.5&with=lambda+%3D+1"),
    ("runs.csv", "/sweeps/plane/runs.csv?where=seed+%3D+0"),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A coordinator on the stored database.
async fn stored() -> Coordinator {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(golden("plane.db.gz")).unwrap()).read_to_end(&mut bytes).unwrap();
    fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    Coordinator::on(Arc::new(store), folder, |_| Guard::open()).await
}

#[tokio::test]
async fn pages_say_and_files_have_what_they_did() {
    let coordinator = stored().await;
    let mut changed = Vec::new();
    let all = PAGES.iter().map(|it| (it, true)).chain(FILES.iter().map(|it| (it, false)));
    for ((name, path), is_page) in all {
        let answer = coordinator.get(path).await;
        let text = if is_page { words(&answer.body) } else { answer.page() };
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(golden(name), &text).unwrap();
        }
        let before = fs::read_to_string(golden(name)).unwrap_or_default();
        if before != text {
            let line = before.lines().zip(text.lines()).find(|(before, now)| before != now);
            changed.push(format!("{name} ({path}); the first line that differs: {line:?}"));
        }
    }
    assert!(changed.is_empty(), "what is shown has changed: {changed:#?}");
}

#[tokio::test]
#[ignore = "makes the database that the other test reads"]
async fn make_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    import_plane(&UseCases::new(Arc::clone(&store), LeaseTerms::default())).await;
    store.close().await;
    let mut packed = GzEncoder::new(File::create(golden("plane.db.gz")).unwrap(), Compression::best());
    packed.write_all(&fs::read(path).unwrap()).unwrap();
    packed.finish().unwrap();
}

/// What a page says, as text: a line for each block, and bars between cells.
fn words(page: &str) -> String {
    let (_, main) = page.split_once("<main").unwrap();
    let (main, _) = main.split_once("</main>").unwrap();
    let (mut text, mut rest) = (String::new(), main.split_once('>').unwrap().1);
    while let Some((before, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        text += before;
        text += match tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default() {
            "td" | "th" if tag.starts_with('/') => " | ",
            "tr" | "p" | "h1" | "h2" | "h3" | "li" | "table" | "section" | "figure" | "div" | "dt"
            | "label" => "\n",
            "small" | "text" | "option" | "dd" | "circle" => " ",
            _ => "",
        };
        rest = after;
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines = lines.filter(|line| !line.is_empty()).map(|line| line + "\n");
    lines
        .collect::<String>()
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&quot;", "\"")
}
