//! `acai plan`

use acai_sweep::plan::{Plan, PlannedRun};
use serde_json::{Value, json};

use super::read_sweep;
use crate::args::{Format, PlanArguments};
use crate::failure::Failure;
use crate::format::{csv, grid};
use crate::output::Output;

pub(super) fn plan(arguments: &PlanArguments, output: Output) -> Result<(), Failure> {
    let sweep = read_sweep(&arguments.file)?;
    let plan = &sweep.file.plan;
    let mut headings = vec!["run"];
    headings.extend(plan.swept());
    headings.push("seed");
    output.data(&match arguments.format {
        Format::Table => {
            let shown = if arguments.all { usize::MAX } else { arguments.rows };
            text(&sweep.file.name, plan, &headings, shown)
        }
        Format::Csv => csv(&headings, plan.runs().map(|run| row(plan, &run)).collect())?,
        Format::Json => json(&sweep.file.name, plan).to_string(),
    })?;
    Ok(())
}

fn text(name: &str, plan: &Plan, headings: &[&str], shown: usize) -> String {
    let counts = plan.counts();
    let rows: Vec<_> = plan.runs().take(shown).map(|run| row(plan, &run)).collect();
    let hidden = counts.runs - rows.len() as u64;
    let mut text = grid(headings, rows);
    if hidden > 0 {
        text += &format!("\n… and {hidden} more (--all shows them)");
    }
    text += &format!("\n\nnot swept: {}", fixed(plan).join(" "));
    text += &format!("\n{name}: {} points", counts.grid);
    for (number, what) in [
        (counts.excluded, "excluded"),
        (counts.merged, "merged with a point that trains the same"),
        (counts.included, "included"),
    ] {
        if number > 0 {
            text += &format!(", {number} {what}");
        }
    }
    text + &format!(
        "; {} configurations × {} seeds = {} runs",
        counts.configurations, counts.seeds, counts.runs
    )
}

/// `name=value` of the parameters that are not swept; `name=value|value` where they go along with those
/// that are.
fn fixed(plan: &Plan) -> Vec<String> {
    let mut fixed: Vec<(&str, Vec<String>)> = Vec::new();
    for configuration in plan.configurations() {
        for (name, value) in configuration.iter().filter(|(name, _)| !plan.swept().contains(name)) {
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
    let value = |name: &&str| run.configuration.get(name).map_or("-".to_owned(), ToString::to_string);
    cells.extend(plan.swept().iter().map(value));
    cells.push(run.seed.to_string());
    cells
}

fn json(name: &str, plan: &Plan) -> Value {
    let counts = plan.counts();
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
        "sweep": name,
        "swept": plan.swept(),
        "counts": {
            "points": counts.grid,
            "excluded": counts.excluded,
            "merged": counts.merged,
            "included": counts.included,
            "configurations": counts.configurations,
            "seeds": counts.seeds,
            "runs": counts.runs,
        },
        "runs": runs.collect::<Vec<_>>(),
    })
}
