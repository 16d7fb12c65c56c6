//! What examples are made of: images or strings.

use tch::Tensor;

/// Width of every example: pixels of an image, characters of a string.
pub const WIDTH: i64 = 32;

/// What a dataset's examples are. Networks, losses, scores and pictures ask this and not the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Images `[n, colours, 32, 32]` with values in [-1, 1].
    Images {
        /// 1 or 3.
        colours: i64,
    },
    /// Strings of 32 characters, `[n, symbols, 1, 32]`: √symbols where a place has the symbol and 0 elsewhere, so that the mean
    /// square of the values is 1.
    Strings {
        /// How many different characters there are.
        symbols: i64,
    },
}

impl Medium {
    /// Images in grey.
    pub const GREY: Medium = Medium::Images { colours: 1 };

    /// Channels of an example.
    #[must_use]
    pub fn channels(self) -> i64 {
        match self {
            Medium::Images { colours } => colours,
            Medium::Strings { symbols } => symbols,
        }
    }

    /// Height of an example.
    #[must_use]
    pub fn height(self) -> i64 {
        match self {
            Medium::Images { .. } => WIDTH,
            Medium::Strings { .. } => 1,
        }
    }

    /// Whether examples are strings.
    #[must_use]
    pub fn is_strings(self) -> bool {
        matches!(self, Medium::Strings { .. })
    }
}

/// The numbers `[n, 32]` of the symbols that examples `[n, symbols, 1, 32]` have most of; the first of equal ones.
pub fn most_likely(strings: &Tensor) -> Tensor {
    strings.squeeze_dim(2).argmax(1, false)
}
