//! Sweeps and runs by name.

use std::str::FromStr;

/// A sweep, or one of its runs: `SWEEP` or `SWEEP/INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) sweep: String,
    /// The run's place in the plan, as `acai runs` shows it.
    pub(crate) index: Option<u32>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sweep, index) = match text.split_once('/') {
            None => (text, None),
            Some((sweep, index)) => {
                let number = index.strip_prefix('#').unwrap_or(index).parse();
                let number =
                    number.map_err(|_| format!("`{index}` is no run's index: write it like demo/3"))?;
                (sweep, Some(number))
            }
        };
        if sweep.is_empty() {
            return Err("the sweep's name is missing: write it like demo or demo/3".to_owned());
        }
        Ok(Target { sweep: sweep.to_owned(), index })
    }
}

/// A sweep, where a run would make no sense.
pub(super) fn one_sweep(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some((sweep, _)) => {
            Err(format!("name a sweep, like {sweep}; `acai explain {text}` is about one run"))
        }
    }
}

/// A [`Target`] that is one run.
pub(super) fn one_run(text: &str) -> Result<(String, u32), String> {
    let Target { sweep, index } = text.parse()?;
    let index = index.ok_or(format!("name one run, like {sweep}/3; `acai runs {sweep}` lists them"))?;
    Ok((sweep, index))
}
