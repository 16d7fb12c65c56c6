//! What an exported folder says of itself.

use acai_proto::v1::Run;
use acai_sweep::spelling::counted;

use crate::format::state;

pub(super) fn text(sweep: &str, runs: &[Run], points: u64, no_files: bool) -> String {
    let completed = runs.iter().filter(|run| state(run.state) == "completed").count();
    let version = env!("CARGO_PKG_VERSION");
    let files = match no_files {
        true => "",
        false => {
            "| `pictures/RUN/` | what trainers drew, by run and step |
| `logs/RUN/` | what trainers printed, by attempt |
| `weights/RUN.safetensors` | the model of each run that has a checkpoint, without the optimizer's state; \
docs/export.md of acai says how PyTorch reads it |
| `artifacts.jsonl` | these files, one a line: run, name, step, attempt, SHA-256 and size |
"
        }
    };
    format!(
        "# The sweep {sweep}

{} of which {completed} completed, and {points} points of their metrics, as acai {version} had them.
`acai import` of this folder gives another coordinator the same tables, curves and files.

| file | what |
|---|---|
| `sweep.yaml` | the sweep file: what was asked for |
| `runs.jsonl` | the runs, one a line, with their parameters: `pandas.read_json(FILE, lines=True)` |
| `points.parquet` | every point of every metric, one a row: sweep, run, seed, state, metric, step, value |
| `results.txt`, `.csv`, `.md`, `.tex` | the tables of results |
{files}
A run is `run` in both files. Means in tables are over the seeds of completed runs.
",
        counted(runs.len() as u64, "run"),
    )
}
