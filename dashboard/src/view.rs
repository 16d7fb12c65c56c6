//! What a view of a sweep's results shows: the same question as `acai results` and `acai plot` ask, as a URL has it.

use acai_coordinator::use_cases::{At, ResultTables, TableRequest};
use acai_sweep::metric::{Metric, whole_name};
use acai_sweep::results::Statistic;
use acai_sweep::statistics::Spread;

use crate::asked::Question;
use crate::command::Command;
use crate::order::Order;
use crate::problem::{Problem, Result};
use crate::site::Site;

/// Names of the parts of a view in a URL: those of the command line's options.
pub(crate) const PARTS: [&str; 10] =
    ["x", "y", "metric", "dataset", "where", "fix", "at", "spread", "group-by", "sort"];
/// Words for which values of a run count.
pub(crate) const AT: [&str; 6] = ["last", "final", "best", "min", "max", "mean"];
/// Words for what stands after ±.
pub(crate) const SPREADS: [&str; 4] = ["population", "sample", "sem", "ci95"];

#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) x: Option<String>,
    pub(crate) y: Option<String>,
    pub(crate) metric: Option<String>,
    pub(crate) dataset: Option<String>,
    /// Which runs count, in words; all if it is empty.
    pub(crate) filter: String,
    pub(crate) group_by: Vec<String>,
    /// Which values count, as a word.
    pub(crate) at: String,
    /// What stands after ±, as a word.
    pub(crate) spread: String,
    /// Of rows; without one the best comes first.
    pub(crate) order: Option<Order>,
}

impl View {
    pub(crate) fn of(question: &Question) -> View {
        let word = |name: &str| question.get(name).map(str::to_owned);
        // What a form fixes is a condition like any other.
        let fixed = question.all("fix").map(str::to_owned);
        let conditions: Vec<String> = match word("where") {
            Some(condition) if question.get("fix").is_some() => vec![format!("({condition})")],
            condition => condition.into_iter().collect(),
        };
        let group_by = word("group-by").unwrap_or_default();
        let names = group_by.split(',').map(str::trim).filter(|name| !name.is_empty());
        View {
            x: word("x"),
            y: word("y"),
            metric: question.get("metric").map(whole_name),
            dataset: word("dataset"),
            filter: conditions.into_iter().chain(fixed).collect::<Vec<_>>().join(" and "),
            group_by: names.map(str::to_owned).collect(),
            at: word("at").unwrap_or_else(|| "last".to_owned()),
            spread: word("spread").unwrap_or_else(|| "population".to_owned()),
            order: Order::of(question),
        }
    }

    /// Which values count.
    pub(crate) fn at(&self) -> Result<At> {
        let number = |name: &str| self.at.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        Ok(match self.at.as_str() {
            "last" => At::Every(Statistic::Last),
            "final" => At::End,
            "best" => At::Best,
            "min" => At::Every(Statistic::Min),
            "max" => At::Every(Statistic::Max),
            "mean" => At::Every(Statistic::Mean),
            _ => {
                let step = number("step").and_then(|step| step.parse().ok()).map(At::Step);
                let kimg = number("kimg").and_then(|kimg| kimg.parse().ok()).map(At::Kimg);
                let wrong = || {
                    Problem::question(
                        "at",
                        format!(
                            "is `{}`: it is one of last, final, best, step=N, kimg=N, min, max, mean",
                            self.at
                        ),
                    )
                };
                step.or(kimg).ok_or_else(wrong)?
            }
        })
    }

    pub(crate) fn spread(&self) -> Result<Spread> {
        Ok(match self.spread.as_str() {
            "population" => Spread::Population,
            "sample" => Spread::Sample,
            "sem" => Spread::StandardError,
            "ci95" => Spread::Confidence95,
            other => {
                let words = format!("is `{other}`: it is one of {}", SPREADS.join(", "));
                return Err(Problem::question("spread", words));
            }
        })
    }

    /// The tables of a sweep with these parameters as rows; of the view's own metric if it has one.
    pub(crate) async fn tables(&self, site: &Site, sweep: &str, group_by: &[String]) -> Result<ResultTables> {
        let metrics = self.metric.iter().map(|name| Metric { name: name.clone(), goal: None }).collect();
        self.tables_of(site, sweep, group_by, metrics).await
    }

