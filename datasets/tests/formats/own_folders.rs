use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use acai_datasets::own_folders;

fn names(data: &Path, most: usize) -> Vec<String> {
    own_folders(data, most).iter().map(|dataset| dataset.name().to_owned()).collect()
}

#[test]
fn folders_of_pictures_are_found_by_the_names_of_their_files() {
    let empty = |path| (path, Vec::new());
    let data = crate::data_folder(
        [
            "beside.png",
            "faces/1.PNG",
            "faces/deeper/1.png",
            "animals/cats/1.jpg",
            "animals/dogs/1.jpeg",
            "notes/1.txt",
            ".hidden/1.png",
            "hidden/.1.png",
            "a/b/c/d/1.png",
            "e/f/g/h/i/1.png",
            "e/f/g/h/i/j/1.png",
            "line\nbreak/1.png",
        ]
        .map(empty),
    );
    let all = [
        "images:animals",
        "images:faces",
        "images:animals/cats",
        "images:animals/dogs",
        "images:a/b/c",
        "images:a/b/c/d",
        "images:e/f/g/h",
        "images:e/f/g/h/i",
    ];
    assert_eq!(names(data.path(), 100), all);
    assert_eq!(names(data.path(), 2), all[..2], "those near the data folder are first");
    assert!(names(&data.path().join("none"), 100).is_empty());
}

#[test]
fn links_are_followed_within_the_data_folder_and_not_out_of_it() {
    let elsewhere = crate::data_folder([("others/1.png", Vec::new())]);
    let data = crate::data_folder([("faces/1.png", Vec::new()), ("mixed/notes.txt", Vec::new())]);
    let link = |target: &Path, name: &str| symlink(target, data.path().join(name)).unwrap();
    link(&elsewhere.path().join("others"), "others");
    link(&elsewhere.path().join("others/1.png"), "mixed/1.png");
    link(Path::new("faces"), "portraits");
    link(Path::new("../.."), "faces/up");
    assert_eq!(names(data.path(), 100), ["images:faces", "images:portraits"]);

    // A data folder that is a link itself is looked into, and a link to it goes round no more than a few times.
    fs::remove_file(data.path().join("faces/up")).unwrap();
    link(Path::new("."), "round");
    symlink(data.path(), elsewhere.path().join("data")).unwrap();
    let round = names(&elsewhere.path().join("data"), 100);
    assert!(round.contains(&"images:round/faces".to_owned()) && round.len() < 20, "{round:?}");
}
