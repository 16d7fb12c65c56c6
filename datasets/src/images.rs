//! The shape of every dataset.

/// Width and height of an image, in pixels.
pub const WIDTH: usize = acai_sweep::training::IMAGE_WIDTH as usize;

/// Pixels of an image, of one colour.
pub const PIXELS: usize = WIDTH * WIDTH;

/// A dataset in memory, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Colours of an image: 1 (grey) or 3 (red, green, blue).
    pub colours: usize,
    /// Labels are below this; 0 if there are none.
    pub classes: usize,
    /// What is trained on.
    pub train: Split,
    /// What is tested on.
    pub test: Split,
}

/// The training or the test part of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// `[n, colours, 32, 32]`, 0..=255.
    pub pixels: Vec<u8>,
    /// `[n]`; all 0 in a dataset without labels.
    pub labels: Vec<u16>,
}

impl Split {
    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether it has no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Adds an image.
    pub(crate) fn push(&mut self, pixels: &[u8], label: u16) {
        self.pixels.extend_from_slice(pixels);
        self.labels.push(label);
    }
}
