use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use acai_datasets::open;
use acai_sweep::training::Dataset;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::{data_folder, not_the_file, opened, refused};

const TRAIN: usize = 30;
const TEST: usize = 10;
const TRAIN_IMAGES: &str = "mnist/train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "mnist/train-labels-idx1-ubyte";
const TEST_IMAGES_GZ: &str = "mnist/t10k-images-idx3-ubyte.gz";
const TEST_LABELS_GZ: &str = "mnist/t10k-labels-idx1-ubyte.gz";

fn idx(magic: u32, dimensions: &[u32], items: &[u8]) -> Vec<u8> {
    let header =
        [magic].iter().chain(dimensions).flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    [&header, items].concat()
}

/// Image i has all pixels i, but 255 at the top left and 51 at the bottom right.
pub(crate) fn images(count: usize) -> Vec<u8> {
    let image = |i: usize| {
        let mut pixels = [i as u8; 784];
        (pixels[0], pixels[783]) = (255, 51);
        pixels
    };
    let pixels: Vec<u8> = (0..count).flat_map(image).collect();
    idx(0x803, &[count as u32, 28, 28], &pixels)
}

pub(crate) fn labels(count: usize) -> Vec<u8> {
    let classes: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    idx(0x801, &[count as u32], &classes)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A small, well-formed mnist32: two files plain, two compressed.
fn small() -> TempDir {
    data_folder([
        (TRAIN_IMAGES, images(TRAIN)),
        (TRAIN_LABELS, labels(TRAIN)),
        (TEST_IMAGES_GZ, gzip(&images(TEST))),
        (TEST_LABELS_GZ, gzip(&labels(TEST))),
    ])
}

/// What is said of a data folder in which `file` has been replaced.
fn refused_with(file: &str, bytes: &[u8]) -> String {
    let folder = small();
    fs::write(folder.path().join(file), bytes).unwrap();
    refused(&Dataset::Mnist32, folder.path())
}

#[test]
fn plain_and_compressed_files_become_images_in_a_black_border() {
    let folder = small();
    let found = opened(&Dataset::Mnist32, folder.path());
    assert_eq!((found.colours, found.classes), (1, 10));
    for (split, count) in [(&found.train, TRAIN), (&found.test, TEST)] {
        assert_eq!((split.len(), split.pixels.len()), (count, count * 1024));
        for (image, &label) in split.pixels.chunks(1024).zip(&split.labels) {
            let pixel = |row: usize, column: usize| image[row * 32 + column];
            assert_eq!((pixel(2, 2), pixel(29, 29)), (255, 51));
            assert_eq!([pixel(1, 2), pixel(2, 1), pixel(30, 29), pixel(29, 30)], [0; 4], "the border");
            // The fill tells which image it is, so image and label must have stayed together.
            assert_eq!(label, u16::from(pixel(15, 15)) % 10);
        }
    }
}

#[test]
fn a_compressed_file_is_recognised_whatever_its_name() {
    let folder = small();
    fs::write(folder.path().join(TRAIN_LABELS), gzip(&labels(TRAIN))).unwrap();
    fs::write(folder.path().join(TEST_IMAGES_GZ), images(TEST)).unwrap();
    assert!(open(&Dataset::Mnist32, Some(folder.path())).is_ok());
}

#[test]
fn missing_folders_and_files_are_named() {
    let message = open(&Dataset::FashionMnist32, None).unwrap_err().to_string();
    assert_eq!(
        message,
        "dataset `fashion-mnist32` is read from files: give the data folder that holds `fashion-mnist`"
    );
    let folder = small();
    assert_eq!(
        refused(&Dataset::Mnist32, &folder.path().join("nowhere")),
        "data folder `DATA` of dataset `mnist32` is not a folder: `acai data fetch` makes and fills it; \
         or give another"
    );
    fs::remove_file(folder.path().join(TEST_LABELS_GZ)).unwrap();
    assert_eq!(
        refused(&Dataset::Mnist32, folder.path()),
        "dataset `mnist32` has no file `DATA/mnist/t10k-labels-idx1-ubyte`, plain or with `.gz`: \
         `acai data fetch mnist32`"
    );
}

#[test]
fn what_cannot_be_looked_at_is_not_called_missing() {
    let folder = data_folder([("mnist", Vec::new())]);
    let message = refused(&Dataset::Mnist32, folder.path());
    assert!(message.starts_with(&format!("can't read `DATA/{TRAIN_IMAGES}`")), "{message}");
}

#[test]
fn a_file_of_another_kind_is_refused() {
    for (bytes, reason) in [
        (labels(TRAIN), "it starts with `0x00000801` where IDX images start with `0x00000803`"),
        (b"<html>".to_vec(), "it starts with `0x3c68746d` where IDX images start with `0x00000803`"),
        (idx(0x803, &[1, 32, 32], &[0; 1024]), "its images are 32×32, not 28×28"),
        (idx(0x803, &[0, 28, 28], &[]), "its header says 0 items, outside 1..=100000"),
    ] {
        assert_eq!(refused_with(TRAIN_IMAGES, &bytes), not_the_file(TRAIN_IMAGES, reason));
    }
}

#[test]
fn truncated_and_oversized_files_are_refused() {
    let (whole, gz) = (images(TRAIN), gzip(&images(TRAIN)));
    for truncated in [&[], &whole[..2], &whole[..10], &whole[..whole.len() - 1], &gz[..gz.len() / 2]] {
        let message = not_the_file(TRAIN_IMAGES, "it is truncated");
        assert_eq!(refused_with(TRAIN_IMAGES, truncated), message, "{} bytes", truncated.len());
    }
    let reason = "it goes on after the 30 items that its header says";
    assert_eq!(refused_with(TRAIN_IMAGES, &[whole, vec![0]].concat()), not_the_file(TRAIN_IMAGES, reason));
}

#[test]
fn a_damaged_compressed_file_is_refused() {
    let mut gz = gzip(&images(TRAIN));
    let checksum = gz.len() - 8;
    gz[checksum] ^= 1;
    let message = refused_with(TRAIN_IMAGES, &gz);
    assert!(message.contains("corrupt") && message.ends_with("; download it again"), "{message}");
}

#[test]
fn a_header_that_promises_more_than_is_there_is_refused() {
    // 4,294,967,295 images of 784 bytes would be 3.4 TB; 100,000 are allowed but not there.
    let greedy = refused_with(TRAIN_IMAGES, &idx(0x803, &[u32::MAX, 28, 28], &[0; 784]));
    assert!(greedy.contains("its header says 4294967295 items, outside 1..=100000"), "{greedy}");
    let hollow = refused_with(TRAIN_IMAGES, &idx(0x803, &[100_000, 28, 28], &[0; 784]));
    assert!(hollow.contains("it is truncated"), "{hollow}");
}

#[test]
fn labels_must_be_classes_and_as_many_as_images() {
    let mut classes = labels(TRAIN);
    classes[8 + 17] = 10;
    let reason = "label 17 is 10, outside 0..=9";
    assert_eq!(refused_with(TRAIN_LABELS, &classes), not_the_file(TRAIN_LABELS, reason));
    assert_eq!(
        refused_with(TRAIN_LABELS, &labels(TRAIN - 1)),
        format!("`DATA/{TRAIN_LABELS}` holds 29 labels for 30 images: download the dataset again")
    );
}

/// With the published files, where they are: in `ACAI_DATA`, or where `acai data fetch` puts them.
#[test]
fn the_published_fashion_mnist_is_read_whole() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("data");
    let folder = std::env::var_os("ACAI_DATA").map_or(here, PathBuf::from);
    if !folder.join("fashion-mnist").is_dir() {
        // Past the test harness, which keeps what a test that passes prints.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the_published_fashion_mnist_is_read_whole, for there is no `{}/fashion-mnist`; \
             `make data` fetches it (30 MB)",
            folder.display()
        );
        return;
    }
    let found = opened(&Dataset::FashionMnist32, &folder);
    for (split, per_class) in [(found.train, 6_000), (found.test, 1_000)] {
        let count = |class: u16| split.labels.iter().filter(|label| **label == class).count();
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(count), [per_class; 10]);
        assert_eq!(split.pixels.len(), 10 * per_class * 1024);
        assert!(split.pixels.contains(&255));
    }
}
