//! Losses by name.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

/// A step's losses, named, `[K]` each, on the device until somebody reads them.
#[derive(Debug)]
pub struct Losses(Vec<(&'static str, Tensor)>);

impl Losses {
    pub(super) fn new<const N: usize>(losses: [(&'static str, &Tensor); N]) -> Losses {
        Losses(losses.map(|(name, loss)| (name, loss.detach())).into())
    }

    /// These, and others.
    pub(super) fn and<const N: usize>(mut self, losses: [(&'static str, &Tensor); N]) -> Losses {
        self.0.extend(Losses::new(losses).0);
        self
    }

    /// Waits for the device and reads them all at once: those of each member.
    pub fn read(&self) -> Vec<BTreeMap<&'static str, f64>> {
        let losses: Vec<&Tensor> = self.0.iter().map(|(_, loss)| loss).collect();
        let values = Tensor::stack(&losses, 1).to_kind(Kind::Double).to_device(Device::Cpu); // [K, losses]
        let rows = Vec::<Vec<f64>>::try_from(values).expect("a matrix of f64");
        let named = |row: Vec<f64>| self.0.iter().map(|(name, _)| *name).zip(row).collect();
        rows.into_iter().map(named).collect()
    }
}
