use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use acai_datasets::{Images, Mapped, MappedSplit, Split, open_mapped};
use acai_sweep::training::Dataset;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use tempfile::TempDir;

use crate::{data_folder, not_the_file, opened, refused};

const TRAIN: &str = "svhn/train_32x32.mat";
pub(crate) const UINT8: u32 = 2;
const DOUBLE: u32 = 9;

/// An element: kind, length, bytes, and zeros up to whole words of 8 bytes.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut element = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    element.extend(bytes);
    element.resize(element.len().next_multiple_of(8), 0);
    element
}

/// An array's element. MATLAB keeps short names in the small form: length and kind in one word, bytes in the next.
pub(crate) fn array(name: &str, dimensions: &[u32], class: u8, kind: u32, values: &[u8]) -> Vec<u8> {
    let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
    let dimensions: Vec<u8> = dimensions.iter().flat_map(|size| size.to_le_bytes()).collect();
    let mut small_name = [&[1, 0, name.len() as u8, 0], name.as_bytes()].concat();
    small_name.resize(8, 0);
    let name = if name.len() > 4 { element(1, name.as_bytes()) } else { small_name };
    element(14, &[flags, element(5, &dimensions), name, element(kind, values)].concat())
}

pub(crate) fn compressed(array: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(array).unwrap();
    let stream = encoder.finish().unwrap();
    // Compressed elements are not padded.
    [&15u32.to_le_bytes(), &(stream.len() as u32).to_le_bytes(), stream.as_slice()].concat()
}

pub(crate) fn file(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut header = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec();
    header.resize(124, b' ');
    header.extend([0x00, 0x01, b'I', b'M']);
    [header, elements.concat()].concat()
}

/// Colour c of image n at row r and column k, all different to their neighbours.
fn pixel(n: usize, c: usize, r: usize, k: usize) -> u8 {
    (n * 7 + c * 50 + r * 3 + k * 5) as u8
}

fn images(count: usize) -> Vec<u8> {
    let mut values = Vec::new();
    for n in 0..count {
        for c in 0..3 {
            for k in 0..32 {
                values.extend((0..32).map(|r| pixel(n, c, r, k)));
            }
        }
    }
    array("X", &[32, 32, 3, count as u32], 9, UINT8, &values)
}

fn labels(count: usize) -> Vec<u8> {
    let values: Vec<u8> = (0..count).map(|n| (n % 10 + 1) as u8).collect();
    array("y", &[count as u32, 1], 9, UINT8, &values)
}

/// As MATLAB's own doubles.
fn double_labels(count: usize) -> Vec<u8> {
    let values: Vec<u8> = (0..count).flat_map(|n| ((n % 10 + 1) as f64).to_le_bytes()).collect();
    array("y", &[count as u32, 1], 6, DOUBLE, &values)
}

/// A small file, as published: both arrays compressed.
pub(crate) fn published(count: usize) -> Vec<u8> {
    file(&[compressed(&images(count)), compressed(&labels(count))])
}

pub(crate) fn small_with(train: Vec<u8>) -> TempDir {
    data_folder([
        (TRAIN, train),
        ("svhn/extra_32x32.mat", file(&[double_labels(5), compressed(&images(5))])),
        ("svhn/test_32x32.mat", file(&[images(3), labels(3)])),
    ])
}

#[test]
fn images_lose_their_column_order_and_labels_start_at_zero() {
    let folder = small_with(published(12));
    let found = opened(&Dataset::Svhn32, folder.path());
    assert_eq!((found.colours, found.classes), (3, 10));
    assert_eq!((found.train.len(), found.test.len()), (17, 3), "extra images are trained on too");
    let (train, extra) = found.train.pixels.split_at(12 * 3072);
    for pixels in [train, extra, &found.test.pixels] {
        for (n, image) in pixels.chunks(3072).enumerate() {
            for (at, value) in image.iter().enumerate() {
                assert_eq!(*value, pixel(n, at / 1024, at / 32 % 32, at % 32), "image {n}, byte {at}");
            }
        }
    }
    assert_eq!(found.train.labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 0, 1, 2, 3, 4]);
    assert_eq!(found.test.labels, [0, 1, 2]);
}

#[test]
fn other_variables_are_passed_over() {
    let other = array("note", &[1, 4], 4, 4, b"t\0e\0x\0t\0");
    let folder = small_with(file(&[compressed(&other), images(2), other, labels(2)]));
    assert_eq!(opened(&Dataset::Svhn32, folder.path()).train.len(), 7);
}

