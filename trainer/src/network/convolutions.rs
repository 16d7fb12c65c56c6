//! A stack of convolutions: stride 1, 'same' zero padding, bias.

use tch::{Kind, Tensor};

use super::{Initial, LEAKY_SLOPE, Members, Parameter, Parameters, Role};

/// Sizes of one convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    pub(super) inputs: i64,
    pub(super) outputs: i64,
    pub(super) kernel: i64,
}

/// The 3×3 convolution that all but the encoder's first are.
pub(super) fn three_by_three(inputs: i64, outputs: i64) -> Convolution {
    Convolution { inputs, outputs, kernel: 3 }
}

/// Parameters `network.i.weight` and `network.i.bias` of each convolution.
///
/// Biases start at 0, weights as N(0, 1/((1 + 0.2²)·fan_in)), which keeps the variance of activations
/// through a leaky rectifier (He et al. 2015, equation 14, with fan_in = k·k·inputs).
pub(super) fn parameters(role: Role, convolutions: &[Convolution], members: &Members) -> Parameters {
    let network = role.name();
    let table = convolutions.iter().enumerate().flat_map(|(layer, convolution)| {
        let Convolution { inputs, outputs, kernel } = *convolution;
        let fan_in = (kernel * kernel * inputs) as f64;
        let std = ((1.0 + LEAKY_SLOPE * LEAKY_SLOPE) * fan_in).sqrt().recip();
        [
            Parameter {
                name: format!("{network}.{layer}.weight"),
                shape: vec![outputs, inputs, kernel, kernel],
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

/// The convolutions in order, ready to be applied: `next(x)` is the next one's output `[n, K·out, h, w]` for
/// `x` `[n, K·in, h, w]` of kind `compute`, in which the weights are taken too.
pub(super) fn in_order(parameters: &Parameters, compute: Kind) -> impl FnMut(&Tensor) -> Tensor + '_ {
    let mut layers = parameters.leaves().chunks_exact(2);
    let members = parameters.members();
    move |x| {
        let [weight, bias] = layers.next().expect("a network applies each of its layers once") else {
            unreachable!("chunks of two")
        };
        // [K, out, h, w, in] → [K·out, in, h, w] in channels-last memory; a view where K = 1.
        let weight = weight.to_kind(compute).flatten(0, 1).permute([0, 3, 1, 2]);
        let bias = bias.to_kind(compute).flatten(0, 1);
        let same = weight.size()[2] / 2;
        x.conv2d(&weight, Some(&bias), 1, same, 1, members)
    }
}
