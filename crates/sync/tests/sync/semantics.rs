//! The page of promises names tests that exist.

use std::fs;
use std::path::Path;

/// Adds the names of all functions of the tests below a directory.
fn functions(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let after = text.split("fn ").skip(1);
            found.extend(after.filter_map(|rest| Some(rest.split_once("()")?.0.to_owned())));
        }
    }
}

#[test]
fn every_test_that_the_page_of_promises_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Ok(page) = fs::read_to_string(root.join("docs/design/sync-semantics.md")) else {
        return; // The crate alone, without the documentation of the whole.
    };
    let mut found = Vec::new();
    for tests in [
        "sync/tests",
        "cli/tests",
        "cli/src",
        "filter/tests",
        "backends/file/tests",
    ] {
        functions(&root.join("crates").join(tests), &mut found);
    }
    // Names of tests have several words; options have one or two.
    let named = page.split('`').skip(1).step_by(2);
    let tests = named.filter(|name| name.matches('_').count() > 2);
    let missing: Vec<_> = tests
        .filter(|name| !found.iter().any(|it| it == name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
