//! What goes into a store and comes out of it.

mod access;
mod allowance;
mod attempts;
mod demand;
mod events;
mod files;
mod ids;
mod runs;
mod submission;
mod sweeps;
mod workers;

pub use access::{NewToken, TokenRecord};
pub use allowance::{Allowance, Excess, Limited, Submitter};
pub use attempts::{AttemptRecord, AttemptRef, Claim, EarlierAttempt, Grant, Joins, Mishap, Renewal};
pub use demand::Demand;
pub use events::{EventRecord, Place};
pub use files::{Artifact, ArtifactPlace, ArtifactRecord, BlobFile, Checkpoint, StoredCheckpoint};
pub use ids::RunId;
pub(crate) use ids::SweepId;
pub use runs::{Changes, CurveRun, Explanation, Point, PointOfRun, RunDetails, RunRecord};
pub use submission::{ImportedRun, NewRun, NewSweep, PlannedConfiguration, Replacing, Submission};
pub use sweeps::{Bearer, Overview, StoredFile, SweepRecord, Weight};
pub use workers::{Duty, Registration, Rest, WorkerRecord};
