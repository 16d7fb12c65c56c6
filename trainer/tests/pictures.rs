//! Pictures show what they should, and ways between codes are what they are called.

use std::f64::consts::FRAC_1_SQRT_2;
use std::io::Cursor;

use acai_trainer::benchmark::Path;
use acai_trainer::picture::Raster;
use tch::Tensor;

fn decode(file: Vec<u8>) -> (png::ColorType, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().expect("a PNG file");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let frame = reader.next_frame(&mut pixels).expect("its pixels");
    (frame.color_type, frame.width, pixels)
}

#[test]
fn a_grid_has_its_images_in_rows_with_white_gutters_and_clipped_values() {
    // Two rows of two images of one row and two columns.
    let values = [-1.0, 1.0, 0.0, 9.0, -7.0, f64::NAN, 0.5, f64::INFINITY];
    let images = Tensor::from_slice(&values).view([2, 2, 1, 1, 2]);
    let (colours, width, pixels) = decode(Raster::grid(&images).png());
    assert_eq!((colours, width), (png::ColorType::Grayscale, 6));
    let white = [255; 6];
    let rows: [&[u8]; 4] = [&[0, 255, 255, 255, 128, 255], &white, &white, &[0, 128, 255, 255, 191, 255]];
    assert_eq!(pixels, rows.concat());
}

#[test]
fn colours_stay_with_their_pixel() {
    let images = Tensor::from_slice(&[-1.0, 1.0, 0.0, -1.0, 1.0, 1.0]).view([1, 1, 3, 1, 2]);
    let (colours, width, pixels) = decode(Raster::grid(&images).png());
    assert_eq!((colours, width), (png::ColorType::Rgb, 2));
    assert_eq!(pixels, [0, 128, 255, 255, 0, 255]);
}

#[test]
fn texts_stand_above_their_columns_and_to_the_left_of_their_rows() {
    // One row of two white images.
    let images = Tensor::ones([1, 2, 1, 32, 32], (tch::Kind::Float, tch::Device::Cpu));
    let drawn = |columns: [&str; 2], row: &str| {
        let whole = Raster::labelled(&columns.map(str::to_owned), &[(row.to_owned(), Raster::grid(&images))]);
        let (_, width, pixels) = decode(whole.png());
        let width = width as usize;
        let black = pixels.iter().enumerate().filter(|(_, value)| **value == 0);
        let black: Vec<(usize, usize)> = black.map(|(at, _)| (at % width, at / width)).collect();
        (width, pixels.len() / width, black)
    };
    assert_eq!(drawn(["", ""], ""), (66, 32, Vec::new()), "nothing is written, and no room left for it");
    let (width, height, black) = drawn(["", "0.25"], "");
    assert_eq!((width, height), (66, 44));
    assert!(black.len() > 20 && black.iter().all(|(x, y)| (34..66).contains(x) && *y < 12), "{black:?}");
    let (width, height, black) = drawn(["", ""], "λ=0");
    assert_eq!((width, height), (66 + 28, 32));
    assert!(black.len() > 20 && black.iter().all(|(x, _)| *x < 24), "{black:?}");
}

/// Two codes of two values: at a right angle, and the same one twice.
fn ends() -> (Tensor, Tensor) {
    let from = Tensor::from_slice(&[2.0, 0.0, 3.0, 4.0]).view([2, 2, 1, 1]);
    let to = Tensor::from_slice(&[0.0, 2.0, 3.0, 4.0]).view([2, 2, 1, 1]);
    (from, to)
}

fn assert_near(codes: &Tensor, expected: [f64; 4]) {
    let off = (codes.reshape(-1) - Tensor::from_slice(&expected)).abs().max().double_value(&[]);
    assert!(off < 1e-12, "{codes} is not {expected:?}");
}

#[test]
fn a_line_goes_straight_and_a_great_circle_keeps_the_length() {
    let (from, to) = ends();
    let side = 2.0 * FRAC_1_SQRT_2;
    assert_near(&Path::Line.at(&from, &to, 0.5), [1.0, 1.0, 3.0, 4.0]);
    assert_near(&Path::Sphere.at(&from, &to, 0.5), [side, side, 3.0, 4.0]);
}

#[test]
fn every_way_begins_and_ends_at_its_codes_also_between_opposite_ones() {
    let (from, to) = ends();
    for path in [Path::Line, Path::Sphere] {
        assert_near(&path.at(&from, &to, 0.0), [2.0, 0.0, 3.0, 4.0]);
        assert_near(&path.at(&from, &to, 1.0), [0.0, 2.0, 3.0, 4.0]);
        assert_near(&path.at(&from, &-&from, 0.25), [1.0, 0.0, 1.5, 2.0]);
    }
}
