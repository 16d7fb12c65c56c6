//! Files that were cut short or had bytes changed end in errors or in other images, never in a panic.

use std::fs;
use std::path::Path;

use acai_datasets::open;
use acai_sweep::training::Dataset;
use image::{Rgb, RgbImage};

use crate::{celeba, cifar, folder, mnist, svhn};

/// Opens `dataset` with `file` cut at many places, which must be refused, and with bytes flipped at many places.
fn damage(dataset: &Dataset, folder: &Path, file: &str) {
    let path = folder.join(file);
    let whole = fs::read(&path).unwrap();
    assert!(open(dataset, Some(folder)).is_ok());
    // Every place among the first ones, where headers are, then fewer; the last ones, where sums are.
    let (headers, sums) = (whole.len().min(300), whole.len().saturating_sub(8));
    let between = (headers..sums).step_by(1 + whole.len() / 100);
    let places: Vec<usize> = (0..headers).chain(between).chain(sums.max(headers)..whole.len()).collect();
    for &place in &places {
        fs::write(&path, &whole[..place]).unwrap();
        let error = open(dataset, Some(folder)).expect_err(&format!("the first {place} bytes are no {file}"));
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.to_string().contains(name), "cut at {place}: {error}");
    }
    for (index, &place) in places.iter().enumerate() {
        for flip in [0xff, 1 << (index % 8)] {
            let mut flipped = whole.clone();
            flipped[place] ^= flip;
            fs::write(&path, flipped).unwrap();
            let _ = open(dataset, Some(folder)); // may be another image, must not panic
        }
    }
}

#[test]
fn idx_files() {
    let files = Dataset::Mnist32.files();
    let folder = crate::data_folder([
        (files[0], mnist::images(2)),
        (files[1], mnist::labels(2)),
        (files[2], mnist::gzip(&mnist::images(2))),
        (files[3], mnist::gzip(&mnist::labels(2))),
    ]);
    for file in files {
        damage(&Dataset::Mnist32, folder.path(), file);
        // Whole again for the next one.
        let items = if file.contains("images") { mnist::images(2) } else { mnist::labels(2) };
        fs::write(folder.path().join(file), items).unwrap();
    }
}

#[test]
fn matlab_files() {
    damage(&Dataset::Svhn32, svhn::small_with(svhn::published(2)).path(), Dataset::Svhn32.files()[0]);
    damage(&Dataset::Svhn32, svhn::small_with(svhn::published(2)).path(), Dataset::Svhn32.files()[2]);
    let folder = cifar::small_matlab(None);
    damage(&Dataset::Cifar10, folder.path(), "cifar10/cifar-10-batches-mat/test_batch.mat");
}

#[test]
fn pickles() {
    let folder = cifar::small_python(None);
    damage(&Dataset::Cifar10, folder.path(), "cifar10/cifar-10-batches-py/test_batch");
}

#[test]
fn pictures() {
    let own = Dataset::from_name("images:mine").unwrap();
    let picture = RgbImage::from_fn(9, 11, |x, y| Rgb([x as u8 * 20, y as u8 * 20, (x * y) as u8]));
    let folder = folder::small_with("a.jpg", &celeba::jpeg(&picture));
    damage(&own, folder.path(), "mine/a.jpg");
    let folder = folder::small_with("a.png", &[]);
    picture.save(folder.path().join("mine/a.png")).unwrap();
    damage(&own, folder.path(), "mine/a.png");
}
