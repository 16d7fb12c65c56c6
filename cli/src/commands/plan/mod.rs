//! `acai plan`

mod estimate;

use std::time::Duration;

use acai_proto::convert::parameter;
use acai_sweep::configuration::Configuration;
use acai_sweep::plan::{Counts, Plan, PlannedRun};
use acai_sweep::spelling::counted;
use anyhow::anyhow;
use serde_json::{Value, json};
use tokio::time::timeout;

use self::estimate::{Estimate, estimate};
use super::{Sweep, read_sweep, warnings};
use crate::args::{Coordinator, Format, PlanArguments};
use crate::client::connect;
use crate::failure::Failure;
use crate::format::{csv, value};
use crate::grid::Grid;
use crate::output::Output;

/// A plan is shown without an estimate if that takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn plan(arguments: &PlanArguments, output: Output) -> Result<(), Failure> {
    let sweep = read_sweep(&arguments.sweep)?;
    let plan = &sweep.file.plan;
    warnings::note(&sweep, output);
    let estimates = match arguments.shown.format() {
        Format::Csv => Vec::new(),
        Format::Table | Format::Json => estimates(&arguments.at, plan, output).await,
    };
    output.data(&match arguments.shown.format() {
        Format::Table => {
            let shown = if arguments.all { usize::MAX } else { arguments.rows };
            let mut text =
                text(&sweep.file.name, plan, shown, output.wide(arguments.shown.width.wide).width());
            for line in estimate::text(&estimates, plan.counts().runs) {
                text += &format!("\n{line}");
            }
            text
        }
        Format::Csv => flat(plan)?,
        Format::Json => json(&sweep, &estimates).to_string(),
    })?;
    Ok(())
}

/// What runs of the same sizes say that whoever answers knows. A plan needs nobody who answers, so only one who was named is
/// missed.
async fn estimates(at: &Coordinator, plan: &Plan, output: Output) -> Vec<Estimate> {
    let estimating = async {
        match connect(at).await {
            Ok(mut client) => estimate(&mut client, plan).await,
            Err(_) if at.coordinator.is_none() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    };
    let estimated = timeout(PATIENCE, estimating).await.unwrap_or_else(|_| {
        let problem = format!("what was measured before is not there within {} s", PATIENCE.as_secs());
        Err(anyhow!(problem).into())
    });
    estimated.unwrap_or_else(|failure: Failure| {
        let because = failure.message().unwrap_or_default();
        output.note(&format!("no estimate of time and disk: {}", because.trim_start_matches("error: ")));
        Vec::new()
    })
}

fn text(name: &str, plan: &Plan, shown: usize, width: Option<usize>) -> String {
    let counts = plan.counts();
    let mut headings = vec!["run"];
    headings.extend(plan.swept().iter().map(String::as_str));
    headings.push("seed");
    let rows: Vec<_> = plan.runs().take(shown).map(|run| row(plan, &run)).collect();
    let hidden = counts.runs - rows.len() as u64;
    let mut text = Grid::new(&headings, rows).fit(width).to_string();
    if hidden > 0 {
        text += &format!("\n… and {hidden} more (--all shows them)");
    }
    text += &format!("\n\nnot swept: {}", fixed(plan).join(" "));
    text += &format!("\n{name}: {}", counted(counts.grid, "point"));
    for (number, what) in [
        (counts.excluded, "excluded"),
        (counts.merged, "merged with a point that trains the same"),
        (counts.included, "included"),
    ] {
        if number > 0 {
            text += &format!(", {number} {what}");
        }
    }
    text += &format!("; {}", counts.product("="));
    for reason in plan.reasons_to_merge() {
        text += &format!("\nmerged {reason}");
    }
    text
}

/// `name=value` of the parameters that are not swept; `name=value|value` where they go along with those
/// that are.
fn fixed(plan: &Plan) -> Vec<String> {
    let mut fixed: Vec<(&str, Vec<String>)> = Vec::new();
    for configuration in plan.configurations() {
        for (name, value) in
            configuration.iter().filter(|(name, _)| plan.swept().iter().all(|swept| swept != name))
        {
            let value = value.to_string();
            match fixed.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) if values.contains(&value) => {}
                Some((_, values)) => values.push(value),
                None => fixed.push((name, vec![value])),
            }
        }
    }
    fixed.into_iter().map(|(name, values)| format!("{name}={}", values.join("|"))).collect()
}

/// Index, values of the swept parameters (`-` where the model does not use one), seed.
fn row(plan: &Plan, run: &PlannedRun<'_>) -> Vec<String> {
    let mut cells = vec![format!("#{}", run.index)];
    let value = |name: &String| run.configuration.get(name).map_or("-".to_owned(), ToString::to_string);
    cells.extend(plan.swept().iter().map(value));
    cells.push(run.seed.to_string());
    cells
}

/// The columns of `acai runs` that are known before a run is submitted: the places in the plan are the numbers that a new
/// sweep gives to its runs.
fn flat(plan: &Plan) -> anyhow::Result<String> {
    let mut parameters: Vec<&str> = Vec::new();
    for (name, _) in plan.configurations().iter().flat_map(Configuration::iter) {
        if !parameters.contains(&name) {
            parameters.push(name);
        }
    }
    let mut headings = vec!["run"];
    headings.extend(&parameters);
    headings.extend(["seed", "total_steps"]);
    let row = |run: PlannedRun<'_>| {
        let cell = |name: &&str| run.configuration.get(name).map(|scalar| value(&parameter(name, scalar)));
        let mut cells = vec![run.index.to_string()];
        cells.extend(parameters.iter().map(|name| cell(name).unwrap_or_default()));
        cells.extend([run.seed, run.configuration.training_config().total_steps()].map(|n| n.to_string()));
        cells
    };
    csv(&headings, plan.runs().map(row).collect())
}

fn json(sweep: &Sweep, estimates: &[Estimate]) -> Value {
    let plan = &sweep.file.plan;
    let Counts { grid, excluded, merged, included, configurations, seeds, runs: run_count } = plan.counts();
    let runs = plan.runs().map(|run| {
        json!({
            "index": run.index,
            "seed": run.seed,
            "configuration": run.configuration.iter().collect::<std::collections::BTreeMap<_, _>>(),
            "config_hash": run.configuration.config_hash(),
        })
    });
    json!({
        "version": 1,
        "sweep": sweep.file.name,
        "swept": plan.swept(),
        "counts": {
            "points": grid,
            "excluded": excluded,
            "merged": merged,
            "included": included,
            "configurations": configurations,
            "seeds": seeds,
            "runs": run_count,
        },
        "merged": plan.reasons_to_merge(),
        "warnings": warnings::as_json(sweep),
        "estimates": estimate::json(estimates),
        "runs": runs.collect::<Vec<_>>(),
    })
}
