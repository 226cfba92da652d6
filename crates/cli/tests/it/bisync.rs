//! Two-way synchronisation, and that it survives `kill -9` at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::{Ran, fails, omni, write};

const PAIR: [&str; 5] = ["bisync", "p1", "p2", "--workdir", "work"];

fn bisync(dir: &Path, more: &[&str]) -> Ran {
    let work: &[&str] = if more.contains(&"--workdir") {
        &PAIR[..3]
    } else {
        &PAIR
    };
    omni(dir, &[work, more].concat())
}

/// Contents by path.
fn files(dir: &Path) -> BTreeMap<String, String> {
    fn walk(dir: &Path, base: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, found);
            } else {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, dir, &mut found);
    // What a kill left of a write has a name that no listing shows, until the next run removes it.
    found.retain(|name, _| {
        !name
            .split('/')
            .any(|name| name.starts_with(".omnistorage-"))
    });
    found
}

fn both(dir: &Path) -> [BTreeMap<String, String>; 2] {
    ["p1", "p2"].map(|side| files(&dir.join(side)))
}

fn settled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("p1/a", "1"), ("p1/b/c", "2"), ("p1/d", "3"), ("p1/e", "4")],
    );
    bisync(dir.path(), &["--resync"]).done();
    dir
}

#[test]
fn changes_go_both_ways_and_are_told() {
    let dir = settled();
    let path = dir.path();
    write(path, &[("p1/a", "changed"), ("p2/new", "5")]);
    std::fs::remove_file(path.join("p2/b/c")).unwrap();
    let told = bisync(path, &["--dry-run"]).done().stdout;
    let lines = [
        "would update a (size) on path2",
        "would delete b/c on path1",
        "would create new on path1",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), lines);
    let ran = bisync(path, &["--json"]).done();
    let done: Vec<_> = ran
        .objects()
        .into_iter()
        .filter(|object| object["event"] == "done")
        .map(|object| format!("{} {} {}", object["side"], object["action"], object["path"]))
        .collect();
    assert_eq!(done.len(), 3, "{done:?}");
    assert!(
        done.contains(&r#""path2" "update" "a""#.to_owned()),
        "{done:?}"
    );
    assert_eq!(
        (
            ran.summary()["created"].as_u64(),
            ran.summary()["deleted"].as_u64()
        ),
        (Some(1), Some(1))
    );
    let [first, second] = both(path);
    assert_eq!(first, second);
    assert_eq!(first["a"], "changed");
    assert_eq!(bisync(path, &["-v"]).done().stdout, "");
}

#[test]
fn conflicts_are_settled_as_told() {
    for (flags, expected) in [
        (&[][..], ["a.conflict1=here", "a.conflict2=there!"]),
        (
            &["--conflict-resolve", "larger"],
            ["a=there!", "a.conflict1=here"],
        ),
        (
            &[
                "--conflict-resolve",
                "path1",
                "--conflict-suffix",
                "mine,yours",
            ],
            ["a=here", "a.yours1=there!"],
        ),
        (
            &[
                "--conflict-resolve",
                "path1",
                "--conflict-loser",
                "pathname",
            ],
            ["a=here", "a.conflict2=there!"],
        ),
    ] {
        let dir = settled();
        write(dir.path(), &[("p1/a", "here"), ("p2/a", "there!")]);
        let ran = bisync(dir.path(), flags).done();
        assert!(ran.stderr.contains("1 conflicts, 0 left"), "{}", ran.stderr);
        let [first, second] = both(dir.path());
        assert_eq!(first, second);
        let found = first.iter().filter(|(name, _)| name.starts_with('a'));
        let found: Vec<_> = found
            .map(|(name, content)| format!("{name}={content}"))
            .collect();
        assert_eq!(found, expected, "{flags:?}");
    }
    let dir = settled();
    write(dir.path(), &[("p1/a", "here"), ("p2/a", "there!")]);
    assert_eq!(bisync(dir.path(), &["--conflict-resolve", "skip"]).code, 1);
    let error = bisync(dir.path(), &["--conflict-resolve", "error"]);
    assert_eq!(error.code, 1);
    assert!(
        error.stderr.contains("changed on both sides"),
        "{}",
        error.stderr
    );
}

