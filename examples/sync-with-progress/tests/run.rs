//! The program as a user runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::process::Command;

#[test]
fn it_syncs_shows_progress_and_handles_the_failed_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir_all(path("from/d")).unwrap();
    fs::create_dir_all(path("to")).unwrap();
    for (name, content) in [
        ("from/a", "1"),
        ("from/d/b", "22"),
        ("from/z", "new"),
        ("to/z", "older"),
    ] {
        fs::write(path(name), content).unwrap();
    }
    let to = format!("file://{}", path("to").display());
    let mut program = Command::new(env!("CARGO_BIN_EXE_sync-with-progress"));
    let ran = program.arg(path("from")).arg(to).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    for line in ["3 of 3 bytes: create ", "decide by hand: z: "] {
        assert!(said.contains(line), "{said}");
    }
    for (name, content) in [("to/a", "1"), ("to/d/b", "22"), ("to/z", "older")] {
        assert_eq!(fs::read_to_string(path(name)).unwrap(), content);
    }
}

#[test]
fn it_has_at_most_thirty_lines() {
    let source = include_str!("../src/main.rs");
    let code = source
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("//"));
    assert!(code.count() <= 30);
}
