//! Hyper-parameters that can be trained with.

use acai_sweep::training::{Model, TrainingConfig};

/// A hyper-parameter out of its range.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{name} is `{value}`; it must be {range}")]
pub struct LimitError {
    name: &'static str,
    value: f64,
    range: &'static str,
}

/// Checks all that is no matter of network sizes, which [`crate::network::Architecture`] checks.
///
/// # Errors
/// Names the first hyper-parameter that is out of its range, and the range.
pub fn check(config: &TrainingConfig, checkpoint_kimg: f64) -> Result<(), LimitError> {
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let require = |name, value, allowed, range| {
        if allowed { Ok(()) } else { Err(LimitError { name, value, range }) }
    };
    let batch = config.batch.into();
    require("batch", batch, (1..=4096).contains(&config.batch), "between 1 and 4096")?;
    require("lr", config.lr, positive(config.lr), "above 0")?;
    for (name, kimg) in [
        ("total_kimg", config.total_kimg),
        ("eval_kimg", config.eval_kimg),
        ("checkpoint_kimg", checkpoint_kimg),
    ] {
        require(name, kimg, positive(kimg), "above 0")?;
    }
    if let Model::Acai { lambda, gamma, .. } = config.model {
        require("lambda", lambda, lambda.is_finite() && lambda >= 0.0, "0 or above")?;
        require("gamma", gamma, (0.0..=1.0).contains(&gamma), "between 0 and 1")?;
    }
    Ok(())
}
