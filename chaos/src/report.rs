//! What a session found, for people and for programs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::check::{Verdict, ViolationKind};
use crate::store_kind::StoreKind;

/// Violations that a table spells out; the others are in the JSON.
const SPELT_OUT: usize = 20;

/// See the module.
#[derive(Debug)]
pub struct Report {
    /// What was under test.
    pub store: StoreKind,
    /// What decided the faults.
    pub seed: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// What happened without being done on purpose, by kind.
    pub notes: BTreeMap<&'static str, u64>,
    /// Faults that could not be made here, and why.
    pub not_tested: Vec<String>,
    /// Runs submitted.
    pub runs: u64,
    /// Attempts that they took.
    pub attempts: u64,
    /// How long things broke.
    pub faults_for: Duration,
    /// How long all took.
    pub wall: Duration,
    /// Where the journal is.
    pub journal: PathBuf,
    /// The judgement.
    pub verdict: Verdict,
}

impl Report {
    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.verdict.violations.is_empty()
    }

    fn store(&self) -> &'static str {
        match self.store {
            StoreKind::Sqlite => "SQLite, 1 coordinator",
            StoreKind::Postgres => "Postgres, 2 coordinators",
        }
    }

    /// The figures that everybody asks for first, with their names in JSON and for people.
    fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
        let (verdict, count) = (&self.verdict, |kind| self.verdict.count(kind));
        vec![
            ("faults", "faults injected", self.faults.values().sum()),
            ("points_acknowledged", "points acknowledged", verdict.points_acknowledged),
            ("lost", "  lost", count(ViolationKind::Lost)),
            ("doubled", "  doubled", count(ViolationKind::Doubled)),
            ("altered", "  altered", count(ViolationKind::Altered)),
            ("missing", "points missing from completed runs", count(ViolationKind::Missing)),
            ("zombies_refused", "zombie writes refused", verdict.zombies_refused),
            ("zombies_accepted", "zombie writes accepted", count(ViolationKind::ZombieAccepted)),
            ("runs", "runs", self.runs),
            ("attempts", "  attempts", self.attempts),
            ("charged", "    charged to the run", count(ViolationKind::Charged)),
            ("completed", "  completed", verdict.completed),
            ("bit_equal", "  bit-equal to the undisturbed run", verdict.bit_equal),
            ("violations", "violations", verdict.violations.len() as u64),
        ]
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.add_row(["store", self.store()]);
        table.add_row(["seed".to_owned(), self.seed.to_string()]);
        let times = format!("{:.0} s of them faults", self.faults_for.as_secs_f64());
        table.add_row(["wall time".to_owned(), format!("{:.0} s, {times}", self.wall.as_secs_f64())]);
        for (_, name, figure) in self.figures() {
            table.add_row([name.to_owned(), figure.to_string()]);
        }
        let mut faults = Table::new();
        faults.load_style(NOTHING);
        for (kind, count) in &self.faults {
            faults.add_row([(*kind).to_owned(), count.to_string()]);
        }
        let mut text = format!("{}\n\nfaults injected, by kind\n{}\n", table.trim_fmt(), faults.trim_fmt());
        for (kind, count) in &self.notes {
            text += &format!("\nnot on purpose: {kind}, {count} times\n");
        }
        for what in &self.not_tested {
            text += &format!("\nNOT TESTED: {what}\n");
        }
        if !self.is_clean() {
            text += "\nviolations\n";
            for violation in self.verdict.violations.iter().take(SPELT_OUT) {
                text += &format!("  {}: {}\n", violation.kind, violation.what);
            }
            let more = self.verdict.violations.len().saturating_sub(SPELT_OUT);
            if more > 0 {
                text += &format!("  and {more} more, see --json\n");
            }
            text += &format!(
                "\nThe journal is in `{}`, the database and logs beside it.\n",
                self.journal.display()
            );
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut report = json!({
            "version": 1,
            "store": self.store(),
            "seed": self.seed,
            "seconds_of_faults": self.faults_for.as_secs_f64(),
            "wall_seconds": self.wall.as_secs_f64(),
            "faults_by_kind": self.faults,
            "noted": self.notes,
            "not_tested": self.not_tested,
            "violations_found": self.verdict.violations,
            "journal": self.journal,
        });
        for (name, _, figure) in self.figures() {
            report[name] = figure.into();
        }
        report
    }
}
