//! Convolutions of K members: stride 1, 'same' zero padding, bias.

use tch::Tensor;

use super::leaky_relu::LEAKY_SLOPE;
use super::{Initial, Members, Parameter, Parameters, Role};

/// Sizes of one convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    pub(super) inputs: i64,
    pub(super) outputs: i64,
    /// Height and width.
    pub(super) kernel: [i64; 2],
}

/// The weights of one convolution.
pub(super) struct Weights {
    /// `[K, out, h, w, in]`.
    pub(super) weight: Tensor,
    /// `[K, out]`.
    pub(super) bias: Tensor,
}

/// Parameters `network.i.weight` and `network.i.bias` of each convolution.
///
/// Biases start at 0, weights as N(0, 1/((1 + 0.2²)·fan_in)), which keeps the variance of activations
/// through a leaky rectifier (He et al. 2015, equation 14, with fan_in = h·w·inputs).
pub(super) fn parameters(
    role: Role,
    convolutions: impl Iterator<Item = Convolution>,
    members: &Members,
) -> Parameters {
    let network = role.name();
    let table = convolutions.enumerate().flat_map(|(layer, convolution)| {
        let Convolution { inputs, outputs, kernel } = convolution;
        let [height, width] = kernel;
        let fan_in = (height * width * inputs) as f64;
        let std = ((1.0 + LEAKY_SLOPE * LEAKY_SLOPE) * fan_in).sqrt().recip();
        [
            Parameter {
                name: format!("{network}.{layer}.weight"),
                shape: vec![outputs, inputs, height, width],
                initial: Initial::Normal { std },
            },
            Parameter {
                name: format!("{network}.{layer}.bias"),
                shape: vec![outputs],
                initial: Initial::Zero,
            },
        ]
    });
    Parameters::new(table.collect(), |seed| role.weights(seed), members)
}

/// The weights of each convolution of `parameters`, in order.
pub(super) fn weights(parameters: &Parameters) -> impl Iterator<Item = Weights> {
    parameters.leaves().chunks_exact(2).map(|leaves| match leaves {
        [weight, bias] => Weights { weight: weight.shallow_clone(), bias: bias.shallow_clone() },
        _ => unreachable!("chunks of two"),
    })
}

impl Weights {
    /// The convolution of `x` `[n, K·in, h, w]`, computed in the kind of `x`: `[n, K·out, h, w]`.
    pub(super) fn convolve(&self, x: &Tensor) -> Tensor {
        let members = self.weight.size()[0];
        // [K, out, h, w, in] → [K·out, in, h, w] in channels-last memory; a view where K = 1.
        let weight = self.weight.to_kind(x.kind()).flatten(0, 1).permute([0, 3, 1, 2]);
        let bias = self.bias.to_kind(x.kind()).flatten(0, 1);
        let same = [weight.size()[2] / 2, weight.size()[3] / 2];
        x.conv2d(&weight, Some(&bias), 1, same, 1, members)
    }
}
