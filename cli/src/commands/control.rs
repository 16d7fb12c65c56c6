//! `acai cancel`, `pause`, `resume`, `retry`, `set`

use std::collections::BTreeMap;

use acai_proto::v1::{ControlResponse, PauseRequest, RetryRequest, RunState, Selection, SetLimitsRequest};
use acai_sweep::spelling::counted;
use serde_json::json;

use crate::args::{PauseArguments, RetryArguments, SelectionArguments, SetArguments, Target};
use crate::client::{Control, connect_control};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn cancel(arguments: SelectionArguments, output: Output) -> Result<(), Failure> {
    let call = async |client: &mut Control, runs| client.cancel_runs(runs).await;
    each_sweep(arguments, output, &Words { done: "cancelled", whole: None }, call).await
}

pub(super) async fn pause(arguments: PauseArguments, output: Output) -> Result<(), Failure> {
    let now = arguments.now;
    let call =
        async |client: &mut Control, runs| client.pause_runs(PauseRequest { runs: Some(runs), now }).await;
    each_sweep(
        arguments.selection,
        output,
        &Words { done: "paused", whole: Some("it starts no more runs") },
        call,
    )
    .await
}

pub(super) async fn resume(arguments: SelectionArguments, output: Output) -> Result<(), Failure> {
    let call = async |client: &mut Control, runs| client.resume_runs(runs).await;
    each_sweep(arguments, output, &Words { done: "resumed", whole: Some("it goes on") }, call).await
}

pub(super) async fn retry(arguments: RetryArguments, output: Output) -> Result<(), Failure> {
    let states: Vec<i32> = arguments.state.iter().map(|&state| RunState::from(state).into()).collect();
    let from_scratch = arguments.from_scratch;
    let call = async |client: &mut Control, runs| {
        let request = RetryRequest { runs: Some(runs), states: states.clone(), from_scratch };
        client.retry_runs(request).await
    };
    each_sweep(arguments.selection, output, &Words { done: "queued again", whole: None }, call).await
}

pub(super) async fn set(arguments: SetArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect_control(&arguments.ask.at).await?;
    let SetArguments { sweep, priority, max_concurrent, .. } = arguments;
    client.set_limits(SetLimitsRequest { sweep: sweep.clone(), priority, max_concurrent }).await?;
    if arguments.ask.json {
        // What was not set is left out.
        let mut set = json!({"version": 1, "sweep": sweep});
        let limits = [("priority", priority), ("max_concurrent", max_concurrent.map(i64::from))];
        for (name, value) in limits.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            set[name] = value.into();
        }
        output.data(&set.to_string())?;
    } else {
        output.note(&format!("{sweep} is changed"));
    }
    Ok(())
}

/// What a command has done.
struct Words {
    /// To single runs.
    done: &'static str,
    /// To a whole sweep, beyond that.
    whole: Option<&'static str>,
}

/// One call for each sweep that is named.
async fn each_sweep(
    arguments: SelectionArguments,
    output: Output,
    words: &Words,
    call: impl AsyncFn(&mut Control, Selection) -> Result<tonic::Response<ControlResponse>, tonic::Status>,
) -> Result<(), Failure> {
    let mut client = connect_control(&arguments.ask.at).await?;
    for runs in selections(arguments.targets) {
        let (sweep, is_whole) = (runs.sweep.clone(), runs.numbers.is_empty());
        let response = call(&mut client, runs).await?.into_inner();
        output.data(&match arguments.ask.json {
            true => json!({
                "version": 1, "sweep": sweep, "changed": response.changed, "asked": response.asked,
                "unchanged": response.unchanged,
            })
            .to_string(),
            false => sentence(&sweep, words, is_whole, &response),
        })?;
    }
    Ok(())
}

/// The runs that are named, sweep by sweep. A whole sweep takes its single runs in.
pub(super) fn selections(targets: Vec<Target>) -> Vec<Selection> {
    let mut sweeps: BTreeMap<String, Option<Vec<u32>>> = BTreeMap::new();
    for target in targets {
        let numbers = sweeps.entry(target.sweep).or_insert_with(|| Some(Vec::new()));
        match (target.numbers, numbers.as_mut()) {
            (Some(more), Some(numbers)) => numbers.extend(more),
            _ => *numbers = None,
        }
    }
    let selection = |(sweep, numbers): (String, Option<Vec<u32>>)| Selection {
        sweep,
        numbers: numbers.unwrap_or_default(),
    };
    sweeps.into_iter().map(selection).collect()
}

fn sentence(sweep: &str, words: &Words, is_whole: bool, response: &ControlResponse) -> String {
    let mut parts = Vec::new();
    let whole = words.whole.filter(|_| is_whole);
    parts.extend(whole.map(str::to_owned));
    if response.changed > 0 || whole.is_none() {
        parts.push(format!("{} {}", counted(response.changed, "run"), words.done));
    }
    if response.asked > 0 {
        let when = if response.asked == 1 { "its worker has" } else { "their workers have" };
        parts.push(format!(
            "{} will be {} when {when} checkpointed",
            counted(response.asked, "run"),
            words.done
        ));
    }
    if response.unchanged > 0 && whole.is_none() {
        let as_before = if response.unchanged == 1 { "it is" } else { "they are" };
        parts.push(format!("{} left as {as_before}", response.unchanged));
    }
    format!("{sweep}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_gathered_by_sweep_and_a_whole_sweep_takes_its_runs_in() {
        let targets = ["b/3", "a/1", "b/#5", "a"].map(|text| text.parse().unwrap()).to_vec();
        let selection =
            |sweep: &str, numbers: &[u32]| Selection { sweep: sweep.to_owned(), numbers: numbers.to_vec() };
        assert_eq!(selections(targets), [selection("a", &[]), selection("b", &[3, 5])]);
        assert!("a/x".parse::<Target>().is_err() && "/1".parse::<Target>().is_err());
    }

    #[test]
    fn what_was_done_is_said_in_whole_words_of_one_run_and_of_several() {
        let response = |changed, asked, unchanged| ControlResponse { changed, asked, unchanged };
        let paused = Words { done: "paused", whole: Some("it starts no more runs") };
        assert_eq!(
            sentence("s5", &paused, true, &response(0, 1, 0)),
            "s5: it starts no more runs, 1 run will be paused when its worker has checkpointed"
        );
        assert_eq!(
            sentence("s5", &paused, false, &response(1, 2, 1)),
            "s5: 1 run paused, 2 runs will be paused when their workers have checkpointed, 1 left as it is"
        );
        let cancelled = Words { done: "cancelled", whole: None };
        assert_eq!(
            sentence("s5", &cancelled, true, &response(3, 0, 2)),
            "s5: 3 runs cancelled, 2 left as they are"
        );
    }
}
