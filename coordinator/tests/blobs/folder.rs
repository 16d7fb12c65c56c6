//! What is special about blobs in a folder.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, UNIX_EPOCH};

use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::blobs::{self, BlobError, Blobs, Name};

use crate::server::{Coordinator, sha256};

async fn put(blobs: &dyn Blobs, bytes: &[u8]) -> Name {
    let name = Name::unused(sha256(bytes).parse().unwrap());
    let staged = blobs.staging().join(name.digest().as_str());
    std::fs::write(&staged, bytes).unwrap();
    blobs.put(&name, &staged).await.unwrap();
    assert!(!staged.exists());
    name
}

#[tokio::test]
async fn blobs_are_there_after_a_restart_until_they_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("deep/in/blobs");
    let blobs = Directory::open(&root).unwrap();
    let (first, second) = (put(&blobs, b"first").await, put(&blobs, b"second").await);
    let again = put(&blobs, b"first").await;
    drop(blobs);

    let blobs = Directory::open(&root).unwrap();
    let shard = root.join(&first.to_string()[..2]);
    std::fs::write(root.join("notes"), "of somebody").unwrap();
    std::fs::write(shard.join("notes"), "of somebody").unwrap();
    std::fs::write(shard.join(format!("{first}-copy")), "of somebody").unwrap();
    let earlier = Name::known(first.digest().clone(), "").unwrap();
    std::fs::write(shard.join(earlier.to_string()), "first").unwrap();
    let mut listed = blobs.list().await.unwrap();
    listed.sort();
    let mut expected = [earlier.clone(), first.clone(), again.clone(), second.clone()];
    expected.sort();
    assert_eq!(listed, expected);
    blobs.delete(&first).await.unwrap();
    blobs.delete(&first).await.unwrap();
    assert_eq!(blobs.size(&first).await.unwrap(), None);
    assert!(matches!(blobs.read(&first, 0).await, Err(BlobError::Missing(_))));
    for (name, bytes) in [(earlier, 5), (again, 5), (second, 6)] {
        assert_eq!(blobs.size(&name).await.unwrap(), Some(bytes), "{name}");
    }
}

/// As `lost+found`, which is root's alone. Here the folder's path is too long to be opened, by root as well.
#[tokio::test]
async fn a_folder_of_somebody_else_that_cannot_be_opened_does_not_hide_the_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let mut root = folder.path().to_owned();
    while root.as_os_str().len() < 3900 {
        root.push("d".repeat((3900 - root.as_os_str().len()).min(200)));
    }
    let blobs = Directory::open(&root).unwrap();
    let name = put(&blobs, b"ours").await;
    let made = Command::new("mkdir").arg("s".repeat(250)).current_dir(&root).status().unwrap();
    assert!(made.success());
    assert_eq!(blobs.list().await.unwrap(), [name]);
}

#[tokio::test]
async fn coordinators_that_say_at_once_whose_the_folder_is_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = [(); 2].map(|()| Directory::open(folder.path()).unwrap());
    let texts = [vec![b'1'; 1000], vec![b'2'; 2000]];
    for _ in 0..50 {
        let (first, second) =
            tokio::join!(first.set_owner(texts[0].clone()), second.set_owner(texts[1].clone()));
        first.unwrap();
        second.unwrap();
    }
    let owner = first.owner().await.unwrap().unwrap();
    assert!(texts.contains(&owner), "{owner:?}");
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2, "the text and the folder of uploads alone");
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for place in ["", "gs://bucket/prefix", "s3://", "s3:///prefix", file.to_str().unwrap()] {
        let refused = blobs::open(place, folder.path()).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("`{place}`")), "{refused}");
    }
}

#[tokio::test]
async fn uploads_that_nobody_goes_on_with_are_removed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = blobs::open(folder.path().join("blobs").to_str().unwrap(), Path::new("")).await.unwrap();
    let (old, new) = (blobs.staging().join(sha256(b"old")), blobs.staging().join(sha256(b"new")));
    File::create(&old).unwrap().set_modified(UNIX_EPOCH).unwrap();
    File::create(&new).unwrap();
    let _coordinator = Coordinator::start_on(folder, blobs).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while old.exists() {
        assert!(Instant::now() < deadline, "it stays");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(new.exists());
}
