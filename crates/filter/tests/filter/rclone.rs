//! Random rules through rclone and through this crate. Skipped where there is no rclone; the same cases
//! each time, or as many new ones as `RCLONE_CASES` says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use storage_filter::Filter;

const NAMES: [&str; 9] = ["a", "b", "ab", "B", "é", "a b", "x.jpg", "[x]", "a*b"];

/// Every path of up to three of the names, thinned out.
fn paths() -> Vec<String> {
    let mut paths = Vec::new();
    for (i, first) in NAMES.iter().enumerate() {
        paths.push(format!("{first}-"));
        for (j, second) in NAMES.iter().enumerate() {
            paths.push(format!("{first}/{second}-"));
            if (i + j) % 3 == 0 {
                paths.extend(
                    NAMES
                        .iter()
                        .map(|third| format!("{first}/{second}/{third}")),
                );
            }
        }
    }
    paths.extend(["x.jpg.bak", "c", ".a", "0", "b/mark", "a/a/mark"].map(str::to_owned));
    paths
}

fn build(root: &Path) {
    for path in paths() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
}

/// A pattern of parts that mean something here, sometimes one that means nothing.
fn pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => prop::sample::select(&NAMES[..7]).prop_map(str::to_owned),
        2 => Just("a\\*b".to_owned()),
        2 => Just("\\[x\\]".to_owned()),
        5 => Just("*".to_owned()),
        2 => Just("**".to_owned()),
        2 => Just("?".to_owned()),
        2 => Just("-".to_owned()),
        8 => Just("/".to_owned()),
        1 => prop::sample::select(vec![
            "[ab]", "[^a]", "[!a]", "[[:lower:]]", "[a-b]", "[\\d]", "[b-a]", "[", "]",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "{a,b}", "{a,{b,é}}", "{,x}", "{a*,b?}", "{a/b,b}", "{}", "{a,b", "}", "{a,**}",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![
            "{{[ab]+}}", "{{a|b}}", "{{\\w}}", "{{.}}", "{{a{1}}}", "{{(}}", "{{a/.*}}", "{{", "{{\\pL}}",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

fn flags() -> impl Strategy<Value = Vec<String>> {
    let flag = prop_oneof![
        8 => (prop::bool::ANY, pattern()).prop_map(|(include, pattern)| {
            let sign = if include { '+' } else { '-' };
            format!("--filter={sign} {pattern}")
        }),
        2 => pattern().prop_map(|pattern| format!("--include={pattern}")),
        3 => pattern().prop_map(|pattern| format!("--exclude={pattern}")),
        1 => Just("--filter=- *".to_owned()),
        1 => Just("--filter=!".to_owned()),
        1 => Just("--filter=- **".to_owned()),
        1 => Just("--ignore-case".to_owned()),
        1 => (1..4u8).prop_map(|depth| format!("--max-depth={depth}")),
        1 => Just("--exclude-if-present=mark".to_owned()),
        1 => (0..4u8, 1..4u8).prop_map(|(part, of)| format!("--hash-filter={part}/{of}")),
    ];
    prop::collection::vec(flag, 1..6)
}

/// The filter of rclone's flags, in the order in which rclone takes them.
fn filter(flags: &[String]) -> Result<Filter, String> {
    let values = |name: &str| {
        let start = format!("--{name}=");
        let found = flags.iter().filter_map(|flag| flag.strip_prefix(&start));
        found.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut builder = Filter::builder();
    let text = |error: storage_filter::FilterError| error.to_string();
    for value in values("include") {
        builder = builder.include(&value).map_err(text)?;
    }
    for value in values("exclude") {
        builder = builder.exclude(&value).map_err(text)?;
    }
    for value in values("filter") {
        builder = builder.rule(&value).map_err(text)?;
    }
    for value in values("exclude-if-present") {
        builder = builder.exclude_if_present(value);
    }
    if let Some(part) = values("hash-filter").last() {
        let (part, of) = part.split_once('/').unwrap();
        builder = builder.part(part.parse().unwrap(), of.parse().unwrap());
    }
    if let Some(depth) = values("max-depth").last() {
        builder = builder.max_depth(depth.parse().unwrap());
    }
    builder = builder.ignore_case(flags.iter().any(|flag| flag == "--ignore-case"));
    builder.build().map_err(text)
}

/// The tree as a walk that asks the filter sees it, directories ending with `/`.
fn walk(filter: &Filter, root: &Path, directory: &str, found: &mut BTreeSet<String>) {
    let below = root.join(directory);
    if filter
        .markers()
        .iter()
        .any(|marker| below.join(marker).is_file())
    {
        return;
    }
    for entry in std::fs::read_dir(below).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{directory}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            let has_marker = filter
                .markers()
                .iter()
                .any(|marker| entry.path().join(marker).is_file());
            if filter.includes_directory(&path) && !has_marker {
                found.insert(format!("{path}/"));
            }
            if filter.enters(&path) {
                walk(filter, root, &format!("{path}/"), found);
            }
        } else if filter.includes_path(&path) {
            found.insert(path);
        }
    }
}

fn rclone(root: &Path, flags: &[String]) -> std::io::Result<Output> {
    let mut command = Command::new("rclone");
    command
        .args(["--config", "/dev/null", "lsf", "-R"])
        .args(flags)
        .arg(root)
        .output()
}

#[test]
fn random_rules_mean_what_they_mean_to_rclone() {
    if !Command::new("rclone")
        .arg("version")
        .output()
        .is_ok_and(|run| run.status.success())
    {
        eprintln!("SKIPPED: there is no rclone to compare with");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    build(root.path());
    let cases = std::env::var("RCLONE_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok());
    let mut runner = TestRunner::new(Config {
        cases: cases.unwrap_or(60),
        rng_seed: cases.map_or(RngSeed::Fixed(1), |_| RngSeed::Random),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&flags(), |flags| {
        let theirs = rclone(root.path(), &flags).unwrap();
        match (theirs.status.success(), filter(&flags)) {
            (true, Ok(filter)) => {
                let listed = String::from_utf8(theirs.stdout).unwrap();
                let theirs: BTreeSet<_> = listed.lines().map(str::to_owned).collect();
                let mut ours = BTreeSet::new();
                walk(&filter, root.path(), "", &mut ours);
                prop_assert_eq!(theirs, ours);
            }
            (false, Err(_)) => {}
            (_, ours) => {
                let theirs = String::from_utf8_lossy(&theirs.stderr).into_owned();
                prop_assert!(
                    false,
                    "rclone says {:?}, and we {:?}",
                    theirs,
                    ours.map(|_| ())
                );
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
