//! What a sweep's file says of its tables.

use serde::{Deserialize, Serialize};

use crate::file::SweepFile;
use crate::metric::Metric;
use crate::results::Shared;

/// Kept beside a stored sweep as JSON: reading it takes no time, while a file of many runs takes seconds to expand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Parameters whose values make a row of a table.
    pub group_by: Vec<String>,
    /// What the sweep is judged by, in order of preference.
    pub sort_by: Vec<Metric>,
    /// More metrics of a table; `None`: not said.
    pub others: Option<Vec<String>>,
    /// Points that share their runs. Earlier versions merged none, and did not keep this.
    #[serde(default)]
    pub shared: Vec<Shared>,
    /// Parameters that the file declares for a trainer of one's own. Earlier versions knew of none.
    #[serde(default)]
    pub own_parameters: Vec<String>,
    /// Metrics that the file declares for a trainer of one's own.
    #[serde(default)]
    pub own_metrics: Vec<String>,
}

impl From<&SweepFile> for Report {
    fn from(file: &SweepFile) -> Self {
        let configurations = file.plan.configurations();
        let shared = file.plan.merged().iter().map(|merged| Shared {
            training: configurations[merged.configuration].training_digest(),
            asked: merged.asked.clone(),
        });
        Report {
            group_by: file.group_by.clone(),
            sort_by: file.metrics.clone(),
            others: file.report_metrics.clone(),
            shared: shared.collect(),
            own_parameters: file.own_parameters.clone(),
            own_metrics: file.own_metrics.clone(),
        }
    }
}
