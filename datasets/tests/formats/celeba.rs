use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use acai_datasets::Images;
use acai_sweep::training::Dataset;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};
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
fn pictures_are_scaled_as_the_authors_do() {
    // The picture and what becomes of it: bicubic.py.
    let value = |x: u32, y: u32, colour: u32| (7 * x * y + 3 * x * x + 5 * y * colour) as u8;
    let picture = RgbImage::from_fn(178, 218, |x, y| Rgb([0, 1, 2].map(|colour| value(x, y, colour))));
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap(); // a name that ends in .jpg is no obstacle
    let folder = small();
    fs::write(folder.path().join("celeba/img_align_celeba/000003.jpg"), png.into_inner()).unwrap();
    assert!(celeba(folder.path()).test.pixels == include_bytes!("bicubic_golden.bin"));
}

#[test]
fn without_a_partition_part_of_the_published_pictures_is_refused() {
    let folder = small();
    fs::remove_file(folder.path().join(PARTITION)).unwrap();
    let pictures = folder.path().join("celeba/img_align_celeba");
    fs::rename(pictures.join("000002.jpg"), pictures.join("mine.jpg")).unwrap();
    assert_eq!(
        refused(&Dataset::Celeba32, folder.path()),
        "folder `DATA/celeba/img_align_celeba` holds 3 of the 202599 published pictures and 1 others: unpack it \
         again, or put the file that says which are tested on at `DATA/celeba/list_eval_partition.txt`"
    );
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
fn what_a_killed_opening_left_is_deleted_after_an_hour() {
    let folder = small();
    let part = |process: u32| folder.path().join(format!("{CACHE}.part-{process}"));
    for (process, minutes) in [(0, 61), (1, 59)] {
        let file = fs::File::create(part(process)).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() - Duration::from_secs(60 * minutes))
            .unwrap();
    }
    celeba(folder.path());
    assert!(!part(0).exists() && part(1).exists());
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
    ] {
        assert_eq!(with(partition), crate::not_the_file(PARTITION, reason));
    }
    assert_eq!(
        with("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n000004.jpg 0\n000005.jpg 0"),
        "folder `DATA/celeba/img_align_celeba` lacks `000005.jpg`, which the partition beside it names: \
         unpack it again"
    );
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
