//! mnist32 and fashion-mnist32 are read from IDX files, and what is wrong with a file is said.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::io::Write;
use std::path::Path;

use acai_sweep::training::Dataset;
use acai_trainer::data::open;
use flate2::Compression;
use flate2::write::GzEncoder;
use tch::Kind;
use tempfile::TempDir;

const TRAIN: usize = 30;
const TEST: usize = 10;
const TRAIN_IMAGES: &str = "mnist/train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "mnist/train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "mnist/t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "mnist/t10k-labels-idx1-ubyte";

fn idx(magic: u32, dimensions: &[u32], items: &[u8]) -> Vec<u8> {
    let header =
        [magic].iter().chain(dimensions).flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    [&header, items].concat()
}

/// Image i has all pixels i, but 255 at the top left and 51 at the bottom right.
fn images(count: usize) -> Vec<u8> {
    let image = |i: usize| {
        let mut pixels = [i as u8; 784];
        (pixels[0], pixels[783]) = (255, 51);
        pixels
    };
    let pixels: Vec<u8> = (0..count).flat_map(image).collect();
    idx(0x803, &[count as u32, 28, 28], &pixels)
}

fn labels(count: usize) -> Vec<u8> {
    let classes: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    idx(0x801, &[count as u32], &classes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A data folder with a small, well-formed mnist32: two files plain, two compressed.
fn data_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("mnist")).unwrap();
    let write = |file: &str, bytes: Vec<u8>| fs::write(folder.path().join(file), bytes).unwrap();
    write(TRAIN_IMAGES, images(TRAIN));
    write(TRAIN_LABELS, labels(TRAIN));
    write(&format!("{TEST_IMAGES}.gz"), gzip(&images(TEST)));
    write(&format!("{TEST_LABELS}.gz"), gzip(&labels(TEST)));
    folder
}

/// What `open` says about a data folder in which `file` has been replaced.
fn error_with(file: &str, bytes: &[u8]) -> String {
    let folder = data_folder();
    fs::write(folder.path().join(file), bytes).unwrap();
    error(folder.path())
}

fn error(folder: &Path) -> String {
    match open(Dataset::Mnist32, Some(folder)) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string().replace(&folder.display().to_string(), "DATA"),
    }
}

#[test]
fn plain_and_compressed_files_become_padded_images_in_range() {
    let folder = data_folder();
    let source = open(Dataset::Mnist32, Some(folder.path())).unwrap();
    assert_eq!((source.dataset(), source.channels(), source.classes()), (Dataset::Mnist32, 1, 10));
    let epoch = source.batch(0, 0, TRAIN);
    for (batch, count) in [(&epoch, TRAIN), (source.test(), TEST)] {
        assert_eq!(batch.images.size(), [count as i64, 1, 32, 32]);
        for i in 0..count as i64 {
            let pixel = |row: i64, column: i64| batch.images.double_value(&[i, 0, row, column]);
            assert_eq!((pixel(2, 2), pixel(29, 29)), (1.0, f64::from(51.0f32 / 127.5 - 1.0)));
            assert_eq!([pixel(1, 2), pixel(2, 1), pixel(30, 29), pixel(29, 30)], [-1.0; 4], "the border");
            // The fill tells which image it is, so image and label must have stayed together.
            let fill = ((pixel(15, 15) + 1.0) * 127.5).round() as i64;
            assert_eq!(batch.labels.int64_value(&[i]), fill % 10);
        }
    }
}

#[test]
fn a_compressed_file_is_recognised_whatever_its_name() {
    let folder = data_folder();
    fs::write(folder.path().join(TRAIN_LABELS), gzip(&labels(TRAIN))).unwrap();
    fs::write(folder.path().join(format!("{TEST_IMAGES}.gz")), images(TEST)).unwrap();
    assert!(open(Dataset::Mnist32, Some(folder.path())).is_ok());
}

