//! Figures as PNG, for slides and for what shows no SVG.

use anyhow::{Context, anyhow};
use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Latin, Greek, Cyrillic and mathematical letters of DejaVu Sans, so that a figure has the same letters on every machine.
const FONT: &[u8] = include_bytes!("../../../fonts/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// As journals ask for figures.
const DOTS_PER_INCH: f32 = 300.0;
const INCH: f32 = 0.0254;

/// A figure as PNG, which knows how large it is on paper.
pub(super) fn png(svg: &str) -> anyhow::Result<Vec<u8>> {
    let mut options = Options { font_family: FAMILY.to_owned(), ..Options::default() };
    options.fontdb_mut().load_font_data(FONT.to_vec());
    options.fontdb_mut().set_sans_serif_family(FAMILY);
    let figure = Tree::from_str(svg, &options).context("the figure cannot be drawn as PNG")?;
    let scale = DOTS_PER_INCH / options.dpi;
    let dots = |length: f32| (length * scale).round() as u32;
    let mut pixels = Pixmap::new(dots(figure.size().width()), dots(figure.size().height()))
        .ok_or_else(|| anyhow!("the figure is too large for a PNG; `-o FILE.svg` writes it"))?;
    // The figure's own ground may end within the last row and column.
    pixels.fill(Color::WHITE);
    resvg::render(&figure, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    encoded(&pixels).context("the figure cannot be written as PNG")
}

/// The pixels, all of which are opaque.
fn encoded(pixels: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let per_meter = (DOTS_PER_INCH / INCH).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: per_meter, yppu: per_meter, unit: Unit::Meter }));
    let mut writer = encoder.write_header()?;
    let colours: Vec<u8> = pixels.data().chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
    writer.write_image_data(&colours)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Cursor;

    use png::{Decoder, Info};

    use super::png;

    /// A red picture of one pixel.
    const RED: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

    /// The picture of a figure of 84 mm by 8.4 mm with this inside.
    fn drawn(inside: &str) -> (Info<'static>, Vec<u8>) {
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="84mm" height="8.4mm"
            viewBox="0 0 100 10" font-family="Helvetica, Arial, sans-serif"><rect width="100" height="10" fill="#FFFFFF"/>
            {inside}</svg>"##
        );
        let mut reader = Decoder::new(Cursor::new(png(&svg).unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (reader.info().clone(), pixels)
    }

    #[test]
    fn a_picture_has_300_dots_per_inch_and_knows_that() {
        let (info, pixels) = drawn("");
        assert_eq!((info.width, info.height), (992, 99));
        assert_eq!(info.pixel_dims.unwrap().xppu, 11_811);
        assert!(pixels.iter().all(|&value| value == 255), "the ground is white");
    }

    #[test]
    fn letters_and_pictures_inside_of_a_figure_are_drawn() {
        let letter = |letter: &str| drawn(&format!(r#"<text x="1" y="8" font-size="7">{letter}</text>"#)).1;
        let letters = ["", "a", "λ", "γ", "±", "⁻", "ж"].map(letter);
        for (index, one) in letters.iter().enumerate() {
            assert!(
                !letters[..index].contains(one),
                "letter {index} is drawn, and differs from those before"
            );
        }
        let (_, pixels) =
            drawn(&format!(r#"<image width="100" height="10" preserveAspectRatio="none" href="{RED}"/>"#));
        assert!(pixels[..3] == [255, 0, 0]);
    }
}
