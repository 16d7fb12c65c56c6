//! A network's parameters, and Adam's moments of them, as flat tensors.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use tch::{Device, Kind, Tensor};

/// One named parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `network.layer.weight` or `….bias`.
    pub name: String,
    /// Sizes: `[out, in, h, w]` of a convolution, `[out, in]` of a dense layer, `[out]` of a bias.
    pub shape: Vec<i64>,
    /// How it starts.
    pub initial: Initial,
}

/// Distribution of a parameter's initial values.
#[derive(Debug, Clone, Copy)]
pub enum Initial {
    /// All zero.
    Zero,
    /// Normal with mean 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform between -limit and limit.
    Uniform {
        /// Largest absolute value.
        limit: f64,
    },
}

impl Parameter {
    fn numel(&self) -> i64 {
        self.shape.iter().product()
    }

    /// Initial values, row-major in `shape`.
    fn draw(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        let count = self.numel() as usize;
        match self.initial {
            Initial::Zero => vec![0.0; count],
            Initial::Normal { std } => {
                StandardNormal.sample_iter(random).take(count).map(|unit: f64| std * unit).collect()
            }
            Initial::Uniform { limit } => Uniform::new_inclusive(-1.0, 1.0)
                .expect("-1 is below 1")
                .sample_iter(random)
                .take(count)
                .map(|unit| limit * unit)
                .collect(),
        }
    }

    /// This parameter's part of `flat` at `offset`, in the parameter's shape.
    ///
    /// A convolution's weight lies there as `[out, h, w, in]`: channels-last, without an API for it.
    fn view(&self, flat: &Tensor, offset: i64) -> Tensor {
        let part = flat.narrow(0, offset, self.numel());
        match self.shape[..] {
            [out, input, height, width] => part.view([out, height, width, input]).permute([0, 3, 1, 2]),
            _ => part.view(&self.shape[..]),
        }
    }

    /// The inverse of [`Parameter::view`]: values in the parameter's shape as they lie in a flat tensor.
    fn flatten(&self, values: &Tensor) -> Tensor {
        match self.shape.len() {
            4 => values.permute([0, 2, 3, 1]).reshape(-1),
            _ => values.reshape(-1),
        }
    }
}

/// The parameters of one network in one tensor `[p]`, with Adam's two moments in the same order.
///
/// Layers work on *leaves*: views of `weights` that autograd knows as variables. An in-place change of
/// `weights` changes them all, so an optimizer step is a few operations however many layers there are.
#[derive(Debug)]
pub struct Parameters {
    table: Vec<Parameter>,
    leaves: Vec<Tensor>,
    /// All values, `[p]`.
    pub weights: Tensor,
    /// Adam's first moment (running mean of gradients), `[p]`.
    pub first_moment: Tensor,
    /// Adam's second moment (running mean of squared gradients), `[p]`.
    pub second_moment: Tensor,
}

impl Parameters {
    /// Draws initial values one parameter after the other, each row-major in its shape, in f64.
    pub fn new(table: Vec<Parameter>, random: &mut ChaCha8Rng, options: (Kind, Device)) -> Parameters {
        let (kind, device) = options;
        let initial: Vec<Tensor> = table
            .iter()
            .map(|parameter| {
                let values = Tensor::from_slice(&parameter.draw(random)).view(&parameter.shape[..]);
                parameter.flatten(&values)
            })
            .collect();
        let weights = Tensor::cat(&initial, 0).to_kind(kind).to_device(device);
        let leaves = views(&table, &weights).map(|(_, view)| view.detach().set_requires_grad(true)).collect();
        let moment = || Tensor::zeros_like(&weights);
        Parameters { first_moment: moment(), second_moment: moment(), table, leaves, weights }
    }

    /// The variables that gradients are taken of, in the table's order.
    pub fn leaves(&self) -> &[Tensor] {
        &self.leaves
    }

    /// Gradients of the leaves as one tensor `[p]`, in the order of `weights`.
    pub fn flatten(&self, gradients: &[Tensor]) -> Tensor {
        let parts: Vec<Tensor> = self
            .table
            .iter()
            .zip(gradients)
            .map(|(parameter, gradient)| parameter.flatten(gradient))
            .collect();
        Tensor::cat(&parts, 0)
    }

    /// Whether all weights and moments are finite. Waits for the device.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        [&self.weights, &self.first_moment, &self.second_moment]
            .iter()
            .all(|flat| flat.isfinite().all().int64_value(&[]) == 1)
    }

    /// Each parameter's name with its view of `flat`, one of the three tensors or a gradient `[p]`.
    pub fn named<'a>(&'a self, flat: &'a Tensor) -> impl Iterator<Item = (&'a str, Tensor)> {
        views(&self.table, flat)
    }
}

fn views<'a>(table: &'a [Parameter], flat: &'a Tensor) -> impl Iterator<Item = (&'a str, Tensor)> {
    table.iter().scan(0, move |offset, parameter| {
        let view = parameter.view(flat, *offset);
        *offset += parameter.numel();
        Some((parameter.name.as_str(), view))
    })
}
