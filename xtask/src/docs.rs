//! Checks of the hand-written documents.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::metadata::Workspace;
use crate::run::root;
use crate::{Result, tree};

const README: &str = "README.md";
const UMBRELLA: &str = "omnistorage";
/// Features that only name others; the README's text tells of them.
const SETS: [&str; 2] = ["default", "full"];

/// Fails when a relative link leads nowhere.
pub(crate) fn check_links() -> Result {
    let mut broken = Vec::new();
    let mut count = 0;
    for path in tree::files("md")? {
        for link in links(&tree::read(&path)?) {
            count += 1;
            if let Err(reason) = follow(&path, &link) {
                broken.push(format!("{}: ({link}) {reason}", path.display()));
            }
        }
    }
    println!("  {count} relative links");
    match broken.is_empty() {
        true => Ok(()),
        false => Err(broken.join("\n").into()),
    }
}

/// The targets of all links and images outside code that are neither URLs nor paths in Rust.
fn links(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(document) {
        let inside = line.split("](").skip(1);
        let inline = inside.filter_map(|rest| Some(rest.split_once(')')?.0));
        let defined = line
            .strip_prefix('[')
            .and_then(|rest| Some(rest.split_once("]: ")?.1));
        for target in inline.chain(defined) {
            let target = target.split_whitespace().next().unwrap_or_default();
            let elsewhere = ["http://", "https://", "mailto:"];
            if !elsewhere.iter().any(|start| target.starts_with(start)) && !target.contains("::") {
                found.push(target.to_owned());
            }
        }
    }
    found
}

/// The lines outside fenced blocks, with code spans cut out.
fn prose(document: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line.split('`').step_by(2).collect());
        }
    }
    lines
}

/// Checks that a link of the document at `from` leads to a file, and its fragment to a heading.
fn follow(from: &Path, link: &str) -> Result<(), String> {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let path = match target {
        "" => from.to_path_buf(),
        _ => joined(from, target).ok_or("leads out of the repository")?,
    };
    if !root().join(&path).exists() {
        return Err("leads nowhere".to_owned());
    }
    if fragment.is_empty() || path.extension().is_none_or(|extension| extension != "md") {
        return Ok(());
    }
    let document = tree::read(&path).map_err(|error| error.to_string())?;
    match anchors(&document).contains(fragment) {
        true => Ok(()),
        false => Err(format!("names no heading of {}", path.display())),
    }
}

/// Where `target` leads from the file at `from`; `None` when that is outside the root.
fn joined(from: &Path, target: &str) -> Option<PathBuf> {
    let mut path = from.parent()?.to_path_buf();
    for component in Path::new(target).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

/// The fragments of a document's headings, as GitHub makes them.
fn anchors(document: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in document.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || !line.starts_with('#') {
            continue;
        }
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        });
        anchors.insert(kept.collect());
    }
    anchors
}

/// Fails when the README's table does not list exactly the umbrella's features, sets left out, or its example is
/// not compiled. Says so and succeeds while there is no umbrella.
pub(crate) fn check_readme(workspace: &Workspace) -> Result<Option<String>> {
    let Some(umbrella) = workspace.member(UMBRELLA) else {
        return Ok(Some(format!("the workspace has no crate {UMBRELLA} yet")));
    };
    let readme = tree::read(README)?;
    let listed = listed_features(&readme)?;
    let single = umbrella
        .features
        .iter()
        .filter(|name| !SETS.contains(&name.as_str()));
    let real: BTreeSet<_> = single.cloned().collect();
    let mut wrong: Vec<_> = real
        .difference(&listed)
        .map(|feature| format!("{README} does not list the feature {feature:?}"))
        .collect();
    let invented = listed.difference(&real);
    wrong
        .extend(invented.map(|feature| format!("{README} lists {feature:?}, which is no feature")));
    if !compiles_readme(&readme, &umbrella.folder)? {
        wrong.push(format!(
            "{README} has no ```rust example, or {UMBRELLA} does not include_str!() it"
        ));
    }
    match wrong.is_empty() {
        true => Ok(None),
        false => Err(wrong.join("\n").into()),
    }
}

/// The features named in the table whose first column is headed `Feature`.
fn listed_features(readme: &str) -> Result<BTreeSet<String>> {
    let mut lines = readme.lines();
    lines
        .find(|line| line.starts_with("| Feature |"))
        .ok_or_else(|| format!("{README} has no table that begins `| Feature |`"))?;
    let rows = lines.take_while(|line| line.starts_with('|'));
    let first = rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`'));
    Ok(first.map(|(name, _)| name.to_owned()).collect())
}

/// Whether the umbrella's sources include the README, so that its examples are documentation tests.
fn compiles_readme(readme: &str, folder: &str) -> Result<bool> {
    let has_example = readme.lines().any(|line| line.starts_with("```rust"));
    let inclusion = inclusion(folder);
    let mut included = false;
    for path in tree::files("rs")? {
        included |= path.starts_with(folder) && tree::read(&path)?.contains(&inclusion);
    }
    Ok(has_example && included)
}

/// How a file in the `src` of the crate at `folder` includes the README.
fn inclusion(folder: &str) -> String {
    let up = "../".repeat(folder.split('/').count() + 1);
    format!("include_str!(\"{up}{README}\")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_and_urls_are_left_alone() {
        let document = "[a](docs/a.md) and [b](https://b) `[c](c.md)` [d](crate::d)\n\
                        ```text\n[e](e.md)\n```\n![f](img/f.png \"title\") [g](#heading)\n\
                        [h]: h.md\n[i]: https://i\n";
        let found = links(document);
        assert_eq!(found, ["docs/a.md", "img/f.png", "#heading", "h.md"]);
    }

    #[test]
    fn links_that_lead_nowhere_or_outside_are_errors() {
        let from = Path::new("xtask/README.md");
        follow(from, "src/docs.rs").unwrap();
        follow(from, "../Cargo.toml").unwrap();
        assert_eq!(follow(from, "src/nothing.rs").unwrap_err(), "leads nowhere");
        let outside = follow(from, "../../../x").unwrap_err();
        assert_eq!(outside, "leads out of the repository");
        assert!(follow(from, "/etc/passwd").is_err());
    }

    #[test]
    fn headings_become_fragments() {
        let anchors = anchors("# The `core` crate: why?\n```\n# comment\n```\n## A_b c-d\n");
        assert_eq!(
            anchors.iter().map(String::as_str).collect::<Vec<_>>(),
            ["a_b-c-d", "the-core-crate-why"]
        );
    }

    #[test]
    fn the_features_table_is_read_by_its_first_column() {
        let readme = "| `no` |\n\n| Feature | Crate |\n|---|---|\n| (always) | `core` |\n\
                      | `file` | `storage-file` |\n| `hash` | x |\n\n| `neither` |\n";
        let listed = listed_features(readme).unwrap();
        assert_eq!(listed, ["file", "hash"].map(str::to_owned).into());
        assert!(listed_features("# none\n").is_err());
    }

    #[test]
    fn a_readme_counts_as_compiled_only_when_a_source_includes_it() {
        let expected = r#"include_str!("../../../README.md")"#;
        assert_eq!(inclusion("crates/omnistorage"), expected);
        assert!(!compiles_readme("```rust\n```\n", "crates/core").unwrap());
        assert!(!compiles_readme("# no example\n", "crates/omnistorage").unwrap());
    }
}
