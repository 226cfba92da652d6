//! The suite passes with every flag of `Features` false: each one is taken away from the backend in
//! memory, and the rules about its absence apply.

use storage_conformance::{Fresh, Need, Outcome, Report, Suite, features_table};
use storage_core::Features;
use storage_faults::{Intercept, Masked};
use storage_memory::MemoryBackend;

/// The flag alone, with what cannot be without it.
fn hidden(flag: &str) -> Features {
    let mut features = Features::NONE.with_if_version(flag == "versions");
    assert!(features.set(flag, true), "{flag}");
    features
}

fn subject(flag: &str) -> Fresh {
    // Directories cannot be hidden from outside: a store without them is another one.
    let flat = flag == "directories";
    let masked = Masked::new(hidden(flag));
    let memory = MemoryBackend::builder().directories(!flat).build();
    let (again, beside) = (memory.clone(), memory.clone());
    Fresh::new(masked.over(memory))
        .reopen(move || std::future::ready(Ok(masked.over(again.clone()))))
        .second(move || std::future::ready(Ok(masked.over(beside.clone()))))
}

async fn report(flag: &'static str) -> Report {
    let suite = Suite::new(move || std::future::ready(Ok(subject(flag))));
    suite.large(1 << 20).many(50).rounds(4).run().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_passes_with_every_flag_false() {
    for (flag, _) in Features::NONE.iter() {
        let report = report(flag).await;
        report.assert_conforming();
        let proofs = report.rules().iter().filter(|rule| {
            rule.rule().needs().contains(&Need::Off(flag)) && *rule.outcome() == Outcome::Passed
        });
        assert!(proofs.count() > 0, "no rule about `{flag}` being false ran");
        let table = features_table(&[&report]);
        assert!(table.contains(&format!("| `{flag}` | no |")), "{table}");
        assert!(
            !table.contains("broken") && !table.contains("unproven"),
            "{table}"
        );
    }
}

#[test]
fn every_flag_has_rules_for_both_values() {
    for (flag, _) in Features::NONE.iter() {
        for need in [Need::On(flag), Need::Off(flag)] {
            let known = Suite::rules().any(|rule| rule.needs().contains(&need));
            assert!(known, "no rule needs {need:?}");
        }
    }
}

#[test]
fn rules_name_only_flags_that_exist() {
    for rule in Suite::rules() {
        for need in rule.needs() {
            if let Need::On(flag) | Need::Off(flag) = need {
                assert!(
                    Features::NONE.iter().any(|(known, _)| known == *flag),
                    "{rule:?}"
                );
            }
        }
    }
}
