//! Runs that are killed, and the runs after them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::omni;

/// Runs of each verb that are killed at work, half of them by each of two threads.
const KILLED: u32 = 200;

type Files = BTreeMap<String, Vec<u8>>;

/// Small files in some directories, and one that is written in pieces.
fn new_files() -> Files {
    let name = |n: usize| format!("d{}/s{}/file-{n}", n % 5, n % 3);
    let mut files: Files = (0..60).map(|n| (name(n), vec![n as u8; 100 + n])).collect();
    files.insert("d1/large".to_owned(), vec![9; 3 << 20]);
    files
}

/// What the destination has before: some of them with other content, and some that are to be deleted.
fn old_files() -> Files {
    let new = new_files();
    let mut files: Files = new.into_iter().step_by(3).collect();
    for content in files.values_mut() {
        content.push(0);
    }
    files.extend((0..10).map(|n| (format!("gone/{n}"), vec![1; 10])));
    files
}

fn write(root: &Path, files: &Files) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// All files below, whatever they are called.
fn read(root: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with(".omnistorage-") && name.ends_with(".tmp")
}

/// Starts a run and kills it after `moment`; whether it was still at work.
fn kill(dir: &Path, verb: &str, moment: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_omni"))
        .current_dir(dir)
        .args([verb, "--quiet", "src", "dst"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(moment);
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// Kills a verb at random moments until enough runs were at work, and has `check` look at source and
/// destination after each.
fn rounds(verb: &str, check: impl Fn(&Path) + Sync) {
    std::thread::scope(|scope| {
        for seed in [0x2545_f491_4f6c_dd1d_u64, 0x9e37_79b9_7f4a_7c15] {
            let check = &check;
            scope.spawn(move || rounds_of_one(verb, seed, check));
        }
    });
}

fn rounds_of_one(verb: &str, mut random: u64, check: impl Fn(&Path)) {
    let (new, old) = (new_files(), old_files());
    // In memory, where there is such a place: what a disk loses is not tested here.
    let place = Path::new("/dev/shm");
    let dir = match place.is_dir() {
        true => tempfile::tempdir_in(place).unwrap(),
        false => tempfile::tempdir().unwrap(),
    };
    let prepare = || {
        for (name, files) in [("src", &new), ("dst", &old)] {
            let _ = fs::remove_dir_all(dir.path().join(name));
            write(&dir.path().join(name), files);
        }
    };
    prepare();
    let start = Instant::now();
    omni(dir.path(), &[verb, "src", "dst"]).done();
    // Where a run takes longer or less than the first, the moments follow.
    let mut latest = start.elapsed();
    let mut killed = 0;
    while killed < KILLED / 2 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        prepare();
        let moment = latest.mul_f64((random >> 33) as f64 / f64::from(1u32 << 31));
        if kill(dir.path(), verb, moment) {
            killed += 1;
            latest += latest / 16;
        } else {
            latest = moment.max(Duration::from_millis(1));
        }
        check(dir.path());
    }
}

/// Every file at the destination is the old or the new one, whole.
fn assert_whole(found: &Files, new: &Files, old: &Files) {
    for (path, content) in found.iter().filter(|(path, _)| !is_temporary(path)) {
        let known = [new.get(path), old.get(path)];
        assert!(known.contains(&Some(content)), "{path} is half-written");
    }
}

#[test]
fn a_killed_sync_leaves_whole_files_and_the_next_one_goes_on() {
    let (new, old) = (new_files(), old_files());
    rounds("sync", |dir| {
        let between = read(&dir.join("dst"));
        assert_whole(&between, &new, &old);
        // Nothing is deleted before everything has arrived.
        if (0..10).any(|n| !between.contains_key(&format!("gone/{n}"))) {
            assert!(
                new.iter()
                    .all(|(path, content)| between.get(path) == Some(content))
            );
        }
        let summary = omni(dir, &["sync", "--json", "src", "dst"])
            .done()
            .summary();
        let lacking = new
            .iter()
            .filter(|(path, content)| between.get(*path) != Some(content));
        let sent = summary["created"].as_u64().unwrap() + summary["updated"].as_u64().unwrap();
        // One may have been published and not yet have its time.
        let lacking = lacking.count() as u64;
        assert!(
            (lacking..=lacking + 8).contains(&sent),
            "{sent} for {lacking}"
        );
        assert_eq!(read(&dir.join("dst")), new);
        assert_eq!(read(&dir.join("src")), new);
    });
}

#[test]
fn a_killed_move_loses_nothing_and_the_next_one_goes_on() {
    let (new, old) = (new_files(), old_files());
    let mut expected = old.clone();
    expected.extend(new.clone());
    rounds("move", |dir| {
        let (source, between) = (read(&dir.join("src")), read(&dir.join("dst")));
        assert_whole(&between, &new, &old);
        for (path, content) in &new {
            let kept = [source.get(path), between.get(path)];
            assert!(kept.contains(&Some(content)), "{path} is lost");
        }
        omni(dir, &["move", "src", "dst"]).done();
        assert_eq!(read(&dir.join("src")), Files::new());
        assert_eq!(read(&dir.join("dst")), expected);
    });
}
