//! Sizes of the networks.

use acai_sweep::training::Precision;
use tch::Kind;

use super::Members;
use crate::medium::{Medium, WIDTH};

/// Most channels that a convolution may have, so that no configuration asks for an absurd allocation.
const CHANNELS_MAX: i64 = 1 << 12;

/// What fixes the shapes of encoder, decoder and critic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Architecture {
    /// What goes in and comes out.
    pub medium: Medium,
    /// Channels after the first convolution; doubled at each scale.
    pub depth: i64,
    /// Channels of the latent code.
    pub latent: i64,
    /// Halvings of the width between image and latent code.
    pub scales: u32,
    /// What convolutions compute in.
    pub precision: Precision,
}

/// What convolutions are computed in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compute {
    /// Kind of inputs and outputs.
    pub(super) kind: Kind,
    /// Whether a GPU may round fp32 to TF32.
    pub(super) tf32: bool,
}

/// Why sizes fit no network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ArchitectureError {
    /// Not a power of two between 1 and half the image.
    #[error("latent_width is `{0}`; give a power of two between 1 and {max}", max = WIDTH / 2)]
    LatentWidth(u32),
    /// No channels, or too many at the last scale.
    #[error(
        "depth `{depth}` and latent `{latent}` need between 1 and {CHANNELS_MAX} channels everywhere, \
         counting depth doubled {scales} times"
    )]
    Channels {
        /// Channels after the first convolution.
        depth: u32,
        /// Channels of the latent code.
        latent: u32,
        /// How often the depth is doubled.
        scales: u32,
    },
}

impl Architecture {
    /// Sizes for examples of this kind.
    ///
    /// # Errors
    /// When the latent code cannot be that wide, or a layer would have no channels or too many.
    pub fn new(
        medium: Medium,
        depth: u32,
        latent: u32,
        latent_width: u32,
        precision: Precision,
    ) -> Result<Architecture, ArchitectureError> {
        if !latent_width.is_power_of_two() || i64::from(latent_width) > WIDTH / 2 {
            return Err(ArchitectureError::LatentWidth(latent_width));
        }
        let scales = (WIDTH / i64::from(latent_width)).ilog2();
        let sizes = Architecture { medium, depth: depth.into(), latent: latent.into(), scales, precision };
        let allowed = 1..=CHANNELS_MAX;
        if !allowed.contains(&sizes.depth_at(0))
            || !allowed.contains(&sizes.depth_at(scales))
            || !allowed.contains(&sizes.latent)
        {
            return Err(ArchitectureError::Channels { depth, latent, scales });
        }
        Ok(sizes)
    }

    /// Channels at `scale`: depth·2^scale.
    pub fn depth_at(&self, scale: u32) -> i64 {
        self.depth << scale
    }

    /// What convolutions are computed in; weights, losses and moments keep the kind of `members`.
    pub(super) fn compute(&self, members: &Members) -> Compute {
        let (kind, tf32) = match self.precision {
            Precision::Fp32 => (members.options.0, false),
            Precision::Tf32 => (members.options.0, true),
            Precision::Bf16 => (Kind::BFloat16, false),
        };
        Compute { kind, tf32 }
    }

    /// Height and width of the latent code.
    pub fn latent_extent(&self) -> [i64; 2] {
        let width = WIDTH >> self.scales;
        if self.medium.is_strings() { [1, width] } else { [width, width] }
    }

    /// Values of the latent code of one example.
    pub fn latent_size(&self) -> i64 {
        self.latent * self.latent_extent().iter().product::<i64>()
    }

    /// Height and width of a window for examples of this kind: a string has no neighbours above and below.
    pub(super) fn window(&self, width: i64) -> [i64; 2] {
        if self.medium.is_strings() { [1, width] } else { [width, width] }
    }
}
