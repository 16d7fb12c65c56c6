//! Rasters shown one after another.

use png::Encoder;

use super::Raster;

/// For how long each frame is shown, in milliseconds.
const FRAME_MS: u16 = 80;

/// An animated PNG of these frames that starts again at its end; what shows no animations shows the first frame.
///
/// # Panics
/// On no frames, or frames of different sizes or colours.
#[must_use]
pub fn animation(frames: &[Raster]) -> Vec<u8> {
    let first = frames.first().expect("an animation has frames");
    let alike = |frame: &Raster| {
        (frame.width, frame.height, frame.colours) == (first.width, first.height, first.colours)
    };
    assert!(frames.iter().all(alike), "frames are alike");
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, first.width as u32, first.height as u32);
    first.describe(&mut encoder);
    let written = (|| {
        encoder.set_animated(frames.len() as u32, 0)?;
        encoder.set_frame_delay(FRAME_MS, 1000)?;
        let mut writer = encoder.write_header()?;
        frames.iter().try_for_each(|frame| writer.write_image_data(&frame.bytes))?;
        writer.finish()
    })();
    written.expect("a vector takes all bytes, and their number is the header's");
    file
}
