//! Other people's programs, to exchange files with.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Feeds `input` to a program and gives back what it prints.
///
/// # Panics
/// When the program fails.
pub(crate) fn pipe(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    feeder.join().unwrap().unwrap();
    output.stdout
}

/// Whether `command` runs. Without it the test says how to get it and passes, but where `CI` is `true`
/// it fails.
pub(crate) fn is_there(command: &mut Command, install: &str) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if quiet.status().is_ok_and(|status| status.success()) {
        return true;
    }
    let message = format!("{command:?} does not run; get it with `{install}`");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
    // Past the test harness, which would swallow it.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
    false
}

/// Contents to exchange: none, little, much, what does not compress and what does well.
pub(crate) fn contents() -> Vec<Vec<u8>> {
    let noise = noise_of(200_000);
    vec![
        Vec::new(),
        b"x".to_vec(),
        super::sample(1_000_000, 1),
        noise,
        vec![0; 500_000],
    ]
}

fn noise_of(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(step).take(length).collect()
}
