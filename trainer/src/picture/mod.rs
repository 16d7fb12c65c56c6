//! Grids of images, and what is written beside them, as PNG; strings as text.

mod animation;
mod strings;
mod text;

pub use animation::animation;
use png::{BitDepth, ColorType, Encoder};
pub use strings::strips;
use tch::{Device, Kind, Tensor};

/// Pixels between images, in white.
const GUTTER: usize = 2;
const WHITE: u8 = 255;
const BLACK: u8 = 0;

/// What a step of an interpolation is called: its share of the way, in hundredths.
#[must_use]
pub fn share(step: i64, steps: i64) -> String {
    match step {
        0 => "α=0".to_owned(),
        step => ((step as f64 / (steps - 1) as f64 * 100.0).round() / 100.0).to_string(),
    }
}

/// A raster of pixels in grey or in colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    width: usize,
    height: usize,
    /// 1 (grey) or 3 (red, green, blue).
    colours: usize,
    /// Row by row, the colours of a pixel beside each other.
    bytes: Vec<u8>,
}

impl Raster {
    /// Images `[rows, columns, c, h, w]` with values in [-1, 1] (others are clipped), grey for c = 1 and in colours for
    /// c = 3, with white gutters between them. What is not a number is mid-grey.
    ///
    /// # Panics
    /// On no images, or another number of colours.
    #[must_use]
    pub fn grid(images: &Tensor) -> Raster {
        let [rows, columns, colours, height, width] = images.size()[..] else {
            panic!("images have five dimensions")
        };
        let bytes = ((images.nan_to_num(0.0, None, None).clamp(-1.0, 1.0) + 1.0) * 127.5).round();
        let gutter = GUTTER as i64;
        let framed = bytes.to_device(Device::Cpu).pad([0, gutter, 0, gutter], "constant", f64::from(WHITE));
        let (height, width) = (height + gutter, width + gutter);
        let grid = framed.permute([0, 3, 1, 4, 2]).reshape([rows * height, columns * width, colours]);
        let (height, width) = (rows * height - gutter, columns * width - gutter);
        let grid = grid.narrow(0, 0, height).narrow(1, 0, width).to_kind(Kind::Uint8).contiguous().view(-1);
        let bytes = Vec::<u8>::try_from(grid).expect("a vector of bytes");
        Raster { width: width as usize, height: height as usize, colours: colours as usize, bytes }
    }

    /// Rows of images with a text above each column (it may be empty) and one to the left of each row: `rows` are grids of
    /// the same width and colours, with as many images as there are `columns`.
    ///
    /// # Panics
    /// On no columns or rows, or rows of different widths or colours.
    #[must_use]
    pub fn labelled(columns: &[String], rows: &[(String, Raster)]) -> Raster {
        let letters = rows.iter().map(|(label, _)| label.chars().count()).max().expect("a row");
        let margin = if letters == 0 { 0 } else { letters * text::WIDTH + 2 * GUTTER };
        let (_, first) = &rows[0];
        let heading = if columns.iter().all(String::is_empty) { 0 } else { text::HEIGHT + 2 * GUTTER };
        let height = heading + rows.iter().map(|(_, row)| row.height + GUTTER).sum::<usize>() - GUTTER;
        let mut whole = Raster::blank(margin + first.width, height, first.colours);
        let column_width = (first.width + GUTTER) / columns.len();
        for (column, text) in columns.iter().enumerate() {
            let free = (column_width - GUTTER).saturating_sub(text.chars().count() * text::WIDTH);
            whole.write(text, margin + column * column_width + free / 2, GUTTER);
        }
        let mut top = heading;
        for (label, row) in rows {
            assert_eq!((row.width, row.colours), (first.width, first.colours), "rows are alike");
            whole.write(label, 0, top + row.height.saturating_sub(text::HEIGHT) / 2);
            whole.place(row, margin, top);
            top += row.height + GUTTER;
        }
        whole
    }

    /// The raster as a PNG file.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, self.width as u32, self.height as u32);
        self.describe(&mut encoder);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.bytes));
        written.expect("a vector takes all bytes, and their number is the header's");
        file
    }

    /// Says what kind of pixels the raster has.
    fn describe(&self, encoder: &mut Encoder<'_, &mut Vec<u8>>) {
        encoder.set_color(if self.colours == 1 { ColorType::Grayscale } else { ColorType::Rgb });
        encoder.set_depth(BitDepth::Eight);
    }

    fn blank(width: usize, height: usize, colours: usize) -> Raster {
        Raster { width, height, colours, bytes: vec![WHITE; width * height * colours] }
    }

    /// Copies `other`, which must fit, with its upper left corner at (`left`, `top`).
    fn place(&mut self, other: &Raster, left: usize, top: usize) {
        for (row, line) in other.bytes.chunks_exact(other.width * other.colours).enumerate() {
            let start = ((top + row) * self.width + left) * self.colours;
            self.bytes[start..start + line.len()].copy_from_slice(line);
        }
    }

    /// Writes one line of text from (`left`, `top`) on, black; what does not fit is left out.
    fn write(&mut self, line: &str, left: usize, top: usize) {
        for (place, letter) in line.chars().enumerate() {
            for (x, y) in text::dots(letter) {
                let (x, y) = (left + place * text::WIDTH + x, top + y);
                if x < self.width && y < self.height {
                    let start = (y * self.width + x) * self.colours;
                    self.bytes[start..start + self.colours].fill(BLACK);
                }
            }
        }
    }
}
