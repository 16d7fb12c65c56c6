//! Dense layers of K members.

use tch::Tensor;

use super::{Initial, Members, Parameter, Parameters, Pick, Role};

/// A stack of dense layers with biases, in the order of their use.
#[derive(Debug)]
pub struct Dense {
    /// Parameters of the layers, `weight` `[out, in]` and `bias` `[out]` of each.
    pub parameters: Parameters,
}

impl Dense {
    /// Initial weights of layers (name, inputs, outputs): Glorot uniform (Glorot and Bengio 2010, equation 16),
    /// zero bias.
    pub(super) fn new(role: Role, layers: &[(&str, i64, i64)], members: &Members) -> Dense {
        let table = layers.iter().flat_map(|(name, inputs, outputs)| {
            let limit = (6.0 / (inputs + outputs) as f64).sqrt();
            let weight = Initial::Uniform { limit };
            [
                Parameter { name: format!("{name}.weight"), shape: vec![*outputs, *inputs], initial: weight },
                Parameter { name: format!("{name}.bias"), shape: vec![*outputs], initial: Initial::Zero },
            ]
        });
        Dense { parameters: Parameters::new(table.collect(), |seed| role.weights(seed), members) }
    }

    /// The layers of a posterior (`mean`, `log_variance`), each from a code of `size` values to as many.
    #[must_use]
    pub fn posterior(size: i64, members: &Members) -> Dense {
        Dense::new(Role::Posterior, &[("mean", size, size), ("log_variance", size, size)], members)
    }

    /// The layers of a discriminator of codes of `size` values (`discriminator.0` to `.2`).
    #[must_use]
    pub fn discriminator(size: i64, hidden: i64, members: &Members) -> Dense {
        let layers = [
            ("discriminator.0", size, hidden),
            ("discriminator.1", hidden, hidden),
            ("discriminator.2", hidden, 1),
        ];
        Dense::new(Role::Discriminator, &layers, members)
    }

    /// The layers around a quantiser: `to_vectors` from a code of `size` values to `vectors` vectors of that width,
    /// and back through `hidden` values (`from_vectors.0`, `from_vectors.1`).
    #[must_use]
    pub fn around_vectors(size: i64, vectors: i64, hidden: i64, members: &Members) -> Dense {
        let layers = [
            ("to_vectors", size, vectors * size),
            ("from_vectors.0", vectors * size, hidden),
            ("from_vectors.1", hidden, size),
        ];
        Dense::new(Role::Vectors, &layers, members)
    }

    /// The single layer of a classifier.
    #[must_use]
    pub(super) fn classifier(size: i64, classes: i64, members: &Members) -> Dense {
        Dense::new(Role::Classifier, &[("classifier", size, classes)], members)
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Dense {
        Dense { parameters: self.parameters.pick(pick) }
    }

    /// Layer number `layer` applied to `x` `[K, n, in]`: `[K, n, out]`.
    pub fn apply(&self, layer: usize, x: &Tensor) -> Tensor {
        let [weight, bias] = &self.parameters.leaves()[2 * layer..2 * layer + 2] else {
            unreachable!("a weight and a bias")
        };
        if weight.size()[1] == 1 {
            // MKL sums such a product of vectors in an order that depends on where in memory they begin: another one for each
            // member, and for the same member in a group of another size.
            return (x * weight).sum_dim_intlist([2].as_slice(), true, None) + bias.unsqueeze(1);
        }
        bias.unsqueeze(1).baddbmm(x, &weight.transpose(1, 2), 1, 1)
    }
}