    /// The tables of a sweep with these parameters as rows, of these metrics, or if there are none of the file's.
    pub(crate) async fn tables_of(
        &self,
        site: &Site,
        sweep: &str,
        group_by: &[String],
        metrics: Vec<Metric>,
    ) -> Result<ResultTables> {
        let request = TableRequest {
            group_by: group_by.to_vec(),
            metrics,
            at: self.at()?,
            filter: self.filter.clone(),
        };
        let mut results = site.use_cases.results(&[sweep.to_owned()], request).await?;
        if let Some(wanted) = &self.dataset {
            results.tables.retain(|table| table.dataset == *wanted);
        }
        Ok(results)
    }

    /// The tables that the view shows as tables: its own rows, in its own order.
    pub(crate) async fn rows(&self, site: &Site, sweep: &str) -> Result<ResultTables> {
        let mut results = self.tables(site, sweep, &self.group_by).await?;
        if let Some(order) = &self.order {
            order.sort(&mut results.tables)?;
        }
        Ok(results)
    }

    /// The command that prints those.
    pub(crate) fn rows_command(&self, sweep: &str) -> Command {
        let group_by = self.group_by.join(",");
        self.command(&["results", sweep])
            .option("group-by", Some(group_by.as_str()).filter(|names| !names.is_empty()))
            .option("metric", self.metric.as_deref())
            .option("sort", self.order.as_ref().map(Order::word).as_deref())
    }

    /// A command of which this is the view.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let filter = Some(self.filter.as_str()).filter(|filter| !filter.is_empty());
        Command::acai(words)
            .option("where", filter)
            .option("at", Some(self.at.as_str()).filter(|at| *at != "last"))
            .option("spread", Some(self.spread.as_str()).filter(|spread| *spread != "population"))
    }
}

/// The axes that are not named: λ and γ where a sweep varies them, or else the first parameters that it varies. `None` where
/// it varies fewer than two.
pub(crate) fn axes(view: &View, varied: &[String]) -> Option<(String, String)> {
    let pick = |preferred: &str, other: Option<&String>| -> Option<String> {
        let free = |name: &&String| Some(*name) != other;
        varied.iter().filter(free).find(|name| *name == preferred).or(varied.iter().find(free)).cloned()
    };
    let x = view.x.clone().or_else(|| pick("lambda", view.y.as_ref()))?;
    let y = view.y.clone().or_else(|| pick("gamma", Some(&x)))?;
    Some((x, y))
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;

    use super::*;
    use crate::asked::Asked;

    fn view(uri: &'static str) -> View {
        View::of(&Asked::of(&Uri::from_static(uri)).question)
    }

    #[test]
    fn what_is_fixed_and_what_is_asked_hold_together() {
        let view = view("/?where=a+%3D+1+or+b+%3D+2&fix=latent+%3D+64&fix=&spread=ci95&at=step%3D40");
        assert_eq!(view.filter, "(a = 1 or b = 2) and latent = 64");
        assert!(matches!(view.at(), Ok(At::Step(40))));
        assert_eq!(
            view.command(&["results", "demo"]).text(),
            "acai results demo --where '(a = 1 or b = 2) and latent = 64' --at step=40 --spread ci95"
        );
    }

    #[test]
    fn words_that_mean_nothing_are_answered_with_those_that_do() {
        let message = view("/?at=never").at().unwrap_err().message().to_owned();
        assert!(message.contains("`at` is `never`") && message.contains("step=N"), "{message}");
        assert!(view("/?spread=wide").spread().unwrap_err().message().contains("ci95"));
    }

    #[test]
    fn axes_are_lambda_and_gamma_where_a_sweep_varies_them() {
        let varied = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let pair = |x: &str, y: &str| Some((x.to_owned(), y.to_owned()));
        assert_eq!(axes(&view("/"), &varied(&["model", "gamma", "lambda"])), pair("lambda", "gamma"));
        assert_eq!(axes(&view("/?x=latent"), &varied(&["lambda"])), pair("latent", "lambda"));
        assert_eq!(axes(&view("/"), &varied(&["lambda"])), None);
    }
}
