//! A network's parameters, and Adam's moments of them, as flat tensors with a row for each member.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use tch::Tensor;

use super::{Members, Pick};

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

    /// This parameter's part of `flat` `[K, p]` at `offset`, as it lies there.
    ///
    /// A convolution's weight lies as `[K, out, h, w, in]`: channels-last, without an API for it.
    fn stored(&self, flat: &Tensor, offset: i64) -> Tensor {
        let part = flat.narrow(1, offset, self.numel());
        let mut sizes = vec![part.size()[0]];
        match self.shape[..] {
            [out, input, height, width] => sizes.extend([out, height, width, input]),
            _ => sizes.extend(&self.shape),
        }
        part.view(&sizes[..])
    }

    /// Values in the parameter's shape as they lie in a flat tensor.
    fn flatten(&self, values: &Tensor) -> Tensor {
        match self.shape.len() {
            4 => values.permute([0, 2, 3, 1]).reshape(-1),
            _ => values.reshape(-1),
        }
    }
}

/// The parameters of one network of K members in one tensor `[K, p]`, with Adam's two moments in the same
/// order.
///
/// Layers work on *leaves*: views of `weights` that autograd knows as variables. An in-place change of
/// `weights` changes them all, so an optimizer step is a few operations however many layers and members
/// there are.
#[derive(Debug)]
pub struct Parameters {
    table: Vec<Parameter>,
    leaves: Vec<Tensor>,
    /// All values, `[K, p]`.
    pub weights: Tensor,
    /// Adam's first moment (running mean of gradients), `[K, p]`.
    pub first_moment: Tensor,
    /// Adam's second moment (running mean of squared gradients), `[K, p]`.
    pub second_moment: Tensor,
    /// Adam's step size for each member, `[K]`, f64 on the CPU.
    pub lr: Tensor,
}

impl Parameters {
    /// Draws each member's initial values one parameter after the other, each row-major in its shape, in f64;
    /// `random` is the stream of a member's seed.
    pub fn new(table: Vec<Parameter>, random: impl Fn(u64) -> ChaCha8Rng, members: &Members) -> Parameters {
        let row = |seed: &u64| {
            let mut random = random(*seed);
            let values = table.iter().map(|parameter| {
                let values = Tensor::from_slice(&parameter.draw(&mut random));
                parameter.flatten(&values.view(&parameter.shape[..]))
            });
            Tensor::cat(&values.collect::<Vec<_>>(), 0)
        };
        let rows: Vec<Tensor> = members.seeds.iter().map(row).collect();
        let (kind, device) = members.options;
        let weights = Tensor::stack(&rows, 0).to_kind(kind).to_device(device);
        let moment = || Tensor::zeros_like(&weights);
        let (first_moment, second_moment) = (moment(), moment());
        Parameters::of(table, [weights, first_moment, second_moment, Tensor::from_slice(&members.lr)])
    }

    fn of(table: Vec<Parameter>, tensors: [Tensor; 4]) -> Parameters {
        let [weights, first_moment, second_moment, lr] = tensors;
        let leaves = stored(&table, &weights).map(|view| view.detach().set_requires_grad(true)).collect();
        Parameters { table, leaves, weights, first_moment, second_moment, lr }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Parameters {
        let tensors = [&self.weights, &self.first_moment, &self.second_moment, &self.lr];
        Parameters::of(self.table.clone(), tensors.map(pick))
    }

    /// How many members: K.
    #[must_use]
    pub fn members(&self) -> i64 {
        self.weights.size()[0]
    }

    /// The variables that gradients are taken of, in the table's order: `[K, …]`, a convolution's weight as
    /// `[K, out, h, w, in]`.
    pub fn leaves(&self) -> &[Tensor] {
        &self.leaves
    }

    /// Gradients of the leaves as one tensor `[K, p]`, in the order of `weights`.
    pub fn flatten(&self, gradients: &[Tensor]) -> Tensor {
        let members = self.members();
        let parts: Vec<Tensor> = gradients.iter().map(|gradient| gradient.reshape([members, -1])).collect();
        Tensor::cat(&parts, 1)
    }

    /// Whether all weights and moments are finite. Waits for the device.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        [&self.weights, &self.first_moment, &self.second_moment]
            .iter()
            .all(|flat| flat.isfinite().all().int64_value(&[]) == 1)
    }

    /// Each parameter's name with a member's view of `flat` in the parameter's shape; `flat` is one of the
    /// three tensors or a gradient `[K, p]`.
    pub fn named<'a>(&'a self, flat: &'a Tensor, member: i64) -> impl Iterator<Item = (&'a str, Tensor)> {
        self.table.iter().zip(stored(&self.table, flat)).map(move |(parameter, view)| {
            let view = view.select(0, member);
            let shaped = if view.dim() == 4 { view.permute([0, 3, 1, 2]) } else { view };
            (parameter.name.as_str(), shaped)
        })
    }
}

/// Views of `flat` `[K, p]`, one for each parameter of the table.
fn stored<'a>(table: &'a [Parameter], flat: &'a Tensor) -> impl Iterator<Item = Tensor> {
    table.iter().scan(0, move |offset, parameter| {
        let view = parameter.stored(flat, *offset);
        *offset += parameter.numel();
        Some(view)
    })
}