#[test]
fn missing_folders_and_files_are_named() {
    let message = open(Dataset::FashionMnist32, None).err().unwrap().to_string();
    assert_eq!(
        message,
        "dataset `fashion-mnist32` is read from files: give the data folder that holds \
         `fashion-mnist/train-images-idx3-ubyte`"
    );

    let folder = data_folder();
    assert_eq!(
        error(&folder.path().join("nowhere")),
        "data folder `DATA` of dataset `mnist32` is not a folder: create it or give another"
    );
    fs::remove_file(folder.path().join(format!("{TEST_LABELS}.gz"))).unwrap();
    assert_eq!(
        error(folder.path()),
        format!(
            "dataset `mnist32` has no file `DATA/{TEST_LABELS}`, plain or with `.gz`: download it to there"
        )
    );
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let message = |reason: &str| {
        format!("`DATA/{TRAIN_IMAGES}` is not the dataset's file: {reason}; download it again")
    };
    let refused = |bytes: &[u8]| error_with(TRAIN_IMAGES, bytes);
    assert_eq!(
        refused(&labels(TRAIN)),
        message("it starts with `0x00000801` where IDX images start with `0x00000803`")
    );
    assert_eq!(
        refused(b"<html>"),
        message("it starts with `0x3c68746d` where IDX images start with `0x00000803`")
    );
    assert_eq!(refused(&idx(0x803, &[1, 32, 32], &[0; 1024])), message("its images are 32×32, not 28×28"));
    assert_eq!(
        refused(&idx(0x803, &[0, 28, 28], &[])),
        message("its header says 0 items, outside 1..=100000")
    );
}

#[test]
fn truncated_and_oversized_files_are_refused() {
    let (whole, gz) = (images(TRAIN), gzip(&images(TRAIN)));
    let message = |reason: &str| {
        format!("`DATA/{TRAIN_IMAGES}` is not the dataset's file: {reason}; download it again")
    };
    for truncated in [&[], &whole[..2], &whole[..10], &whole[..whole.len() - 1], &gz[..gz.len() / 2]] {
        assert_eq!(
            error_with(TRAIN_IMAGES, truncated),
            message("it is truncated"),
            "{} bytes",
            truncated.len()
        );
    }
    let oversized = [whole, vec![0]].concat();
    assert_eq!(
        error_with(TRAIN_IMAGES, &oversized),
        message("it goes on after the 30 items that its header says")
    );
}

#[test]
fn a_damaged_compressed_file_is_refused() {
    let mut gz = gzip(&images(TRAIN));
    let checksum = gz.len() - 8;
    gz[checksum] ^= 1;
    assert_eq!(
        error_with(TRAIN_IMAGES, &gz),
        format!(
            "can't read `DATA/{TRAIN_IMAGES}`: check its permissions, or download it again if it is damaged"
        )
    );
}

#[test]
fn a_header_that_promises_more_than_is_there_is_refused() {
    // 4,294,967,295 images of 784 bytes would be 3.4 TB; 100,000 are allowed but not there.
    let greedy = error_with(TRAIN_IMAGES, &idx(0x803, &[u32::MAX, 28, 28], &[0; 784]));
    assert!(greedy.contains("its header says 4294967295 items, outside 1..=100000"), "{greedy}");
    let hollow = error_with(TRAIN_IMAGES, &idx(0x803, &[100_000, 28, 28], &[0; 784]));
    assert!(hollow.contains("it is truncated"), "{hollow}");
}

#[test]
fn labels_must_be_classes_and_as_many_as_images() {
    let mut classes = labels(TRAIN);
    classes[8 + 17] = 10;
    assert_eq!(
        error_with(TRAIN_LABELS, &classes),
        format!(
            "`DATA/{TRAIN_LABELS}` is not the dataset's file: label 17 is 10, outside 0..=9; download it again"
        )
    );
    assert_eq!(
        error_with(TRAIN_LABELS, &labels(TRAIN - 1)),
        format!("`DATA/{TRAIN_LABELS}` holds 29 labels for 30 images: download both files again")
    );
}

/// With the published files: set `ACAI_DATA` to a data folder that holds `fashion-mnist/`.
#[test]
fn the_published_fashion_mnist_is_read_whole() {
    let Some(folder) = std::env::var_os("ACAI_DATA") else {
        eprintln!("SKIPPED: set ACAI_DATA to a data folder with fashion-mnist/ to run this test");
        return;
    };
    let source = open(Dataset::FashionMnist32, Some(Path::new(&folder))).unwrap();
    let epoch = source.batch(0, 0, 60_000);
    for (batch, per_class) in [(&epoch, 6_000), (source.test(), 1_000)] {
        let count = |class: i64| batch.labels.eq(class).sum(Kind::Int64).int64_value(&[]);
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(count), [per_class; 10]);
        assert_eq!(batch.images.size(), [10 * per_class, 1, 32, 32]);
        assert_eq!((batch.images.min().double_value(&[]), batch.images.max().double_value(&[])), (-1.0, 1.0));
    }
}
