//! A 3×3 convolution of images of 2×2 pixels, as a dense layer.
//!
//! Each of the four pixels sees all four: pixel p through the tap at p - q from the centre of the kernel when q is
//! computed. So with M[q, p] = W at tap p - q, an `[out, in]` matrix each, it is the dense layer of 4·in values to 4·out.
//! No product is with padding, as five of nine are otherwise.

use tch::{Device, Tensor};

use super::super::convolutions::{Convolution, Weights};

/// Products of a tap with the batch from which on the dense layer takes less time, its weights having to be arranged first: as
/// measured, between those of 16 and of 64 images at the paper's sizes.
const ENOUGH: i64 = 1 << 20;

/// Whether it pays for `x`: on the CPU, for one member (several would need a product each).
pub(super) fn pays(x: &Tensor, convolution: Convolution) -> bool {
    let [n, channels, height, width] = x.size()[..] else { unreachable!("images have four dimensions") };
    let Convolution { inputs, outputs, kernel } = convolution;
    (height, width, kernel) == (2, 2, [3, 3])
        && channels == inputs
        && x.device() == Device::Cpu
        && n * inputs * outputs >= ENOUGH
}

/// The convolution of `x` `[n, in, 2, 2]`: `[n, out, 2, 2]` in channels-last memory.
pub(super) fn apply(x: &Tensor, Weights { weight, bias }: &Weights) -> Tensor {
    let (outputs, inputs) = (weight.size()[1], weight.size()[4]);
    let (weight, bias) = (weight.to_kind(x.kind()), bias.to_kind(x.kind()));
    let taps = Tensor::from_slice(&taps()).to_device(x.device());
    let matrix = weight.view([outputs, 9, inputs]).index_select(1, &taps);
    let matrix = matrix.view([outputs, 4, 4, inputs]).transpose(0, 1).reshape([4 * outputs, 4 * inputs]);
    let flat = x.permute([0, 2, 3, 1]).reshape([-1, 4 * inputs]); // [n, pixel of the input · in]
    let y = bias.repeat([1, 4]).addmm(&flat, &matrix.tr());
    y.view([-1, 2, 2, outputs]).permute([0, 3, 1, 2])
}

/// For each pixel that is computed, and each that it is computed of, the number of the tap.
fn taps() -> [i64; 16] {
    std::array::from_fn(|at| {
        let [(q_row, q_column), (p_row, p_column)] =
            [at / 4, at % 4].map(|pixel| (pixel as i64 / 2, pixel as i64 % 2));
        3 * (p_row - q_row + 1) + (p_column - q_column + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_same, random_images, random_weights};
    use super::*;

    #[test]
    fn the_dense_layer_has_the_outputs_and_gradients_of_the_convolution() {
        let weights = random_weights(1, [5, 6, 3]);
        let images = random_images(3, 5, 2);
        assert_same(
            &images,
            &[&weights],
            (|x: &Tensor| weights.convolve(x), |x: &Tensor| apply(x, &weights)),
        );
    }
}
