//! The members of a group: how K models of one shape lie in one tensor.
//!
//! Images and codes of a group are `[n, K·c, h, w]`, each member's channels together, so that one grouped
//! convolution serves all (Wang et al., "Horizontally Fused Training Array", MLSys 2021). Dense layers and
//! scalars have the member first: `[K, n, d]`, `[K]`. A model alone is the group of K = 1.

use tch::{Device, Kind, Tensor};

/// Members before their first step: what their initial weights and the training of these depend on.
#[derive(Debug, Clone)]
pub struct Members {
    /// Key of each member's random numbers.
    pub seeds: Vec<u64>,
    /// Adam's step size of each member.
    pub lr: Vec<f64>,
    /// Kind and device of weights and moments.
    pub options: (Kind, Device),
}

impl Members {
    /// A scalar of each member as a tensor `[K]` beside the weights.
    pub fn scalars(&self, values: &[f64]) -> Tensor {
        let (kind, device) = self.options;
        Tensor::from_slice(values).to_kind(kind).to_device(device)
    }
}

/// What picks members out of a tensor `[K, …]`.
///
/// `narrow` gives a view of some of them, `index_select` a group of its own.
pub type Pick<'a> = &'a dyn Fn(&Tensor) -> Tensor;

/// `[n, K·c, h, w]` seen as `[n, K, c, h, w]`.
pub fn by_member(x: &Tensor, members: i64) -> Tensor {
    let (n, channels, h, w) = x.size4().expect("images and codes have four dimensions");
    x.view([n, members, channels / members, h, w])
}

/// `[n, K·c, h, w]` as `[K, n, c·h·w]`: each member's code as a dense layer takes it, C, H, W flattened.
///
/// The values of a member lie together. Of images with one channel this could be a view in which those of all members alternate,
/// and libtorch sums four such rows at a time, the rest in another order: last digits would depend on K.
pub fn flatten(x: &Tensor, members: i64) -> Tensor {
    by_member(x, members).transpose(0, 1).flatten(2, 4).contiguous()
}

/// `[K, n, c·h·w]` as `[n, K·c, h, w]` in channels-last memory: the inverse of [`flatten`].
pub fn unflatten(x: &Tensor, [height, width]: [i64; 2]) -> Tensor {
    let (members, n, values) = x.size3().expect("members, examples, values");
    let channels = values / (height * width);
    let x = x.view([members, n, channels, height, width]).permute([1, 3, 4, 0, 2]);
    x.reshape([n, height, width, members * channels]).permute([0, 3, 1, 2])
}

/// Each member's values of `[n, K·c, h, w]` or guesses `[n, K]` in one row: `[K, …]`.
///
/// Sums are taken of such rows, and never over members: 0 × NaN would carry one's NaN into the gradients of all, and
/// the order of additions would depend on K.
pub fn rows(x: &Tensor, members: i64) -> Tensor {
    match x.dim() {
        2 => x.tr().contiguous(),
        _ => flatten(x, members).flatten(1, 2),
    }
}

/// Mean of each member's values of `[n, K·c, h, w]` or guesses `[n, K]`: `[K]`.
pub fn mean(x: &Tensor, members: i64) -> Tensor {
    rows(x, members).mean_dim([1].as_slice(), false, None)
}
