use std::fs;
use std::path::{Path, PathBuf};

use acai_datasets::{downloads, leads_out, md5, missing_files, open, place};
use acai_sweep::training::Dataset;

use crate::cifar;

#[test]
fn datasets_that_are_built_in_lack_nothing_and_are_not_read() {
    for dataset in [Dataset::Lines32, Dataset::Digits32] {
        assert!(missing_files(&dataset, None).is_empty());
        assert_eq!(open(&dataset, None).unwrap(), None);
        assert!(downloads(&dataset).is_empty());
    }
}

#[test]
fn what_is_missing_is_told_by_its_path() {
    let data = Path::new("data");
    assert_eq!(place(&Dataset::FashionMnist32, Some(data)), data.join("fashion-mnist"));
    for dataset in [Dataset::Mnist32, Dataset::FashionMnist32, Dataset::Svhn32, Dataset::Cifar10] {
        let expected: Vec<_> = dataset.files().iter().map(|file| data.join(file)).collect();
        assert_eq!(missing_files(&dataset, Some(data)), expected);
        assert!(expected.iter().all(|file| file.starts_with(place(&dataset, Some(data)))));
    }
    assert_eq!(missing_files(&Dataset::Celeba32, Some(data)), [data.join("celeba/img_align_celeba")]);
    let own = |name: &str| Dataset::from_name(name).unwrap();
    assert_eq!(missing_files(&own("images:mine"), Some(data)), [data.join("mine")]);
    assert_eq!(place(&own("images:/mine"), Some(data)), Path::new("/mine"));
}

#[test]
fn pictures_are_below_the_data_folder_or_lead_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, outside) = (folder.path().join("data"), folder.path().join("outside"));
    for place in [data.join("mine/cats"), outside.clone()] {
        fs::create_dir_all(place).unwrap();
    }
    std::os::unix::fs::symlink(&outside, data.join("mine/link")).unwrap();
    std::os::unix::fs::symlink(data.join("mine"), data.join("alias")).unwrap();
    let leads_out =
        |path: &str| leads_out(&Dataset::from_name(&format!("images:{path}")).unwrap(), Some(&data));
    let inside = data.join("mine").display().to_string();
    for path in ["mine", "mine/cats", "./mine", "alias/cats", "missing", inside.as_str()] {
        assert!(!leads_out(path), "{path}");
    }
    let outside = outside.display().to_string();
    for path in ["/etc", "/missing", "../outside", "mine/../../outside", "mine/link", outside.as_str()] {
        assert!(leads_out(path), "{path}");
    }
}

#[test]
fn a_folder_without_a_picture_is_missing() {
    let (celeba, own) = (Dataset::Celeba32, Dataset::from_name("images:mine").unwrap());
    let folder = crate::data_folder([
        ("celeba/img_align_celeba/readme.txt", Vec::new()),
        ("mine/.a/1.png", Vec::new()),
    ]);
    let missing = |dataset: &Dataset| missing_files(dataset, Some(folder.path()));
    assert_eq!(missing(&celeba), [folder.path().join("celeba/img_align_celeba")]);
    assert_eq!(missing(&own), [folder.path().join("mine")]);
    fs::write(folder.path().join("celeba/img_align_celeba/000001.jpg"), "").unwrap();
    fs::create_dir(folder.path().join("mine/cats")).unwrap();
    fs::write(folder.path().join("mine/cats/1.png"), "").unwrap();
    assert!(missing(&celeba).is_empty() && missing(&own).is_empty());
}

#[test]
fn any_version_of_cifar10_will_do() {
    let folder = cifar::small_python(None);
    assert!(missing_files(&Dataset::Cifar10, Some(folder.path())).is_empty());
    let last = folder.path().join("cifar10/cifar-10-batches-py/test_batch");
    fs::remove_file(&last).unwrap();
    assert_eq!(missing_files(&Dataset::Cifar10, Some(folder.path())), [last]);
}

#[test]
fn downloads_make_every_file_of_a_dataset() {
    for dataset in Dataset::NAMED {
        let mut made = Vec::new();
        for download in downloads(&dataset) {
            assert_eq!(download.md5.len(), 32);
            let folder = Path::new(download.path).parent().unwrap();
            made.extend(download.unpacks.iter().map(|file| folder.join(file)));
            if download.unpacks.is_empty() {
                made.push(download.path.trim_end_matches(".gz").into());
            }
        }
        if !made.is_empty() {
            assert!(made.iter().map(PathBuf::as_path).eq(dataset.files().iter().map(Path::new)));
        }
    }
}

#[test]
fn md5_is_that_of_rfc_1321() {
    let folder = crate::data_folder([("abc", b"abc".to_vec())]);
    assert_eq!(md5(&folder.path().join("abc")).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
}
