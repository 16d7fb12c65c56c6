//! What is compared: runs for which a condition holds, each on one dataset.

use std::collections::{BTreeMap, BTreeSet};

use acai_plot::CurveGroup;
use acai_sweep::metric::Metric;
use acai_sweep::results::{Aggregate, Member, Row, Table};
use acai_sweep::statistics::mean_and_std;

use crate::asked::Asked;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::sweep::curves;
use crate::view::View;

/// Sides of a page at the most.
pub(super) const SIDES: usize = 8;

/// Sides that stand beside each other, and how they are looked at.
pub(super) struct Sides {
    pub(super) sides: Vec<Side>,
    pub(super) view: View,
    /// The metric whose curves are shown.
    pub(super) metric: Option<String>,
}

/// Runs for which a condition holds, on one dataset.
pub(super) struct Side {
    pub(super) name: String,
    table: Option<Table>,
}

impl Sides {
    pub(super) async fn of(site: &Site, sweep: &str, asked: &Asked) -> Result<Sides> {
        let conditions: Vec<&str> = asked.question.all("with").collect();
        if conditions.len() > SIDES {
            let words = format!("names {} sides: a page compares {SIDES}", conditions.len());
            return Err(Problem::question("with", words));
        }
        let view = View::of(&asked.question);
        let metric = metric(site, sweep, &view).await?;
        let mut sides = Vec::new();
        for condition in conditions {
            sides.push(Side::of(site, sweep, condition, &view).await?);
        }
        let sides = Sides { sides, view, metric };
        let datasets = sides.datasets();
        if datasets.len() > 1 {
            let words = format!(
                "leads to runs on {}: scores on different datasets do not compare",
                datasets.join(", ")
            );
            return Err(Problem::question("with", words));
        }
        Ok(sides)
    }

    fn datasets(&self) -> Vec<&str> {
        let tables = self.sides.iter().filter_map(|side| side.table.as_ref());
        let datasets: BTreeSet<&str> = tables.map(|table| table.dataset.as_str()).collect();
        datasets.into_iter().collect()
    }

    /// The metrics that any side has, in the order of the first that has them.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut metrics: Vec<Metric> = Vec::new();
        let tables = self.sides.iter().filter_map(|side| side.table.as_ref());
        for metric in tables.flat_map(|table| &table.metrics) {
            if metrics.iter().all(|known| known.name != metric.name) {
                metrics.push(metric.clone());
            }
        }
        metrics
    }

    /// The sides as the rows of a table.
    pub(super) fn table(&self) -> Table {
        let metrics = self.metrics();
        let row = |side: &Side| {
            let row = side.row()?.clone();
            let aggregates = metrics.iter().map(|metric| side.aggregate(&metric.name)).collect();
            let group = vec![("runs".to_owned(), side.name.as_str().into())];
            Some(Row { group, aggregates, best: false, members: Vec::new(), ..row })
        };
        Table {
            dataset: self.datasets().concat(),
            group_by: vec!["runs".to_owned()],
            rows: self.sides.iter().filter_map(row).collect(),
            metrics,
        }
    }

    /// The curves of each side as one group.
    pub(super) async fn curves(&self, site: &Site, sweep: &str) -> Result<Vec<CurveGroup>> {
        let mut groups = Vec::new();
        for side in self.sides.iter().filter(|_| self.metric.is_some()) {
            let filter = whole_condition(&self.view, &side.name);
            let view = View { filter, metric: self.metric.clone(), group_by: one_row(), ..self.view.clone() };
            let drawn = curves::draw(site, sweep, &view).await?;
            let of_side = drawn.first().unwrap_or_default().iter().cloned();
            groups.extend(of_side.map(|group| CurveGroup { name: side.name.clone(), ..group }));
        }
        Ok(groups)
    }
}

/// The metric that is asked for, or that the sweep is judged by.
async fn metric(site: &Site, sweep: &str, view: &View) -> Result<Option<String>> {
    if view.metric.is_some() {
        return Ok(view.metric.clone());
    }
    let all = View { filter: String::new(), ..view.clone() };
    let tables = all.tables(site, sweep, &[]).await?.tables;
    Ok(tables.iter().find_map(|table| table.metrics.first()).map(|metric| metric.name.clone()))
}

/// All runs of a dataset are one row: a table has no column of its dataset.
fn one_row() -> Vec<String> {
    vec!["dataset".to_owned()]
}

fn whole_condition(outer: &View, condition: &str) -> String {
    match outer.filter.as_str() {
        "" => condition.to_owned(),
        filter => format!("({filter}) and ({condition})"),
    }
}

impl Side {
    async fn of(site: &Site, sweep: &str, condition: &str, outer: &View) -> Result<Side> {
        let view = View { filter: whole_condition(outer, condition), metric: None, ..outer.clone() };
        let tables = view.tables(site, sweep, &one_row()).await?.tables;
        if let [first, _, ..] = tables.as_slice() {
            let datasets = tables.iter().map(|table| table.dataset.as_str()).collect::<Vec<_>>().join(", ");
            let words = format!(
                "`{condition}` holds for runs on {datasets}: scores on different datasets do not compare\nhint: add `and dataset = {}`",
                first.dataset
            );
            return Err(Problem::question("with", words));
        }
        Ok(Side { name: condition.to_owned(), table: tables.into_iter().next() })
    }

    fn row(&self) -> Option<&Row> {
        self.table.as_ref()?.rows.first()
    }

    /// The values of a metric by seed: of several runs of a seed, their mean.
    pub(super) fn by_seed(&self, metric: &str) -> BTreeMap<u64, f64> {
        let Some(place) = self.place(metric) else { return BTreeMap::new() };
        let mut values: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for member in self.members() {
            let value = member.values.get(place).copied().flatten();
            values.entry(member.seed).or_default().extend(value);
        }
        values.into_iter().filter_map(|(seed, values)| Some((seed, mean_and_std(&values)?.0))).collect()
    }

    pub(super) fn has_several_runs_of_a_seed(&self) -> bool {
        let seeds: BTreeSet<u64> = self.members().iter().map(|member| member.seed).collect();
        seeds.len() < self.members().len()
    }

    /// The place of a metric among the values of the runs.
    fn place(&self, metric: &str) -> Option<usize> {
        self.table.as_ref()?.metrics.iter().position(|known| known.name == metric)
    }

    pub(super) fn aggregate(&self, metric: &str) -> Option<Aggregate> {
        self.row()?.aggregates.get(self.place(metric)?).copied().flatten()
    }

    pub(super) fn members(&self) -> &[Member] {
        self.row().map_or(&[], |row| &row.members)
    }
}
