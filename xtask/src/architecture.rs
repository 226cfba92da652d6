//! `cargo xtask architecture`.

use std::collections::BTreeSet;

use crate::layers::{Layer, breaches, edges};
use crate::metadata::Workspace;
use crate::run::{cargo, output};
use crate::{Command, Result, sections, tree};

pub(crate) const COMMAND: Command = Command {
    name: "architecture",
    summary: "check who depends on whom and draw it into docs/design/architecture.md",
    help: "usage: cargo xtask architecture [--check]

Judges every dependency between crates of the workspace, every crate's name and folder, and the
weight of storage-core by the rules of docs/design/architecture.md, and writes the diagram there.
With --check, a diagram that is not current is an error and nothing is written.",
    run: |arguments| match arguments {
        [] => write(),
        [argument] if argument == "--check" => check(&Workspace::load()?),
        _ => Err("unknown arguments; see --help".into()),
    },
};

const DOCUMENT: &str = "docs/design/architecture.md";
const DIAGRAM: &str = "diagram";
/// Most crates that storage-core may resolve to, itself among them.
const CORE_WEIGHT: usize = 15;

/// Fails on any breach of the rules, and when the diagram is not what the crates are.
pub(crate) fn check(workspace: &Workspace) -> Result {
    judge(workspace)?;
    let document = tree::read(DOCUMENT)?;
    compare(&document, &diagram(workspace))
}

fn write() -> Result {
    let workspace = Workspace::load()?;
    judge(&workspace)?;
    let document = tree::read(DOCUMENT)?;
    tree::write(
        DOCUMENT,
        &sections::replaced(&document, DIAGRAM, &diagram(&workspace))?,
    )
}

fn judge(workspace: &Workspace) -> Result {
    let mut found = breaches(workspace);
    for package in &workspace.members {
        let manifest = tree::read(format!("{}/Cargo.toml", package.folder))?;
        if !manifest.contains("[lints]\nworkspace = true") {
            found.push(format!(
                "{}: the manifest does not inherit the lints",
                package.name
            ));
        }
    }
    let tree = output(&mut cargo(&[
        "tree",
        "--locked",
        "--package=storage-core",
        "--edges=normal,build",
        "--target=all",
        "--prefix=none",
        "--format={p}",
    ]))?;
    let crates = crates_of(&tree);
    println!(
        "  storage-core resolves {} crates of {CORE_WEIGHT}",
        crates.len()
    );
    if crates.len() > CORE_WEIGHT {
        found.push(format!("storage-core resolves {} crates", crates.len()));
    }
    match found.is_empty() {
        true => Ok(()),
        false => Err(found.join("\n").into()),
    }
}

/// The crates, each once, that `cargo tree` lists one a line.
fn crates_of(tree: &str) -> BTreeSet<(&str, &str)> {
    let words = tree.lines().map(|line| line.split(' '));
    words
        .filter_map(|mut words| Some((words.next()?, words.next()?)))
        .collect()
}

/// The crates by layer and every dependency but those of tests, as a mermaid chart.
fn diagram(workspace: &Workspace) -> String {
    let mut text = String::from("```mermaid\nflowchart TD\n");
    for layer in Layer::ALL.iter().rev() {
        let inside = workspace.members.iter();
        let names: Vec<_> = inside
            .filter(|package| Layer::of(package) == Some(*layer))
            .map(|package| format!("        {}\n", package.name))
            .collect();
        if !names.is_empty() {
            let title = layer.title();
            text += &format!(
                "    subgraph {layer:?}[\"{title}\"]\n{}    end\n",
                names.concat()
            );
        }
    }
    for edge in edges(workspace).iter().filter(|edge| !edge.dev) {
        text += &format!("    {} --> {}\n", edge.from, edge.to);
    }
    text + "```\n"
}

/// Names every line that the document's diagram lacks or has too much.
fn compare(document: &str, real: &str) -> Result {
    let drawn = sections::section(document, DIAGRAM)
        .ok_or_else(|| format!("{DOCUMENT} has no section {DIAGRAM:?}"))?;
    if drawn == real {
        return Ok(());
    }
    let lines = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    let (drawn, real) = (lines(drawn), lines(real));
    let mut message = format!("{DOCUMENT} is not current; run `cargo xtask architecture`");
    for line in real.difference(&drawn) {
        message += &format!("\n  not drawn: {}", line.trim());
    }
    for line in drawn.difference(&real) {
        message += &format!("\n  drawn, but not so: {}", line.trim());
    }
    Err(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Dependency, Package};

    fn workspace() -> Workspace {
        let package = |name: &str, folder: &str, on: &[(&str, bool)]| Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            published: true,
            dependencies: on
                .iter()
                .map(|(name, dev)| Dependency {
                    name: (*name).to_owned(),
                    dev: *dev,
                })
                .collect(),
            ..Package::default()
        };
        Workspace {
            members: vec![
                package("storage-core", "crates/core", &[("bytes", false)]),
                package(
                    "storage-file",
                    "crates/backends/file",
                    &[("storage-core", false), ("storage-faults", true)],
                ),
                package("storage-faults", "crates/testing/faults", &[]),
            ],
            others: Vec::new(),
            target: String::new(),
        }
    }

    fn document(diagram: &str) -> String {
        format!("<!-- diagram:begin -->\n{diagram}<!-- diagram:end -->\n")
    }

    #[test]
    fn the_diagram_shows_crates_by_layer_and_no_test_edges() {
        let drawn = diagram(&workspace());
        assert!(drawn.contains(
            "subgraph Part[\"backends, bridges, compression, formats\"]\n        storage-file\n"
        ));
        assert!(drawn.contains("    storage-file --> storage-core\n"));
        assert!(!drawn.contains("--> storage-faults") && !drawn.contains("bytes"));
    }

    #[test]
    fn a_diagram_with_an_edge_missing_or_invented_is_an_error() {
        let real = diagram(&workspace());
        compare(&document(&real), &real).unwrap();
        let missing = real.replace("    storage-file --> storage-core\n", "");
        let error = compare(&document(&missing), &real).unwrap_err().to_string();
        assert!(
            error.contains("not drawn: storage-file --> storage-core"),
            "{error}"
        );
        let invented = real.replace("```\n", "    storage-core --> storage-file\n```\n");
        let error = compare(&document(&invented), &real)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("drawn, but not so: storage-core --> storage-file"),
            "{error}"
        );
        assert!(compare("# no diagram\n", &real).is_err());
    }

    #[test]
    fn crates_of_a_tree_count_once() {
        let tree = "a v1.0.0 (/w)\nb v2.0.0\nb v2.0.0 (*)\nb v3.0.0\nc v1.0.0 (proc-macro)\n";
        assert_eq!(crates_of(tree).len(), 4);
    }
}
