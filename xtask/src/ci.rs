//! `cargo xtask ci`: everything that must hold before a change is merged.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use crate::layers::Layer;
use crate::metadata::{Package, Workspace, newer_than};
use crate::run::{cargo, output, root, run};
use crate::{Command, Result, architecture, docs, features, fuzz, test, tools, tree};

pub(crate) const COMMAND: Command = Command {
    name: "ci",
    summary: "run every check and every test",
    help: "usage: cargo xtask ci [STEP...]

Runs every step, or those named, in this order, also after one has failed, and fails if any did:
  format        cargo fmt --check
  architecture  who depends on whom, names, the weight of storage-core, the diagram
  rust-version  no dependency needs a newer Rust than the workspace states
  links         relative links in documents
  readme        its table of features, its compiled example
  length        long files (warns)
  lint          clippy, warnings are errors
  alone         each crate by itself, with each of its features by itself, and its tests
  benches       clippy on the benchmarks, a workspace of their own
  doc           documentation with broken links denied
  wasm          storage-core for wasm32-unknown-unknown, where the target is installed
  deny          cargo deny, where it is installed
  features      the tables in docs/backends are current
  portable      the half of storage-file that other systems use
  fuzz          every fuzz target for some seconds, where there is a C++ compiler
  test          every test, as `cargo xtask test`",
    run: ci,
};

/// How a step that did not fail ended.
enum Outcome {
    Passed,
    /// For want of something; says of what.
    Skipped(String),
}

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<Outcome>,
}

/// In order: quick ones first, the tests last, so that their counts end the output.
const STEPS: &[Step] = &[
    step("format", |_| passed(format())),
    step("architecture", |all| passed(architecture::check(all))),
    step("rust-version", |all| passed(rust_version(all))),
    step("links", |_| passed(docs::check_links())),
    step("readme", |all| Ok(skipped_if(docs::check_readme(all)?))),
    step("length", |_| passed(length())),
    step("lint", |_| passed(lint())),
    step("alone", |all| passed(alone(all))),
    step("benches", |_| passed(benches())),
    step("doc", |_| passed(doc())),
    step("wasm", |_| wasm()),
    step("deny", |_| deny()),
    step("features", feature_tables),
    step("portable", |all| passed(portable(all))),
    step("fuzz", |_| fuzz_targets()),
    step("test", |_| passed(test::all())),
];

const fn step(name: &'static str, run: fn(&Workspace) -> Result<Outcome>) -> Step {
    Step { name, run }
}

fn passed(result: Result) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn skipped_if(reason: Option<String>) -> Outcome {
    reason.map_or(Outcome::Passed, Outcome::Skipped)
}

fn ci(arguments: &[String]) -> Result {
    let steps = chosen(arguments)?;
    let workspace = Workspace::load()?;
    let (mut report, mut failed) = (Vec::new(), 0);
    for step in steps {
        println!("== {}", step.name);
        let start = Instant::now();
        let result = (step.run)(&workspace);
        let line = report_line(step.name, start.elapsed(), &result);
        if let Err(error) = &result {
            failed += 1;
            println!("{error}");
        }
        println!("{line}");
        report.push(line);
    }
    println!("== summary\n{}", report.join("\n"));
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} steps failed").into()),
    }
}

/// The steps of these names, all if there are none, in their own order.
fn chosen(names: &[String]) -> Result<Vec<&'static Step>> {
    let known: BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
        return Err(format!("no step is named {name:?}; see --help").into());
    }
    let wanted = |step: &&Step| names.is_empty() || names.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

fn report_line(name: &str, time: Duration, result: &Result<Outcome>) -> String {
    let outcome = match result {
        Ok(Outcome::Passed) => "ok".to_owned(),
        Ok(Outcome::Skipped(reason)) => format!("SKIPPED: {reason}"),
        Err(_) => "FAILED".to_owned(),
    };
    format!("{name:<14}{:>7.1} s  {outcome}", time.as_secs_f64())
}

const BENCHES: &str = "crates/testing/benches/Cargo.toml";

fn format() -> Result {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    for apart in [BENCHES, fuzz::MANIFEST] {
        run(&mut cargo(&["fmt", "--check", "--manifest-path", apart]))?;
    }
    Ok(())
}

fn rust_version(workspace: &Workspace) -> Result {
    let stated = workspace
        .member("xtask")
        .and_then(|own| own.rust_version.as_deref());
    let ours = stated.ok_or("the workspace states no rust-version")?;
    let newer = newer_than(ours, &workspace.others);
    match newer.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the workspace states Rust {ours}, but\n{}",
            newer.join("\n")
        )
        .into()),
    }
}

fn length() -> Result {
    for line in tree::long_files()? {
        println!("  warning: {line}");
    }
    Ok(())
}

fn lint() -> Result {
    let words = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
    ];
    run(cargo(&words).args(DENY_WARNINGS))
}

fn benches() -> Result {
    let words = [
        "clippy",
        "--manifest-path",
        BENCHES,
        "--all-targets",
        "--locked",
    ];
    run(cargo(&words).args(DENY_WARNINGS))
}

const DENY_WARNINGS: [&str; 5] = ["--no-deps", "--quiet", "--", "--deny", "warnings"];

