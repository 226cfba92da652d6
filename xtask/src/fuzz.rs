//! `cargo xtask fuzz`: the fuzz targets by libFuzzer, with the compiler that the workspace has.

use std::path::{Path, PathBuf};
use std::process::Command as Process;

use crate::metadata::Workspace;
use crate::run::{cargo, output, root, run};
use crate::{Command, Result};

pub(crate) const COMMAND: Command = Command {
    name: "fuzz",
    summary: "fuzz the record formats and the decompressors",
    help: "usage: cargo xtask fuzz [--seconds N] [--minimize] [TARGET...]

Builds crates/testing/fuzz with instrumentation and fuzzes every target, or those named, for a minute
each or for N seconds, on one thread. It begins with the inputs of crates/testing/fuzz/corpus and
with what earlier runs have put into target/fuzz/corpus. An input that fails is kept in
target/fuzz/artifacts; the end of the output says how to run it again.
With --minimize it then adds to crates/testing/fuzz/corpus the fewest inputs that reach code which
nothing there reaches.
A C++ compiler is needed, for libFuzzer, but no other Rust than the workspace's own.",
    run: fuzz,
};

pub(crate) const MANIFEST: &str = "crates/testing/fuzz/Cargo.toml";
const CORPUS: &str = "crates/testing/fuzz/corpus";

/// What the targets are, in the order they run.
const TARGETS: &[&str] = &["csv", "gzip", "length_prefixed", "ndjson", "snappy", "zstd"];

/// What cargo-fuzz asks of the compiler, without the sanitizers, which only nightly ones have.
const FLAGS: &str = "--cfg fuzzing -Dwarnings -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    seconds: u64,
    minimize: bool,
    targets: Vec<&'static str>,
}

fn fuzz(arguments: &[String]) -> Result {
    let plan = plan(arguments)?;
    let folder = build()?;
    for target in &plan.targets {
        fuzz_one(&folder, target, plan.seconds)?;
        if plan.minimize {
            let minimize = ["-merge=1", "-use_counters=0", "-max_len=600"];
            run(fuzzer(&folder, target)?.args(minimize).args([
                Path::new(CORPUS).join(target),
                found_by_runs(&folder, target),
            ]))?;
        }
    }
    Ok(())
}

/// Fuzzes every target for so many seconds.
pub(crate) fn all(seconds: u64) -> Result {
    let folder = build()?;
    let fuzz = |target: &&str| fuzz_one(&folder, target, seconds);
    TARGETS.iter().try_for_each(fuzz)
}

fn plan(arguments: &[String]) -> Result<Plan> {
    let mut plan = Plan {
        seconds: 60,
        minimize: false,
        targets: Vec::new(),
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => {
                let seconds = arguments.next().and_then(|text| text.parse().ok());
                // libFuzzer takes 0 for no limit.
                let seconds = seconds.filter(|seconds| *seconds > 0);
                plan.seconds = seconds.ok_or("--seconds takes a number from 1")?;
            }
            "--minimize" => plan.minimize = true,
            name => {
                let known = TARGETS.iter().find(|target| **target == name);
                let unknown = || format!("{name:?} is none of the targets {}", TARGETS.join(", "));
                plan.targets.push(known.copied().ok_or_else(unknown)?);
            }
        }
    }
    if plan.targets.is_empty() {
        plan.targets = TARGETS.to_vec();
    }
    Ok(plan)
}

/// Builds the targets; returns the folder of all that fuzzing writes.
fn build() -> Result<PathBuf> {
    let folder = Path::new(&Workspace::load()?.target).join("fuzz");
    let build = folder.join("build");
    // With a target named, build scripts and macros are built without the instrumentation.
    let words = ["build", "--release", "--locked", "--quiet", "--bins"];
    let place = ["--manifest-path", MANIFEST, "--target", &host()?];
    run(cargo(&words)
        .args(place)
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", build))?;
    Ok(folder)
}

/// The platform that this runs on, as the compiler calls it.
fn host() -> Result<String> {
    let version = output(Process::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host
        .ok_or("rustc does not say what its host is")?
        .to_owned())
}

fn found_by_runs(folder: &Path, target: &str) -> PathBuf {
    folder.join("corpus").join(target)
}

fn fuzzer(folder: &Path, target: &str) -> Result<Process> {
    let program = format!("{target}{}", std::env::consts::EXE_SUFFIX);
    let program = folder
        .join("build")
        .join(host()?)
        .join("release")
        .join(program);
    let mut command = Process::new(program);
    command.current_dir(root());
    Ok(command)
}

fn fuzz_one(folder: &Path, target: &str, seconds: u64) -> Result {
    let (found, artifacts) = (found_by_runs(folder, target), folder.join("artifacts"));
    std::fs::create_dir_all(&found)?;
    std::fs::create_dir_all(&artifacts)?;
    let prefix = artifacts.join(format!("{target}-"));
    let mut command = fuzzer(folder, target)?;
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096"])
        .args(["-verbosity=0", "-print_final_stats=1"])
        .arg(format!("-artifact_prefix={}", prefix.display()))
        .args([found, Path::new(CORPUS).join(target)]);
    // Its running commentary is of use only when it ends badly.
    let output = command.output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("  {target}: {} inputs", inputs_run(&log).unwrap_or("?"));
        return Ok(());
    }
    println!("{log}");
    let again = format!("`{program} {}…` runs the input again", prefix.display());
    Err(format!("{target}: ended with {}; {again}", output.status).into())
}

/// How many inputs libFuzzer says it ran.
fn inputs_run(log: &str) -> Option<&str> {
    let mut lines = log.lines();
    lines.find_map(|line| Some(line.strip_prefix("stat::number_of_executed_units:")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(words: &[&str]) -> Result<Plan> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        plan(&words)
    }

    #[test]
    fn arguments_are_honoured_or_refused() {
        let all = planned(&[]).unwrap();
        assert_eq!((all.seconds, all.targets.as_slice()), (60, TARGETS));
        let some = planned(&["--seconds", "5", "zstd", "--minimize", "csv"]).unwrap();
        let expected = Plan {
            seconds: 5,
            minimize: true,
            targets: vec!["zstd", "csv"],
        };
        assert_eq!(some, expected);
        for wrong in [&["xml"][..], &["--seconds"], &["--seconds", "0"], &["-x"]] {
            assert!(planned(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_target_has_a_program_and_a_corpus() {
        let manifest = std::fs::read_to_string(root().join(MANIFEST)).unwrap();
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        for target in TARGETS {
            assert!(manifest.contains(&format!("name = \"{target}\"")));
            let corpus = std::fs::read_dir(root().join(CORPUS).join(target)).unwrap();
            let inputs: Vec<_> = corpus
                .map(|entry| entry.unwrap().metadata().unwrap())
                .collect();
            let bytes: u64 = inputs.iter().map(std::fs::Metadata::len).sum();
            assert!(
                !inputs.is_empty() && inputs.len() < 400,
                "{target}: {}",
                inputs.len()
            );
            assert!(bytes < 64 << 10, "{target}: {bytes} bytes");
        }
    }
}
