//! Files that were cut short or had bytes changed end in errors or in other images, never in a panic.

use std::fs;
use std::path::Path;

use acai_datasets::{Images, PIXELS, open};
use acai_sweep::training::Dataset;
use image::{Rgb, RgbImage};

use crate::{celeba, cifar, folder, mnist, opened, svhn};

/// Whether a format has sums by which every change of what it holds is noticed.
#[derive(Clone, Copy, PartialEq)]
enum Sums {
    All,
    None,
}

/// Opens `dataset` with `file` cut at many places, which must be refused, and with bytes flipped at many places: that is
/// refused too, or gives as many images with labels as before. Where there are `sums`, the same ones.
fn damage(dataset: &Dataset, folder: &Path, file: &str, sums: Sums) {
    let path = folder.join(file);
    let name = path.file_name().unwrap().to_str().unwrap();
    let whole = fs::read(&path).unwrap();
    let images = opened(dataset, folder);
    // Every place among the first ones, where headers are, then fewer; the last ones, where sums are.
    let (headers, end) = (whole.len().min(300), whole.len().saturating_sub(8));
    let between = (headers..end).step_by(1 + whole.len() / 100);
    let places: Vec<usize> = (0..headers).chain(between).chain(end.max(headers)..whole.len()).collect();
    for &place in &places {
        fs::write(&path, &whole[..place]).unwrap();
        let error = open(dataset, Some(folder)).expect_err(&format!("the first {place} bytes are no {file}"));
        assert!(error.to_string().contains(name), "cut at {place}: {error}");
    }
    for (index, &place) in places.iter().enumerate() {
        for flip in [0xff, 1 << (index % 8)] {
            let mut flipped = whole.clone();
            flipped[place] ^= flip;
            fs::write(&path, flipped).unwrap();
            match open(dataset, Some(folder)) {
                Err(error) => assert!(error.to_string().contains(name), "flipped at {place}: {error}"),
                Ok(found) => {
                    let found = found.unwrap();
                    assert!(
                        sums == Sums::None || found == images,
                        "{name} flipped at {place} goes unnoticed"
                    );
                    assert_well_formed(&found, &images);
                }
            }
        }
    }
}

/// Pixels for each label, labels that are classes, and as many as there were.
fn assert_well_formed(found: &Images, images: &Images) {
    for (split, before) in [(&found.train, &images.train), (&found.test, &images.test)] {
        assert_eq!(split.len(), before.len());
        assert_eq!(split.pixels.len(), split.len() * found.colours * PIXELS);
        assert!(split.labels.iter().all(|label| usize::from(*label) < found.classes.max(1)));
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
        let is_compressed = fs::read(folder.path().join(file)).unwrap().starts_with(&[0x1f, 0x8b]);
        let sums = if is_compressed { Sums::All } else { Sums::None };
        damage(&Dataset::Mnist32, folder.path(), file, sums);
        // Whole again for the next one.
        let items = if file.contains("images") { mnist::images(2) } else { mnist::labels(2) };
        fs::write(folder.path().join(file), items).unwrap();
    }
}

#[test]
fn matlab_files() {
    damage(
        &Dataset::Svhn32,
        svhn::small_with(svhn::published(2)).path(),
        Dataset::Svhn32.files()[0],
        Sums::All,
    );
    damage(
        &Dataset::Svhn32,
        svhn::small_with(svhn::published(2)).path(),
        Dataset::Svhn32.files()[2],
        Sums::None,
    );
    let folder = cifar::small_matlab(None);
    damage(&Dataset::Cifar10, folder.path(), "cifar10/cifar-10-batches-mat/test_batch.mat", Sums::None);
}

#[test]
fn pickles() {
    let folder = cifar::small_python(None);
    damage(&Dataset::Cifar10, folder.path(), "cifar10/cifar-10-batches-py/test_batch", Sums::None);
}

#[test]
fn pictures() {
    let own = Dataset::from_name("images:mine").unwrap();
    let picture = RgbImage::from_fn(9, 11, |x, y| Rgb([x as u8 * 20, y as u8 * 20, (x * y) as u8]));
    let folder = folder::small_with("a.jpg", &celeba::jpeg(&picture));
    damage(&own, folder.path(), "mine/a.jpg", Sums::None);
    let folder = folder::small_with("a.png", &[]);
    picture.save(folder.path().join("mine/a.png")).unwrap();
    damage(&own, folder.path(), "mine/a.png", Sums::All);
}
