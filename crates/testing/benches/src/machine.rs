//! Where and with what was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

const LOCK: &str = include_str!("../Cargo.lock");

/// Cores, processor, kernel and file system of a folder, in a sentence.
pub(crate) fn describe(dir: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = match kernel.split(['-', '+', '\n']).next() {
        Some(version) if !version.is_empty() => format!("Linux {version}"),
        _ => std::env::consts::OS.to_owned(),
    };
    format!(
        "{cores} cores ({}), {kernel}, {}",
        processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        file_system(dir)
    )
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The type of the file system that holds a folder, such as `tmpfs`.
pub(crate) fn file_system(dir: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    mounts
        .filter(|(point, _)| dir.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map_or_else(
            || "unknown file system".to_owned(),
            |(_, kind)| kind.to_owned(),
        )
}

/// How many processes ran or waited for a core in the last minute, on average.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

/// Name and version of libraries, as they are locked.
pub(crate) fn versions(names: &[&str]) -> String {
    let version = |name: &str| {
        let (_, rest) = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some(format!("{name} {}", rest.split('"').next()?))
    };
    let mut all: Vec<_> = names.iter().filter_map(|name| version(name)).collect();
    all.extend(first_line("rustc", "--version"));
    all.join(", ")
}

/// The first line that a program prints about its version; `None` where there is no such program.
pub(crate) fn first_line(program: impl AsRef<std::ffi::OsStr>, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_versions_are_found() {
        let text = versions(&["tokio", "no-such-crate"]);
        assert!(text.starts_with("tokio 1."), "{text}");
        assert!(!text.contains("no-such-crate"));
    }
}
