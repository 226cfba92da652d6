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
    for (module, package) in MODULES {
        if !imports(&python, module) {
            run(Command::new("python3")
                .args(["-m", "venv"])
                .arg(root().join("target/python")))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", package]))?;
        }
    }
    Ok(())
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
