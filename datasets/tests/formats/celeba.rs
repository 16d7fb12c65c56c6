use std::fs;
use std::io::Cursor;
use std::path::Path;

use acai_datasets::Images;
use acai_sweep::training::Dataset;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use tempfile::TempDir;

use crate::{data_folder, opened, refused};

const PARTITION: &str = "celeba/list_eval_partition.txt";
const CACHE: &str = "celeba/img_align_celeba.32x32";

pub(crate) fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(picture).unwrap();
    bytes.into_inner()
}

/// A red border, which is cut off, around one shade of blue.
fn face(blue: u8) -> Vec<u8> {
    jpeg(&RgbImage::from_fn(178, 218, |x, y| {
        let is_inside = (16..178 - 16).contains(&x) && (36..218 - 36).contains(&y);
        if is_inside { Rgb([0, 0, blue]) } else { Rgb([255, 0, 0]) }
    }))
}

/// Four pictures, the third of which is tested on and the second validates.
pub(crate) fn small() -> TempDir {
    data_folder([
        ("celeba/img_align_celeba/000001.jpg", face(50)),
        ("celeba/img_align_celeba/000002.jpg", face(100)),
        ("celeba/img_align_celeba/000003.jpg", face(150)),
        ("celeba/img_align_celeba/000004.jpg", face(200)),
        (PARTITION, b"000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n000004.jpg 0\n".to_vec()),
    ])
}

/// Blue in the middle of each image.
fn blues(pixels: &[u8]) -> Vec<u8> {
    pixels.chunks(3072).map(|image| image[2 * 1024 + 16 * 32 + 16]).collect()
}

fn assert_blues(pixels: &[u8], expected: &[u8]) {
    let found = blues(pixels);
    assert_eq!(found.len(), expected.len());
    let is_near = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(*expected) <= 3);
    assert!(is_near, "{found:?}, expected {expected:?}");
}

fn celeba(folder: &Path) -> Images {
    opened(&Dataset::Celeba32, folder)
}

#[test]
fn the_middle_is_scaled_and_the_partition_decides_what_is_tested_on() {
    let folder = small();
    let found = celeba(folder.path());
    assert_eq!((found.colours, found.classes), (3, 0));
    assert_blues(&found.train.pixels, &[50, 100, 200]);
    assert_blues(&found.test.pixels, &[150]);
    assert_eq!((found.train.labels, found.test.labels), (vec![0; 3], vec![0]));
    // Nothing of the red border is left but what JPEG smears over it.
    let reds = |image: &[u8]| image[32..1024 - 32].iter().filter(|red| **red > 100).count();
    assert_eq!(found.train.pixels.chunks(3072).map(reds).sum::<usize>(), 0);
}

#[test]
fn without_a_partition_the_published_numbers_decide() {
    let folder = small();
    let pictures = folder.path().join("celeba/img_align_celeba");
    fs::remove_file(folder.path().join(PARTITION)).unwrap();
    let message = refused(&Dataset::Celeba32, folder.path());
    assert!(message.contains("holds 4 pictures to train on and 0 to test on"), "{message}");
    fs::rename(pictures.join("000002.jpg"), pictures.join("182637.jpg")).unwrap();
    fs::rename(pictures.join("000003.jpg"), pictures.join("182638.jpg")).unwrap();
    let found = celeba(folder.path());
    assert_blues(&found.train.pixels, &[50, 200, 100]);
    assert_blues(&found.test.pixels, &[150]);
}

#[test]
fn a_second_opening_reads_the_cache_alone() {
    let folder = small();
    let first = celeba(folder.path());
    // The pictures are no longer needed: of the same size and time, but no pictures.
    for entry in fs::read_dir(folder.path().join("celeba/img_align_celeba")).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::metadata(&path).unwrap();
        fs::write(&path, vec![0; metadata.len() as usize]).unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(metadata.modified().unwrap())
            .unwrap();
    }
    assert!(celeba(folder.path()) == first);
    let left: Vec<_> = fs::read_dir(folder.path().join("celeba")).unwrap().collect();
    assert_eq!(left.len(), 3, "pictures, partition, cache: {left:?}");
}

#[test]
fn the_cache_gives_way_when_a_picture_changes() {
    let folder = small();
    celeba(folder.path());
    fs::write(folder.path().join("celeba/img_align_celeba/000001.jpg"), face(250)).unwrap();
    assert_blues(&celeba(folder.path()).train.pixels, &[250, 100, 200]);
}

#[test]
fn a_damaged_cache_is_replaced() {
    let folder = small();
    let whole = celeba(folder.path());
    let cache = folder.path().join(CACHE);
    let bytes = fs::read(&cache).unwrap();
    let mut flipped = bytes.clone();
    flipped[5000] ^= 1;
    for damaged in [&flipped, &bytes[..bytes.len() - 1], &bytes[..20], &[bytes.as_slice(), &[0]].concat()] {
        fs::write(&cache, damaged).unwrap();
        assert!(celeba(folder.path()) == whole);
        assert!(fs::read(&cache).unwrap() == bytes);
    }
}

#[test]
fn pictures_and_partition_must_belong_together() {
    let with = |partition: &str| {
        let folder = small();
        fs::write(folder.path().join(PARTITION), partition).unwrap();
        refused(&Dataset::Celeba32, folder.path())
    };
    for (partition, reason) in [
        ("000001.jpg 0\n000002.jpg 3\n", "line 2 is not a picture's name and 0, 1 or 2"),
        ("000001.jpg 0\n000001.jpg 0\n", "line 2 names a picture for the second time"),
        ("000001.jpg 0\n", "it does not name the picture `000002.jpg`"),
        (
            "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n000004.jpg 0\n000005.jpg 0",
            "it names `000005.jpg`, which is not among the pictures",
        ),
    ] {
        assert_eq!(with(partition), crate::not_the_file(PARTITION, reason));
    }
}

#[test]
fn a_picture_of_another_size_is_named() {
    let folder = small();
    let odd = jpeg(&RgbImage::new(178, 217));
    fs::write(folder.path().join("celeba/img_align_celeba/000003.jpg"), odd).unwrap();
    assert_eq!(
        refused(&Dataset::Celeba32, folder.path()),
        "picture `DATA/celeba/img_align_celeba/000003.jpg` cannot be used: it is 178×217 pixels, not 178×218; \
         repair or remove it"
    );
    assert!(!folder.path().join(CACHE).exists());
}
