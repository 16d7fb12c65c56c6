//! What an attempt's trainer has printed, kept with the run.

use std::time::Duration;

use super::ending::Ending;
use super::member::Member;
use crate::machine::disk::on_disk;

/// A run that fails may be trained again at once, and then the coordinator takes no file of the attempt before any more.
/// So the attempt's log has this much time to arrive first.
const FIRST: Duration = Duration::from_secs(5);

/// Has the log uploaded. A log that is lost is no reason to lose the run.
pub(super) async fn keep_log(member: &Member, printed: String, ending: &Ending) {
    if printed.is_empty() {
        return;
    }
    let step = if let Ending::Completed { step } = ending { *step } else { member.reporter.step() };
    let (folder, attempt) = (member.folder.clone(), member.attempt);
    match on_disk(move || folder.keep_log(&printed, attempt, step)).await {
        Ok(log) => member.artifacts.upload(log),
        Err(error) => tracing::warn!("cannot keep what the trainer has printed: {error}"),
    }
    if matches!(ending, Ending::Failed { .. }) {
        member.artifacts.settled(FIRST).await;
    }
}
