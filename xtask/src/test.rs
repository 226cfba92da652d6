//! `cargo xtask test`.

use crate::run::{cargo, run, run_watched};
use crate::{Command, Result, refuse_arguments, servers, tools};

pub(crate) const COMMAND: Command = Command {
    name: "test",
    summary: "run every test, documentation examples included",
    help: "usage: cargo xtask test

With CI=true, installs the programs that tests exchange files with; elsewhere a test that lacks
one is skipped and says what would help. Starts the servers that tests need, as `cargo xtask
servers up` does, while the tests are built, runs all tests and documentation examples of the
workspace with all features, and stops the servers that it started. For a part of the
tests, use cargo itself: `cargo test -p storage-core paths`.",
    run: |arguments| {
        refuse_arguments(arguments)?;
        all()
    },
};

/// Runs all tests and prints their number.
pub(crate) fn all() -> Result {
    tools::provide()?;
    let _servers = prepare()?;
    let mut counts = Counts::default();
    let mut tests = cargo(&WORDS);
    let tests = tools::with_scripts(tests.envs(servers::variables()));
    let outcome = run_watched(tests, |line| counts.add(line));
    println!(
        "tests: {} passed, {} failed, {} ignored",
        counts.passed, counts.failed, counts.ignored
    );
    outcome?;
    match counts.passed {
        0 => Err("no test ran".into()),
        _ => Ok(()),
    }
}

const WORDS: [&str; 5] = [
    "test",
    "--workspace",
    "--all-features",
    "--locked",
    "--no-fail-fast",
];

/// Starts the servers while the tests are built.
fn prepare() -> Result<servers::Started> {
    std::thread::scope(|scope| {
        let start = || servers::start_all().map_err(|error| error.to_string());
        let servers = scope.spawn(start);
        let built = run(&mut cargo(&[&WORDS[..], &["--no-run", "--quiet"]].concat()));
        let servers = servers.join().map_err(|_| "starting servers panicked")?;
        built.and(Ok(servers?))
    })
}

/// The sums of cargo's `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`; others count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.split_once("test result: ") else {
            return;
        };
        let words: Vec<_> = numbers.split([' ', ';']).collect();
        for pair in words.windows(2) {
            let number = pair[0].parse().unwrap_or(0);
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_summed_and_others_are_not() {
        let mut counts = Counts::default();
        for line in [
            "test paths::keys ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "7 passed",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            counts.add(line);
        }
        let expected = Counts {
            passed: 14,
            failed: 3,
            ignored: 1,
        };
        assert_eq!(counts, expected);
    }
}
