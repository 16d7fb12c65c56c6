use std::fs;
use std::io::Cursor;

use acai_datasets::{open, picture};
use acai_sweep::training::Dataset;
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use tempfile::TempDir;

use crate::celeba::jpeg;
use crate::{data_folder, opened, refused};

fn own() -> Dataset {
    Dataset::from_name("images:mine").unwrap()
}

fn png(shade: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    GrayImage::from_pixel(40, 50, Luma([shade])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Grey pictures, picture i of shade i, with names out of order.
pub(crate) fn small(count: u8) -> TempDir {
    let names: Vec<String> = (0..count).map(|i| format!("mine/{i:03}.png")).collect();
    data_folder(names.iter().map(String::as_str).zip((0..count).map(png)).rev())
}

#[test]
fn every_tenth_picture_is_tested_on_and_grey_ones_have_one_colour() {
    let folder = small(25);
    let found = opened(&own(), folder.path());
    assert_eq!((found.colours, found.classes), (1, 0));
    let shades = |pixels: &[u8]| pixels.chunks(1024).map(|image| image[500]).collect::<Vec<u8>>();
    assert_eq!(shades(&found.test.pixels), [9, 19]);
    let others: Vec<u8> = (0..25).filter(|i| i % 10 != 9).collect();
    assert_eq!(shades(&found.train.pixels), others);
    assert_eq!(found.train.labels, [0; 23]);
}

#[test]
fn one_coloured_picture_makes_all_of_them_coloured() {
    let folder = small(12);
    // Green on the left and right of a wide picture, which are cut off; red in its middle.
    let wide =
        RgbImage::from_fn(
            64,
            32,
            |x, _| {
                if (16..48).contains(&x) { Rgb([200, 0, 0]) } else { Rgb([0, 200, 0]) }
            },
        );
    fs::write(folder.path().join("mine/000.JPEG"), jpeg(&wide)).unwrap();
    let found = opened(&own(), folder.path());
    assert_eq!((found.colours, found.train.len(), found.test.len()), (3, 12, 1));
    let first = &found.train.pixels[..3072];
    let [red, green] = [first[16 * 32 + 16], first[1024 + 16 * 32 + 16]];
    assert!(red.abs_diff(200) < 5 && green < 5, "{red}, {green}");
    assert!(first[1024 + 4..1024 + 28].iter().all(|green| *green < 60), "the sides are cut off");
}

#[test]
fn subfolders_are_labels_in_the_order_of_their_names() {
    let folder = small(0);
    for (label, count) in [("cats", 11), ("dogs", 9), (".hidden", 3), ("empty", 0)] {
        fs::create_dir_all(folder.path().join("mine").join(label)).unwrap();
        for i in 0..count {
            fs::write(folder.path().join("mine").join(label).join(format!("{i:02}.png")), png(i)).unwrap();
        }
    }
    fs::write(folder.path().join("mine/cats/notes.txt"), "not a picture").unwrap();
    let found = opened(&own(), folder.path());
    assert_eq!((found.classes, found.test.labels), (2, vec![0, 1]));
    assert_eq!(found.train.labels, [[0; 10].as_slice(), &[1; 8]].concat());

    fs::write(folder.path().join("mine/stray.png"), png(0)).unwrap();
    assert_eq!(
        refused(&own(), folder.path()),
        "picture `DATA/mine/stray.png` cannot be used: it is in none of the subfolders, which are the labels; \
         repair or remove it"
    );
}

#[test]
fn a_path_may_be_absolute() {
    let folder = small(10);
    let name = format!("images:{}", folder.path().join("mine").display());
    let absolute = Dataset::from_name(&name).unwrap();
    let found = open(&absolute, None).unwrap().unwrap();
    assert!(found == opened(&own(), folder.path()));
    assert!(open(&own(), None).unwrap_err().to_string().contains("give the data folder"));
}

#[test]
fn too_few_pictures_or_no_folder_are_said() {
    let message = refused(&own(), small(9).path());
    assert!(
        message.starts_with("folder `DATA/mine` holds 9 pictures to train on and 0 to test on: at least 10")
    );
    assert_eq!(
        refused(&own(), small(0).path()),
        "dataset `images:mine` has no pictures: there are none in `DATA/mine` \
         (PATH in `images:PATH` is relative to the data folder, --data)"
    );
    let empty = data_folder([("mine/notes.txt", Vec::new())]);
    assert_eq!(refused(&own(), empty.path()), refused(&own(), small(0).path()));
}

/// With one picture replaced by `bytes`.
pub(crate) fn small_with(name: &str, bytes: &[u8]) -> TempDir {
    let folder = small(10);
    fs::write(folder.path().join("mine").join(name), bytes).unwrap();
    folder
}

#[test]
fn what_is_no_picture_and_what_is_cut_short_is_named() {
    let message = refused(&own(), small_with("a.jpg", b"<html>").path());
    assert!(message.starts_with("picture `DATA/mine/a.jpg` cannot be used: "), "{message}");
    let whole = jpeg(&RgbImage::from_fn(200, 200, |x, y| Rgb([x as u8, y as u8, 0])));
    let message = refused(&own(), small_with("a.jpg", &whole[..whole.len() / 2]).path());
    assert!(message.contains("`DATA/mine/a.jpg` cannot be used: it is truncated;"), "{message}");
    let whole = png(3);
    let message = refused(&own(), small_with("a.png", &whole[..whole.len() / 2]).path());
    assert!(message.starts_with("picture `DATA/mine/a.png` cannot be used: "), "{message}");
}

#[test]
fn what_a_phone_puts_behind_a_picture_is_passed_over() {
    let picture = jpeg(&RgbImage::from_fn(200, 200, |x, y| Rgb([x as u8, y as u8, 0])));
    let film = b"\0\0\0\x18ftypmp42 \xff\xd9 \xff\xda ";
    let folder = small_with("a.jpg", &[&picture, film.as_slice()].concat());
    assert!(opened(&own(), folder.path()) == opened(&own(), small_with("a.jpg", &picture).path()));
}

#[test]
fn a_header_that_promises_an_enormous_picture_is_refused() {
    let mut huge = png(3);
    // Width and height of the header, then a checksum that says so.
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let mut checksum = flate2::Crc::new();
    checksum.update(&huge[12..29]);
    huge[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    let message = refused(&own(), small_with("a.png", &huge).path());
    assert!(message.contains("it has 65536×65536 pixels, too many"), "{message}");
}

#[test]
fn a_single_picture_is_brought_to_the_size_of_a_folders_pictures() {
    let folder = small(10);
    let in_colours = RgbImage::from_fn(60, 40, |x, y| Rgb([4 * x as u8, 6 * y as u8, 100]));
    fs::write(folder.path().join("mine/000.jpg"), jpeg(&in_colours)).unwrap();
    let found = opened(&own(), folder.path());
    let single = |colours| picture(&folder.path().join("mine/000.jpg"), colours).unwrap();
    assert_eq!(single(3), found.train.pixels[..3072]);
    let greys = single(1);
    let [red, green, blue] = [0, 1, 2].map(|colour| f64::from(found.train.pixels[colour * 1024 + 500]));
    let light = 0.299 * red + 0.587 * green + 0.114 * blue;
    assert!(greys.len() == 1024 && (f64::from(greys[500]) - light).abs() <= 0.5, "{} {light}", greys[500]);
    assert_eq!(picture(&folder.path().join("mine/003.png"), 1).unwrap(), [3; 1024], "a grey stays as it is");
}

#[test]
fn a_single_file_that_is_no_picture_or_too_small_or_missing_is_refused() {
    let folder = data_folder([("text.png", b"some text".to_vec())]);
    let mut bytes = Cursor::new(Vec::new());
    GrayImage::from_pixel(40, 15, Luma([1])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    fs::write(folder.path().join("small.png"), bytes.into_inner()).unwrap();
    for (file, complaint) in [
        ("text.png", "picture `DATA/text.png` cannot be used: "),
        (
            "small.png",
            "picture `DATA/small.png` cannot be used: it is 40×15 pixels, too small: 16×16 are needed",
        ),
        ("none.png", "can't read `DATA/none.png`"),
    ] {
        let error = picture(&folder.path().join(file), 3).unwrap_err().to_string();
        let error = error.replace(&folder.path().display().to_string(), "DATA");
        assert!(error.starts_with(complaint), "{error}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named_in_full_with_what_its_path_is_relative_to() {
    let elsewhere = open(&own(), Some(std::path::Path::new("no/such/data"))).unwrap_err().to_string();
    let here = std::env::current_dir().unwrap();
    assert_eq!(
        elsewhere,
        format!(
            "dataset `images:mine` has no pictures: there are none in `{}/no/such/data/mine` \
             (PATH in `images:PATH` is relative to the data folder, --data)",
            here.display()
        )
    );
    let absolute = Dataset::from_name("images:/no/such/folder").unwrap();
    assert_eq!(
        open(&absolute, Some(&here)).unwrap_err().to_string(),
        "dataset `images:/no/such/folder` has no pictures: there are none in `/no/such/folder`"
    );
}