#[test]
fn what_is_not_svhns_is_refused_by_name() {
    let with = |elements: &[Vec<u8>]| refused(&Dataset::Svhn32, small_with(file(elements)).path());
    let not_train = |reason| not_the_file(TRAIN, reason);
    assert_eq!(with(&[images(2)]), not_train("it holds no array `y`"));
    assert_eq!(with(&[labels(2)]), not_train("it holds no array `X`"));
    assert_eq!(with(&[labels(2), labels(2)]), not_train("it holds the array `y` twice"));
    assert_eq!(
        with(&[images(2), labels(3)]),
        format!("`DATA/{TRAIN}` holds 3 labels for 2 images: download the dataset again")
    );
    let label = |value| array("y", &[1, 1], 9, UINT8, &[value]);
    assert_eq!(with(&[label(0)]), not_train("label 0 is 0, outside 1..=10"));
    assert_eq!(with(&[label(11)]), not_train("label 0 is 11, outside 1..=10"));
    let half = array("y", &[1, 1], 6, DOUBLE, &1.5f64.to_le_bytes());
    assert_eq!(with(&[half]), not_train("label 0 is 1.5, outside 1..=10"));
    let doubles = array("X", &[32, 32, 3, 2], 6, DOUBLE, &[0; 3072]);
    assert_eq!(
        with(&[doubles]),
        not_train("array `X` has values of kind 9 and 3072 bytes, not of kind 2 and 6144 bytes")
    );
    let wide = array("X", &[64, 16, 3, 1], 9, UINT8, &[0; 3072]);
    assert_eq!(
        with(&[wide]),
        not_train("array `X` has size [64, 16, 3, 1], not 32×32×3×N with N in 1..=1000000")
    );
}

#[test]
fn other_files_and_newer_versions_are_told_apart() {
    let with = |bytes: Vec<u8>| refused(&Dataset::Svhn32, small_with(bytes).path());
    let mut newer = published(1);
    newer[125] = 2;
    let reason = "it is a MATLAB file of version 0x0200; versions 5 to 7 (0x0100) can be read";
    assert_eq!(with(newer), not_the_file(TRAIN, reason));
    let reason = "it is not a MATLAB file of version 5 to 7 (its header has no `IM` at byte 126)";
    assert_eq!(with(vec![b'x'; 500]), not_the_file(TRAIN, reason));
    assert_eq!(with(published(3)[..700].to_vec()), not_the_file(TRAIN, "it is truncated"));
}

#[test]
fn an_array_that_promises_more_than_is_there_is_refused() {
    let mut hollow = images(1);
    // Half a million images in the dimensions and in both lengths, one image of bytes.
    let count = 500_000u32;
    let at = hollow.len() - 3072 - 8 - 8 - 4;
    hollow[at..at + 4].copy_from_slice(&count.to_le_bytes());
    let at = hollow.len() - 3072 - 4;
    hollow[at..at + 4].copy_from_slice(&(count * 3072).to_le_bytes());
    hollow[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let folder = small_with(file(&[hollow]));
    assert_eq!(refused(&Dataset::Svhn32, folder.path()), not_the_file(TRAIN, "it is truncated"));
}

/// What is in the file, if there is one, as it is in memory.
fn mapped(folder: &Path) -> Option<Images> {
    let Mapped { mut file, len, colours, classes, train, test } =
        open_mapped(&Dataset::Svhn32, Some(folder)).unwrap()?;
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), len);
    let split = |MappedSplit { at, labels }: MappedSplit| {
        let pixels = bytes[at..][..labels.len() * colours * 1024].to_vec();
        Split { pixels, labels }
    };
    Some(Images { colours, classes, train: split(train), test: split(test) })
}

#[test]
fn the_file_that_trainers_share_holds_what_was_read_and_is_made_anew_when_it_is_damaged_or_old() {
    let folder = small_with(published(12));
    let images = opened(&Dataset::Svhn32, folder.path());
    assert_eq!(mapped(folder.path()), Some(images.clone()));

    let file = folder.path().join("svhn/images.32x32");
    let whole = fs::read(&file).unwrap();
    let flipped = |at: usize| {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        damaged
    };
    let longer = [whole.as_slice(), b"x"].concat();
    let damaged: Vec<Vec<u8>> = [0, 20, 48, 55, 72, 81, 200, whole.len() - 1].map(flipped).into();
    let cut: Vec<Vec<u8>> = [0, 10, 50, 90, whole.len() - 1].map(|len| whole[..len].to_vec()).into();
    for bytes in damaged.into_iter().chain(cut).chain([longer]) {
        fs::write(&file, bytes).unwrap();
        assert_eq!(mapped(folder.path()), Some(images.clone()));
        assert!(fs::read(&file).unwrap() == whole, "it is as it was");
    }

    fs::write(folder.path().join(TRAIN), published(7)).unwrap();
    assert_eq!(mapped(folder.path()), Some(opened(&Dataset::Svhn32, folder.path())));
}

#[test]
fn a_file_that_is_mapped_stays_as_it_is_when_another_takes_its_name() {
    let folder = small_with(published(12));
    let shared = open_mapped(&Dataset::Svhn32, Some(folder.path())).unwrap().unwrap();
    fs::write(folder.path().join(TRAIN), published(7)).unwrap();
    open_mapped(&Dataset::Svhn32, Some(folder.path())).unwrap().unwrap();
    assert_eq!(shared.file.metadata().unwrap().len(), shared.len as u64);
    let named = File::open(folder.path().join("svhn/images.32x32")).unwrap();
    assert!(named.metadata().unwrap().len() < shared.len as u64);
}