/// Builds every crate by itself, where no other crate switches features on for it, and then its
/// tests, with warnings as errors. Runs the test of what a build without features says.
fn alone(workspace: &Workspace) -> Result {
    let mut failed = Vec::new();
    for package in &workspace.members {
        let tests = vec!["--all-features", "--all-targets"];
        // The features of a program choose among those of the umbrella, which are tried one by one.
        let ways = match Layer::of(package) {
            Some(Layer::Program) => vec![Vec::new()],
            _ => selections(package),
        };
        for selection in ways.into_iter().chain([tests]) {
            let words = ["clippy", "--package", &package.name, "--locked"];
            let outcome = run(cargo(&words).args(&selection).args(DENY_WARNINGS));
            failed.extend(outcome.err().map(|error| error.to_string()));
        }
    }
    let words = ["test", "--package", "omnistorage", "--locked", "--quiet"];
    let without = [
        "--no-default-features",
        "--features=memory,pipeline",
        "--test=missing",
    ];
    let outcome = run(cargo(&words).args(without));
    failed.extend(outcome.err().map(|error| error.to_string()));
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join("\n").into()),
    }
}

/// The ways to build a crate that can differ: as it comes, without features, with each one, with all.
fn selections(package: &Package) -> Vec<Vec<&str>> {
    let names = package.features.iter().map(String::as_str);
    let single: Vec<_> = names.filter(|name| *name != "default").collect();
    if single.is_empty() {
        return vec![Vec::new()];
    }
    let mut selections = vec![vec!["--no-default-features"]];
    if package.features.len() > single.len() {
        selections.push(Vec::new());
    }
    let one = |name| vec!["--no-default-features", "--features", name];
    selections.extend(single.iter().map(|name| one(*name)));
    if single.len() > 1 {
        selections.push(vec!["--all-features"]);
    }
    selections
}

fn doc() -> Result {
    let words = [
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--locked",
        "--quiet",
    ];
    run(cargo(&words).env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Lints and tests the half of storage-file that is for systems other than Linux, where Linux can.
fn portable(workspace: &Workspace) -> Result {
    let folder = Path::new(&workspace.target).join("portable");
    let portable = |words: &[&str]| {
        let mut command = cargo(words);
        command
            .env("RUSTFLAGS", "--cfg storage_file_portable")
            .env("CARGO_TARGET_DIR", &folder);
        command
    };
    let package = ["--package=storage-file", "--locked", "--quiet"];
    let lint = ["--all-targets", "--", "--deny", "warnings"];
    run(&mut portable(&[&["clippy"][..], &package, &lint].concat()))?;
    run(&mut portable(&[&["test"][..], &package].concat()))
}

fn wasm() -> Result<Outcome> {
    let target = "wasm32-unknown-unknown";
    let library = output(
        Process::new("rustc")
            .args(["--print", "target-libdir", "--target", target])
            .current_dir(root()),
    )?;
    if !Path::new(library.trim()).is_dir() {
        let install = format!("rustup target add {target}");
        return Ok(Outcome::Skipped(format!("run `{install}` to have it")));
    }
    let words = [
        "check",
        "--package",
        "storage-core",
        "--locked",
        "--target",
        target,
    ];
    passed(run(&mut cargo(&words)))
}

fn deny() -> Result<Outcome> {
    let mut probe = cargo(&["deny", "--version"]);
    let installed = probe
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?
        .success();
    if !installed {
        let install = "cargo install --locked cargo-deny";
        return Ok(Outcome::Skipped(format!("run `{install}` to have it")));
    }
    // Advisories are left to `cargo deny check`: their database is fetched over the network.
    let words = [
        "deny",
        "--locked",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    passed(run(&mut cargo(&words)))
}

fn feature_tables(workspace: &Workspace) -> Result<Outcome> {
    if !features::is_there(workspace) {
        let reason = "the workspace has no crate storage-features yet";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    passed(features::check())
}

/// Long enough to run the corpus and to see that fuzzing works; `cargo xtask fuzz` is for finding.
const FUZZ_SECONDS: u64 = 4;

fn fuzz_targets() -> Result<Outcome> {
    tools::provide()?;
    if !tools::answers("c++") {
        return Ok(Outcome::Skipped(
            "install a C++ compiler to have it".to_owned(),
        ));
    }
    passed(fuzz::all(FUZZ_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(features: &[&str]) -> Package {
        Package {
            features: features.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn a_crate_is_built_with_each_feature_alone_and_no_way_twice() {
        let none: [&str; 0] = [];
        assert_eq!(selections(&package(&[])), [none]);
        assert_eq!(
            selections(&package(&["x"])),
            [
                vec!["--no-default-features"],
                vec!["--no-default-features", "--features", "x"],
            ]
        );
        let many = package(&["a", "b", "default"]);
        let found: Vec<_> = selections(&many)
            .iter()
            .map(|words| words.join(" "))
            .collect();
        assert_eq!(
            found,
            [
                "--no-default-features",
                "",
                "--no-default-features --features a",
                "--no-default-features --features b",
                "--all-features",
            ]
        );
    }

    #[test]
    fn every_step_is_in_the_help_and_unknown_ones_are_refused() {
        for step in STEPS {
            assert!(
                COMMAND.help.contains(&format!("\n  {:<14}", step.name)),
                "{}",
                step.name
            );
        }
        let names = ["test", "format"].map(str::to_owned);
        let order: Vec<_> = chosen(&names)
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect();
        assert_eq!(order, ["format", "test"]);
        assert!(chosen(&["tests".to_owned()]).is_err());
    }
}
