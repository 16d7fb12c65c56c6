//! Grids of images as PNG.

use png::{BitDepth, ColorType, Encoder};
use tch::{Device, Kind, Tensor};

/// Pixels between images, in white.
const GUTTER: i64 = 2;

/// A PNG file of images `[rows, columns, c, h, w]` with values in [-1, 1] (others are clipped), grey for c = 1 and RGB
/// for c = 3. What is not a number is mid-grey.
///
/// # Panics
/// On no images, or another number of colours.
#[must_use]
pub fn png(images: &Tensor) -> Vec<u8> {
    let [rows, columns, colours, height, width] = images.size()[..] else {
        panic!("images have five dimensions")
    };
    let bytes = ((images.nan_to_num(0.0, None, None).clamp(-1.0, 1.0) + 1.0) * 127.5).round();
    let framed = bytes.to_device(Device::Cpu).pad([0, GUTTER, 0, GUTTER], "constant", 255.0);
    let (height, width) = (height + GUTTER, width + GUTTER);
    let grid = framed.permute([0, 3, 1, 4, 2]).reshape([rows * height, columns * width, colours]);
    let (height, width) = (rows * height - GUTTER, columns * width - GUTTER);
    let grid = grid.narrow(0, 0, height).narrow(1, 0, width).to_kind(Kind::Uint8).contiguous().view(-1);
    let pixels = Vec::<u8>::try_from(grid).expect("a vector of bytes");

    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(if colours == 1 { ColorType::Grayscale } else { ColorType::Rgb });
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.expect("a vector takes all bytes, and their number is the header's");
    file
}
