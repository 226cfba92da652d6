//! Each rule can fail: for every rule there is a backend with one fault that breaks it. The backend
//! is the one in memory behind a wrapper; without a fault the wrapper passes the suite.

mod basic;
mod extended;
mod fault;
mod listing;
mod sink;
mod store;
mod table;

use storage_conformance::{Outcome, Suite};

use crate::fault::Fault;
use crate::store::Broken;
use crate::table::BREAKS;

fn suite(fault: Fault) -> Suite {
    let suite = Suite::new(move || std::future::ready(Ok(Broken::fresh(fault))));
    suite.large(1 << 20).many(50).rounds(6).racers(16)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_fault_the_wrapper_passes() {
    let report = suite(Fault::None).run().await;
    report.assert_conforming();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_breaks_the_rules_it_is_listed_with() {
    let mut missed = Vec::new();
    for (fault, rules) in BREAKS {
        for rule in *rules {
            if let Some(problem) = undetected(*fault, rule).await {
                missed.push(problem);
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} undetected:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

/// What is wrong when the rule does not find the fault.
async fn undetected(fault: Fault, rule: &str) -> Option<String> {
    // A fault of timing shows only when the moment is right; it gets several chances.
    let chances = if fault.is_of_timing() { 20 } else { 1 };
    let mut last = None;
    for _ in 0..chances {
        match suite(fault).run_rule(rule).await {
            Err(error) => return Some(error.to_string()),
            Ok(report) => match report.outcome() {
                Outcome::Failed(why) => {
                    println!("{fault:?} breaks {rule}: {why}");
                    return None;
                }
                outcome => last = Some(format!("{fault:?} and {rule}: {outcome:?}")),
            },
        }
    }
    last
}

#[test]
fn every_rule_has_a_broken_backend() {
    let listed: Vec<&str> = BREAKS
        .iter()
        .flat_map(|(_, rules)| *rules)
        .copied()
        .collect();
    for rule in Suite::rules() {
        assert!(
            listed.contains(&rule.name()),
            "nothing breaks {}",
            rule.name()
        );
    }
    for name in listed {
        assert!(
            Suite::rules().any(|rule| rule.name() == name),
            "{name} is no rule"
        );
    }
}
