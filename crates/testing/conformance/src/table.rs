use std::fmt::Write as _;

use storage_core::Features;

use crate::report::{Outcome, Report};
use crate::rule::{Need, is_set};

/// The Features table of any number of backends in Markdown, from what the suite proved of each: a
/// flag that is true is `yes`, one that is false `no`. `broken` stands where a rule about the flag
/// failed, and `unproven` where none ran, so that the table never repeats a mere claim.
///
/// ```no_run
/// # async fn example(suite: storage_conformance::Suite) {
/// let report = suite.run().await;
/// print!("{}", storage_conformance::features_table(&[&report]));
/// # }
/// ```
#[must_use]
pub fn features_table(reports: &[&Report]) -> String {
    let mut table = String::from("| Feature |");
    for report in reports {
        let _ = write!(table, " {} |", report.backend());
    }
    let _ = write!(table, "\n|---|{}\n", "---|".repeat(reports.len()));
    for (flag, _) in Features::NONE.iter() {
        let _ = write!(table, "| `{flag}` |");
        for report in reports {
            let _ = write!(table, " {} |", proof(report, flag));
        }
        table.push('\n');
    }
    table
}

fn proof(report: &Report, flag: &'static str) -> &'static str {
    let value = is_set(report.features(), flag);
    let need = if value {
        Need::On(flag)
    } else {
        Need::Off(flag)
    };
    let mut passed = false;
    for rule in report.rules() {
        match rule.outcome() {
            Outcome::Failed(_) if rule.rule().needs().contains(&need) => return "broken",
            Outcome::Passed => passed |= rule.rule().needs().contains(&need),
            Outcome::Failed(_) | Outcome::NotApplicable(_) => {}
        }
    }
    match (passed, value) {
        (false, _) => "unproven",
        (true, true) => "yes",
        (true, false) => "no",
    }
}
