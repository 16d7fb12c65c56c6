//! From images to latent codes.

use tch::{Kind, Tensor};

use super::convolutions::{self, Convolution, three_by_three};
use super::{Architecture, Members, Parameters, Pick, Role, leaky_relu};

/// Encoder: a 1×1 convolution, then at each scale two convolutions and an average pool, then two more.
#[derive(Debug)]
pub struct Encoder {
    scales: u32,
    compute: Kind,
    /// Parameters `encoder.i.…`.
    pub parameters: Parameters,
}

impl Encoder {
    /// Initial weights.
    #[must_use]
    pub fn new(sizes: &Architecture, members: &Members) -> Encoder {
        Encoder::of(Role::Encoder, sizes, members)
    }

    pub(super) fn of(role: Role, sizes: &Architecture, members: &Members) -> Encoder {
        let mut layers = vec![Convolution { inputs: sizes.colours, outputs: sizes.depth, kernel: 1 }];
        let mut channels = sizes.depth;
        for scale in 0..sizes.scales {
            layers.push(three_by_three(channels, sizes.depth_at(scale)));
            channels = sizes.depth_at(scale);
            layers.push(three_by_three(channels, channels));
        }
        layers.push(three_by_three(channels, sizes.depth_at(sizes.scales)));
        layers.push(three_by_three(sizes.depth_at(sizes.scales), sizes.latent));
        let parameters = convolutions::parameters(role, &layers, members);
        Encoder { scales: sizes.scales, compute: sizes.compute(members), parameters }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Encoder {
        Encoder { parameters: self.parameters.pick(pick), ..*self }
    }

    /// Latent codes `[n, K·latent, w, w]` of images `[n, K·c, 32, 32]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        let mut convolve = convolutions::in_order(&self.parameters, self.compute);
        let mut x = convolve(&images.to_kind(self.compute));
        for _ in 0..self.scales {
            x = leaky_relu(&convolve(&x));
            x = leaky_relu(&convolve(&x));
            x = x.avg_pool2d(2, 2, 0, false, true, None); // [n, c, h, w] → [n, c, h/2, w/2]
        }
        x = leaky_relu(&convolve(&x));
        convolve(&x).to_kind(images.kind())
    }
}