#[test]
fn what_looks_like_an_accident_ends_with_7_and_says_what_to_do() {
    let dir = settled();
    let path = dir.path();
    let refused = |args: &[&str], words: &[&str]| {
        let ran = bisync(path, args);
        assert_eq!(ran.code, 7, "{}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
        }
    };
    refused(&["--check-access"], &["RCLONE_TEST"]);
    refused(&["--workdir", "other"], &["no state", "--resync"]);
    for name in ["a", "d", "e"] {
        std::fs::remove_file(path.join("p1").join(name)).unwrap();
    }
    refused(&[], &["3 of 4", "path1", "--force"]);
    std::fs::remove_dir_all(path.join("p1/b")).unwrap();
    refused(&["--max-delete", "100"], &["path1 is empty", "--force"]);
    assert_eq!(files(&path.join("p2")).len(), 4);
    bisync(path, &["--force"]).done();
    assert!(files(&path.join("p2")).is_empty());
    let state = std::fs::read_dir(path.join("work"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    std::fs::write(state.path().join("state"), "garbage").unwrap();
    refused(&[], &["cannot be used", "--resync"]);
}

#[test]
fn two_names_that_do_not_exist_are_not_created() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(bisync(dir.path(), &["--resync"]).code, 3);
    assert!(!dir.path().join("p1").exists() && !dir.path().join("p2").exists());
    std::fs::create_dir(dir.path().join("p2")).unwrap();
    assert_eq!(bisync(dir.path(), &["--resync", "--dry-run"]).code, 0);
    assert!(!dir.path().join("p1").exists() && !dir.path().join("work").exists());
    bisync(dir.path(), &["--resync"]).done();
    assert!(dir.path().join("p1").is_dir());
}

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Edits both sides; the contents that must be there in the end, and the paths that must not.
fn edit(dir: &Path, random: &mut Random, round: u64) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut written, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    let mut touched = BTreeSet::new();
    for side in ["p1", "p2"] {
        for n in 0..3 {
            let name = format!("{}/f{}", random.below(3), random.below(6));
            let path = dir.join(side).join(&name);
            if !touched.insert((side, name.clone())) {
                continue;
            }
            if random.below(4) == 0 {
                if std::fs::remove_file(&path).is_ok() {
                    deleted.insert(name);
                }
            } else {
                let content = format!(
                    "{round} {side} {n} {}",
                    "x".repeat(random.below(20_000) as usize)
                );
                write(dir, &[(&format!("{side}/{name}"), &content)]);
                written.insert(content);
            }
        }
    }
    let kept = ["p1", "p2"].map(|side| {
        let is_written = |name: &String| dir.join(side).join(name).exists();
        touched
            .iter()
            .filter(|(at, _)| *at == side)
            .map(|(_, name)| name)
            .filter(|name| is_written(name))
            .cloned()
            .collect::<BTreeSet<_>>()
    });
    deleted.retain(|name| !kept.iter().any(|names| names.contains(name)));
    (written, deleted)
}

/// Kills a run after so many microseconds, and says whether it was still running.
fn kill_a_run(dir: &Path, wait: u64) -> (bool, u64) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_omni"))
        .current_dir(dir)
        .args([&PAIR[..], &["--force"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_micros(wait));
    let is_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    (is_running, wait)
}

#[test]
fn a_kill_at_200_random_moments_loses_nothing() {
    // In memory where there is a place for it: a kill loses nothing that the system has.
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let path = dir.path();
    for n in 0..12 {
        write(
            path,
            &[(&format!("p1/{}/f{n}", n % 3), &format!("base {n}"))],
        );
    }
    bisync(path, &["--resync"]).done();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    edit(path, &mut random, 0);
    let begin = Instant::now();
    bisync(path, &["--force"]).done();
    // Where a run takes longer or less than the first, the moments follow.
    let mut latest = begin.elapsed().as_micros() as u64;
    let mut killed = 0;
    for round in 1.. {
        let before: BTreeSet<String> = both(path)[0].values().cloned().collect();
        let (written, deleted) = edit(path, &mut random, round);
        // The run that recovers from a kill is killed as well, and so is the one after it.
        for _ in 0..3 {
            let (is_running, waited) = kill_a_run(path, random.below(latest));
            killed += u64::from(is_running);
            latest = if is_running {
                latest + latest / 16
            } else {
                waited.max(1000)
            };
        }
        for content in both(path).iter().flat_map(BTreeMap::values) {
            let is_whole = before.contains(content) || written.contains(content);
            assert!(is_whole, "round {round}: something half-written is visible");
        }
        bisync(path, &["--force"]).done();
        let [first, second] = both(path);
        assert_eq!(first, second, "round {round}");
        let contents: BTreeSet<String> = first.values().cloned().collect();
        let lost: Vec<_> = written
            .difference(&contents)
            .map(|content| &content[..9])
            .collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        for name in &deleted {
            assert!(!first.contains_key(name), "round {round}: {name} is back");
        }
        if killed >= 200 {
            break;
        }
    }
    assert_eq!(bisync(path, &["-v"]).done().stdout, "");
}

#[test]
fn backups_are_kept_and_empty_directories_removed_on_request() {
    let dir = settled();
    let path = dir.path();
    let [before, _] = both(path);
    let (gone, content) = before.first_key_value().unwrap();
    std::fs::remove_file(path.join("p1").join(gone)).unwrap();
    std::fs::create_dir_all(path.join("p2/empty/below")).unwrap();
    let flags = ["--backup-dir2", "kept", "--remove-empty-dirs", "--force"];
    bisync(path, &flags).done();
    let [first, second] = both(path);
    assert!(first == second && !second.contains_key(gone));
    let kept = std::fs::read_to_string(path.join("kept").join(gone));
    assert_eq!(&kept.unwrap(), content);
    assert!(!path.join("p2/empty").exists());
    let inside = ["--backup-dir1", "p1/kept"];
    fails(&bisync(path, &inside), 2, &["overlap"]);
}
