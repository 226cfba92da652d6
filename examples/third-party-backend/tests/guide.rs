//! The guide shows this crate's code, all of it and nothing else.

const GUIDE: &str = include_str!("../../../docs/guides/writing-a-backend.md");
const MANIFEST: &str = include_str!("../Cargo.toml");
const BACKEND: &str = include_str!("../src/lib.rs");
const CONTRACT: &str = include_str!("contract.rs");

/// The text of every code block in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let starts = GUIDE.match_indices(&fence);
    starts
        .map(|(start, _)| {
            let block = &GUIDE[start + fence.len()..];
            block.split("\n```").next().unwrap_or(block)
        })
        .collect()
}

fn is_code(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with("//")
}

#[test]
fn every_block_is_in_the_crate_as_it_stands() {
    let rust = blocks("rust");
    assert!(rust.len() > 5);
    for block in rust {
        assert!(
            BACKEND.contains(block) || CONTRACT.contains(block),
            "not in the crate:\n{block}"
        );
    }
}

#[test]
fn the_blocks_in_order_are_the_whole_backend() {
    let shown = blocks("rust");
    let shown: Vec<&str> = shown
        .iter()
        .flat_map(|block| block.lines())
        .filter(|l| is_code(l))
        .collect();
    let whole: Vec<&str> = [BACKEND, CONTRACT]
        .iter()
        .flat_map(|source| source.lines())
        .filter(|line| is_code(line))
        .collect();
    assert_eq!(shown, whole);
}

#[test]
fn the_backend_has_under_100_lines() {
    let lines = BACKEND.lines().filter(|line| is_code(line)).count();
    assert!(lines < 100, "{lines}");
}

#[test]
fn the_dependencies_that_the_guide_names_are_the_crates() {
    let named = |text: &'static str| {
        let names = text
            .lines()
            .filter_map(|line| line.split(['.', ' ']).next());
        let names = names.filter(|name| name.starts_with("storage-") || *name == "tokio");
        names.collect::<Vec<_>>()
    };
    let [manifest] = blocks("toml")[..] else {
        panic!("the guide has one manifest");
    };
    assert_eq!(named(manifest), named(MANIFEST));
}
