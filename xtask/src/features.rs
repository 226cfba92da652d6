//! `cargo xtask features`.

use crate::metadata::Workspace;
use crate::run::{cargo, output};
use crate::{Command, Result, sections, servers, tree};

pub(crate) const COMMAND: Command = Command {
    name: "features",
    summary: "write every backend's Features table into docs/backends",
    help: "usage: cargo xtask features [--check]

Has the conformance suite prove the features of every backend and puts the table that it prints
into docs/backends/NAME.md, on the servers of `cargo xtask servers` where a backend needs one. With
--check, a table that is not current is an error and nothing is written.",
    run: |arguments| match arguments {
        [] => write(),
        [argument] if argument == "--check" => check(),
        _ => Err("unknown arguments; see --help".into()),
    },
};

/// The program that prints the tables.
const PROGRAM: &str = "storage-features";
const SECTION: &str = "features";

/// Fails when a page's table is not current.
pub(crate) fn check() -> Result {
    for page in pages()? {
        if tree::read(&page.path)? != page.text {
            let message = "is not current; run `cargo xtask features`";
            return Err(format!("{} {message}", page.path).into());
        }
    }
    Ok(())
}

/// Whether there is a program that prints the tables.
pub(crate) fn is_there(workspace: &Workspace) -> bool {
    workspace.member(PROGRAM).is_some()
}

fn write() -> Result {
    for page in pages()? {
        tree::write(&page.path, &page.text)?;
    }
    Ok(())
}

/// A backend's page as it should be.
struct Page {
    path: String,
    text: String,
}

fn pages() -> Result<Vec<Page>> {
    let _servers = servers::start_all()?;
    let mut program = cargo(&["run", "--quiet", "--locked", "--package", PROGRAM]);
    let printed = output(program.envs(servers::variables()))?;
    let mut pages = Vec::new();
    for name in names(&printed) {
        let table = sections::section(&printed, name)
            .ok_or_else(|| format!("the table of {name} does not end"))?;
        let path = format!("docs/backends/{name}.md");
        let text = sections::replaced(&tree::read(&path)?, SECTION, table)
            .map_err(|error| format!("{path}: {error}"))?;
        pages.push(Page { path, text });
    }
    match pages.is_empty() {
        true => Err(format!("{PROGRAM} printed no table").into()),
        false => Ok(pages),
    }
}

/// The backends of the printed tables: each table is a section named for its backend.
fn names(printed: &str) -> Vec<&str> {
    let marks = printed
        .lines()
        .filter_map(|line| line.strip_prefix("<!-- "));
    marks
        .filter_map(|mark| mark.strip_suffix(":begin -->"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_tables_are_found_by_backend() {
        let printed = "<!-- file:begin -->\n| copy | yes |\n<!-- file:end -->\nnoise\n\
                       <!-- memory:begin -->\n<!-- memory:end -->\n";
        assert_eq!(names(printed), ["file", "memory"]);
        assert_eq!(sections::section(printed, "file"), Some("| copy | yes |\n"));
    }
}
