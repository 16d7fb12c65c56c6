//! Losses by name.

use std::collections::BTreeMap;

use tch::Tensor;

/// A step's losses, named, as scalars on the device until somebody reads them.
#[derive(Debug)]
pub struct Losses(Vec<(&'static str, Tensor)>);

impl Losses {
    pub(super) fn new<const N: usize>(losses: [(&'static str, &Tensor); N]) -> Losses {
        Losses(losses.map(|(name, loss)| (name, loss.detach())).into())
    }

    /// Waits for the device and reads them all at once.
    pub fn read(&self) -> BTreeMap<&'static str, f64> {
        let scalars: Vec<&Tensor> = self.0.iter().map(|(_, loss)| loss).collect();
        let values = Tensor::stack(&scalars, 0).to_device(tch::Device::Cpu);
        let value = |(i, (name, _)): (usize, &(&'static str, _))| (*name, values.double_value(&[i as i64]));
        self.0.iter().enumerate().map(value).collect()
    }
}
