//! A 1×1 convolution and the 3×3 convolution that follows it without an activation between them, as one.
//!
//! Both are linear: with weights A `[mid, c]`, bias a of the first and B, b of the second,
//!
//! Σ_t B_t·(A·x_t + a) + b = Σ_t (B_t·[A|a])·[x_t, 1] + b,
//!
//! over the taps t of the 3×3 that lie in the image. So it is a 3×3 convolution of the image with a channel of ones added;
//! that channel is 0 in the padding too, where the second convolution sees no a either. It has c + 1 inputs instead of
//! `mid`, and what lies between the two is never made.

use tch::Tensor;

use super::super::by_member;
use super::super::convolutions::{Convolution, Weights};

/// Whether that is no more to compute: c + 1 inputs, and at most `mid`.
pub(super) fn pays(first: Convolution, _second: Convolution) -> bool {
    first.kernel == [1, 1] && first.inputs < first.outputs
}

/// The second convolution of the first's output for `x` `[n, K·c, h, w]`: `[n, K·out, h, w]`.
pub(super) fn apply(x: &Tensor, first: &Weights, second: &Weights) -> Tensor {
    let [members, outputs, height, width, mid] = second.weight.size()[..] else {
        unreachable!("a convolution's weight has five dimensions")
    };
    let inputs = first.weight.size()[4];
    let affine = Tensor::cat(&[first.weight.view([members, mid, inputs]), first.bias.unsqueeze(2)], 2);
    let weight = second.weight.view([members, -1, mid]).bmm(&affine);
    let weight = weight.view([members, outputs, height, width, inputs + 1]);
    Weights { weight, bias: second.bias.shallow_clone() }.convolve(&with_ones(x, members))
}

/// `[n, K·c, h, w]` with a channel of ones behind each member's: `[n, K·(c+1), h, w]` in channels-last memory.
fn with_ones(x: &Tensor, members: i64) -> Tensor {
    let x = by_member(x, members).permute([0, 3, 4, 1, 2]); // [n, h, w, K, c]
    let ones = x.narrow(4, 0, 1).ones_like();
    Tensor::cat(&[x, ones], 4).flatten(3, 4).permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_same, random_images, random_weights};
    use super::*;

    #[test]
    fn the_two_convolutions_as_one_have_the_same_outputs_and_gradients() {
        for (members, colours) in [(1, 1), (1, 3), (3, 1), (2, 3)] {
            let first = random_weights(members, [colours, 6, 1]);
            let second = random_weights(members, [6, 5, 3]);
            let images = random_images(2, members * colours, 7);
            let plain = |x: &Tensor| second.convolve(&first.convolve(x));
            assert_same(&images, &[&first, &second], (plain, |x: &Tensor| apply(x, &first, &second)));
        }
    }
}
