//! Sweeps and runs by name.

use std::str::FromStr;

/// A sweep, or one of its runs: `SWEEP` or `SWEEP/NUMBER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) sweep: String,
    /// The run's number in the sweep, as `acai runs` shows it.
    pub(crate) number: Option<u32>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sweep, number) = match text.split_once('/') {
            None => (text, None),
            Some((sweep, number)) => {
                let parsed = number.strip_prefix('#').unwrap_or(number).parse();
                let parsed =
                    parsed.map_err(|_| format!("`{number}` is no run's number: write it like demo/3"))?;
                (sweep, Some(parsed))
            }
        };
        if sweep.is_empty() {
            return Err("the sweep's name is missing: write it like demo or demo/3".to_owned());
        }
        Ok(Target { sweep: sweep.to_owned(), number })
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
    let Target { sweep, number } = text.parse()?;
    let number = number.ok_or(format!("name one run, like {sweep}/3; `acai runs {sweep}` lists them"))?;
    Ok((sweep, number))
}
