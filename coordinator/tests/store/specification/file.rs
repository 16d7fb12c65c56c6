//! Files of sweeps, who submits them, runs that come from elsewhere, and the names of blobs.

use acai_coordinator::store::{Allowance, Artifact, ImportedRun, NewRun, NewSweep, Submitter};
use acai_sweep::configuration::Configuration;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;

/// The file of a sweep: which λ it has, on what data, with which limits, and by the bearer of which token, if of one.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) sweep: u8,
    pub(super) lambdas: u8,
    pub(super) kimg: u8,
    pub(super) limit: Option<u32>,
    pub(super) priority: i64,
    pub(super) by: Option<u8>,
}

impl File {
    /// Of the λ that `lambdas` has the bits of, some on lines and one on digits, each with a seed of its own, of 16 steps or 32.
    pub(super) fn runs(&self, lambdas: u8) -> Vec<NewRun> {
        let run = |bit: u8| NewRun::new(&configuration(bit, self.kimg), bit.into());
        (0..3).filter(|bit| lambdas >> bit & 1 == 1).map(run).collect()
    }

    pub(super) fn sweep(&self) -> NewSweep {
        NewSweep {
            source: format!("file {}", self.lambdas),
            tags: vec!["a tag".to_owned()],
            priority: self.priority,
            max_concurrent: self.limit.filter(|most| *most > 0),
            max_restarts: 1,
            max_lost_workers: 2,
            max_failed_runs: Some(2),
            submitter: self.by.map(submitter),
            ..NewSweep::new(&format!("s{}", self.sweep), self.runs(self.lambdas))
        }
    }
}

/// With the λ of this bit, on digits for one of them and on lines otherwise, of 16 steps or 32.
pub(super) fn configuration(bit: u8, kimg: u8) -> Configuration {
    let configuration = Configuration::new([
        ("model", "acai".into()),
        ("dataset", if bit == 2 { "digits32" } else { "lines32" }.into()),
        ("batch", Scalar::Int(64)),
        ("eval_kimg", Scalar::Float(0.625)),
        ("total_kimg", Scalar::Float(f64::from(kimg + 1))),
        ("lambda", Scalar::Float(f64::from(bit) / 8.0)),
    ]);
    configuration.unwrap()
}

/// Who has the token of this number: few sweeps, runs and bytes.
pub(super) fn submitter(token: u8) -> Submitter {
    let allowance = Allowance { sweeps: Some(1), runs: Some(4), bytes: Some(24) };
    Submitter { token: format!("t{token}"), name: format!("bearer {token}"), allowance }
}

/// The digest of a blob.
pub(super) fn sha256(blob: u8) -> String {
    blob.to_string().repeat(64)
}

/// A run as it comes from elsewhere: with points, and with a picture if it has a blob.
pub(super) fn imported(run: &NewRun, blob: Option<u8>) -> ImportedRun {
    let picture = |blob| (Artifact { name: "a0.png".to_owned(), step: 8, sha256: sha256(blob), bytes: 8 }, 1);
    ImportedRun {
        config_hash: run.configuration.config_hash.clone(),
        seed: run.seed,
        state: if run.seed == 1 { RunState::Failed } else { RunState::Completed },
        step: run.total_steps,
        failures: 1,
        message: Some("it was elsewhere".to_owned()),
        curves: vec![("eval/mean_distance".to_owned(), vec![(8, 0.5), (16, 0.25)])],
        artifacts: blob.into_iter().map(picture).collect(),
    }
}
