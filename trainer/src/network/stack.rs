//! A stack of layers, described as in the paper, and how it is computed.
//!
//! Some layers that follow each other are computed together, as something that is the same but for rounding: each
//! rewriting has a file of its own with its proof. Whether it is used depends on shapes, kind and device alone, so a
//! repeated run computes the same and ends with the same bits.

mod folded;
mod two_by_two;

use tch::Tensor;

use super::architecture::Compute;
use super::convolutions::{self, Convolution};
use super::{Architecture, Members, Parameters, Pick, Role, leaky_relu, tf32};

/// A layer for images or codes `[n, K·c, h, w]`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layer {
    /// A convolution of stride 1 with 'same' zero padding and bias.
    Convolution(Convolution),
    /// max(x, 0.2·x).
    LeakyRelu,
    /// The mean of each window of this height and width: `[n, K·c, h/2, w/2]` for 2×2.
    AveragePool([i64; 2]),
    /// Each value so many times below and beside itself: `[n, K·c, 2h, 2w]` for 2×2.
    Upsample([i64; 2]),
}

/// The layers of which the paper's networks are made, in the form that examples of a kind have: windows that are n×n for images
/// are 1×n for strings.
impl Architecture {
    /// The 3×3 convolution that all but the encoder's first are.
    pub(super) fn three_by_three(&self, inputs: i64, outputs: i64) -> Layer {
        Layer::Convolution(Convolution { inputs, outputs, kernel: self.window(3) })
    }

    /// A 1×1 convolution.
    pub(super) fn one_by_one(&self, inputs: i64, outputs: i64) -> Layer {
        Layer::Convolution(Convolution { inputs, outputs, kernel: self.window(1) })
    }

    /// Halves width and, of images, height.
    pub(super) fn pool(&self) -> Layer {
        Layer::AveragePool(self.window(2))
    }

    /// Doubles width and, of images, height.
    pub(super) fn upsample(&self) -> Layer {
        Layer::Upsample(self.window(2))
    }
}

/// Layers with their parameters.
#[derive(Debug)]
pub(super) struct Stack {
    layers: Vec<Layer>,
    compute: Compute,
    /// Parameters `network.i.…` of convolution i.
    pub(super) parameters: Parameters,
}

impl Stack {
    /// Initial weights.
    pub(super) fn new(role: Role, layers: Vec<Layer>, compute: Compute, members: &Members) -> Stack {
        let convolutions = layers.iter().filter_map(|layer| match layer {
            Layer::Convolution(convolution) => Some(*convolution),
            _ => None,
        });
        let parameters = convolutions::parameters(role, convolutions, members);
        Stack { layers, compute, parameters }
    }

    /// Some of the members.
    pub(super) fn pick(&self, pick: Pick<'_>) -> Stack {
        Stack { layers: self.layers.clone(), compute: self.compute, parameters: self.parameters.pick(pick) }
    }

    /// What the last layer makes of `input` `[n, K·c, h, w]`, of the same kind.
    pub(super) fn forward(&self, input: &Tensor) -> Tensor {
        use Layer::{AveragePool, Convolution, LeakyRelu, Upsample};

        let mut weights = convolutions::weights(&self.parameters);
        let mut next = || weights.next().expect("a weight and a bias for each convolution");
        // The way back comes before that of other stacks with another precision.
        tf32::allow(self.compute.tf32);
        let mut x = input.to_kind(self.compute.kind);
        let mut layers = &self.layers[..];
        loop {
            (x, layers) = match layers {
                [] => return x.to_kind(input.kind()),
                [Convolution(first), Convolution(second), rest @ ..] if folded::pays(*first, *second) => {
                    (folded::apply(&x, &next(), &next()), rest)
                }
                [Convolution(convolution), rest @ ..] if two_by_two::pays(&x, *convolution) => {
                    (two_by_two::apply(&x, &next()), rest)
                }
                [Convolution(_), rest @ ..] => (next().convolve(&x), rest),
                [LeakyRelu, rest @ ..] => (leaky_relu(x), rest),
                [AveragePool(window), rest @ ..] => {
                    (x.avg_pool2d(window, window, 0, false, true, None), rest)
                }
                [Upsample([height, width]), rest @ ..] => {
                    let size = [height * x.size()[2], width * x.size()[3]];
                    (x.upsample_nearest2d(size, None, None), rest)
                }
            };
        }
    }
}

/// What the tests of rewritings have in common.
#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::super::convolutions::Weights;

    const F64: (Kind, Device) = (Kind::Double, Device::Cpu);

    /// Weights and biases of a convolution of K members, drawn at random.
    pub(super) fn random_weights(members: i64, [inputs, outputs, kernel]: [i64; 3]) -> Weights {
        let weight = Tensor::randn([members, outputs, kernel, kernel, inputs], F64).set_requires_grad(true);
        let bias = Tensor::randn([members, outputs], F64).set_requires_grad(true);
        Weights { weight, bias }
    }

    /// Images `[n, c, w, w]` in channels-last memory, drawn at random.
    pub(super) fn random_images(n: i64, channels: i64, width: i64) -> Tensor {
        let values = Tensor::randn([n, width, width, channels], F64);
        values.permute([0, 3, 1, 2]).set_requires_grad(true)
    }

    /// Outputs, and gradients of a function of them with regard to images and weights, are the same in f64.
    #[track_caller]
    pub(super) fn assert_same(
        images: &Tensor,
        weights: &[&Weights],
        (plain, rewritten): (impl Fn(&Tensor) -> Tensor, impl Fn(&Tensor) -> Tensor),
    ) {
        let mut leaves = vec![images];
        leaves.extend(weights.iter().flat_map(|weights| [&weights.weight, &weights.bias]));
        let with_gradients = |output: Tensor| {
            let mut all = Tensor::run_backward(&[output.sin().sum(None)], &leaves, false, false);
            all.push(output.detach());
            all
        };
        let (expected, found) = (with_gradients(plain(images)), with_gradients(rewritten(images)));
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected.size(), found.size());
            let off = ((expected - found).abs().max() / expected.abs().max()).double_value(&[]);
            assert!(off < 1e-12, "off by {off}");
        }
    }
}
