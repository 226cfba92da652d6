//! Getting the programs of a server.

use std::path::PathBuf;

use super::Server;
use crate::{Result, run, tools};

/// Where programs are that only administrators have in their `PATH`.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Installs what these servers lack, where that is possible.
pub(super) fn install(servers: &[&Server]) -> Result {
    let debian: Vec<_> = servers.iter().flat_map(|server| lacking(server)).collect();
    if !debian.is_empty() && may_install() {
        tools::install_debian(&debian)?;
    }
    let python = servers.iter().filter(|server| lacks_python(server));
    let python: Vec<_> = python.flat_map(|server| server.python).copied().collect();
    match python.is_empty() || find("python3").is_none() {
        true => Ok(()),
        false => tools::install_python(&python),
    }
}

/// What would help where something is missing still.
pub(super) fn help(server: &Server) -> Option<String> {
    let lacking = lacking(server);
    if !lacking.is_empty() {
        let packages = lacking.join(" ");
        return Some(format!(
            "apt-get install --no-install-recommends {packages}"
        ));
    }
    lacks_python(server).then(|| "apt-get install python3-venv".to_owned())
}

/// The program's path, or its name if there is none.
pub(super) fn program(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| PathBuf::from(name))
}

fn lacking(server: &Server) -> Vec<&'static str> {
    let programs = server.programs.iter();
    let lacking = programs.filter(|(program, _)| find(program).is_none());
    lacking.map(|(_, package)| *package).collect()
}

/// Whether the packages were not installed, in these versions.
fn lacks_python(server: &Server) -> bool {
    server
        .python
        .iter()
        .any(|package| !tools::has_python(package))
}

/// The scripts of the workspace's own Python come first: they are of a known version.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::iter::once(run::root().join(tools::SCRIPTS));
    let system = SYSTEM.map(PathBuf::from);
    let folders = own.chain(std::env::split_paths(&path)).chain(system);
    let mut files = folders.map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}

/// Whether Debian packages can be installed without asking anybody.
fn may_install() -> bool {
    let mut id = std::process::Command::new("id");
    let root = id.arg("-u").output();
    root.is_ok_and(|output| output.stdout == b"0\n") && find("apt-get").is_some()
}
