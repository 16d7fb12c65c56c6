//! Where the checkpoints and pictures of a database are kept: as it is told, or else as the database remembers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_coordinator::blobs::{self, Blobs};
use acai_coordinator::store::Store;
use anyhow::Context;

use crate::output::Output;

/// Opens the place for a coordinator, makes it the database's own, and has the database remember it.
///
/// `asked` is what a person said; without that and without a memory the place is `default`. `database` is the file, if it
/// is one. Another database's place is refused unless `take_over`.
pub(crate) async fn open(
    store: &dyn Store,
    database: Option<&Path>,
    (asked, default): (Option<&str>, &Path),
    take_over: bool,
    output: Output,
) -> anyhow::Result<(Arc<dyn Blobs>, String)> {
    let remembered = store.blobs_place().await?;
    let place = match (asked, &remembered) {
        (Some(asked), _) => asked.to_owned(),
        (None, Some(remembered)) => found(remembered, database),
        (None, None) => default.display().to_string(),
    };
    let blobs = blobs::open(&place, default).await?;
    blobs::owner::claim(store, &*blobs, take_over)
        .await
        .with_context(|| format!("cannot keep checkpoints in `{place}`"))?;
    let text = to_remember(&place, database)?;
    if remembered.as_ref() != Some(&text) {
        store.blobs_set_place(&text).await?;
    }
    // A place that cannot be listed now is no reason not to serve.
    let missing = blobs::missing::count(store, &*blobs).await.unwrap_or_default();
    if missing > 0 {
        let before = remembered.filter(|remembered| *remembered != text);
        let before = before.map_or(String::new(), |before| format!("; until now they were kept in {before}"));
        output.note(&format!(
            "warning: {missing} checkpoints and pictures that the database knows are not in {place}{before}\n\
             hint: runs whose checkpoints are missing start over; --blobs PLACE names another place"
        ));
    }
    Ok((blobs, place))
}

/// Opens the place to be read, as the database remembers it; beside the database if it does not.
pub(crate) async fn open_to_read(store: &dyn Store, database: &Path) -> anyhow::Result<Arc<dyn Blobs>> {
    let beside = folder_of(database).join("blobs");
    let place = match store.blobs_place().await? {
        Some(remembered) => found(&remembered, Some(database)),
        None => beside.display().to_string(),
    };
    Ok(blobs::open(&place, &beside).await?)
}

/// A folder below the database's is remembered by its path from there, so that both can be moved together; any other by its
/// whole path, and a bucket by its URL.
fn to_remember(place: &str, database: Option<&Path>) -> anyhow::Result<String> {
    if place.contains("://") {
        return Ok(place.to_owned());
    }
    let cannot_find = || format!("cannot find `{place}`");
    let folder = Path::new(place).canonicalize().with_context(cannot_find)?;
    let below = database.and_then(|database| {
        let whole = folder_of(database).canonicalize().ok()?;
        Some(folder.strip_prefix(whole).ok()?.to_owned())
    });
    Ok(below.unwrap_or(folder).display().to_string())
}

/// The place that [`to_remember`] was told.
fn found(remembered: &str, database: Option<&Path>) -> String {
    match database {
        Some(database) if !remembered.contains("://") => {
            // A whole path stands for itself.
            folder_of(database).join(remembered).display().to_string()
        }
        _ => remembered.to_owned(),
    }
}

fn folder_of(database: &Path) -> PathBuf {
    match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_beside_the_database_is_found_when_both_are_moved() {
        let place = tempfile::tempdir().unwrap();
        let before = place.path().join("before");
        std::fs::create_dir_all(before.join("blobs")).unwrap();
        let blobs = before.join("blobs").display().to_string();
        let text = to_remember(&blobs, Some(&before.join("acai.db"))).unwrap();
        assert_eq!(text, "blobs");
        assert_eq!(found(&text, Some(Path::new("/after/acai.db"))), "/after/blobs");
        assert_eq!(found(&text, Some(Path::new("acai.db"))), "./blobs");

        let elsewhere = place.path().canonicalize().unwrap().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let text = to_remember(elsewhere.to_str().unwrap(), Some(&before.join("acai.db"))).unwrap();
        assert_eq!(text, elsewhere.display().to_string());
        assert_eq!(found(&text, Some(Path::new("/after/acai.db"))), text);
        let bucket = "s3://bucket/prefix";
        assert_eq!(to_remember(bucket, None).unwrap(), bucket);
        assert_eq!(found(bucket, Some(Path::new("/after/acai.db"))), bucket);
    }
}
