//! Python's `json` reads what this crate writes, and the other way round.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use storage_ndjson::Options;

/// Reads JSON lines, and writes each value back in its own notation.
const ECHO: &str = "import json, sys
for line in sys.stdin:
    print(json.dumps(json.loads(line)))
";

/// What Python makes of `input`; `None`, said aloud, where there is no Python and this is not CI.
fn echo(input: &[u8]) -> Option<Vec<u8>> {
    let child = Command::new("python3")
        .args(["-c", ECHO])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI needs python3: {error}"
            );
            eprintln!("SKIPPED: no python3: {error}");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(output.stdout)
}

#[test]
fn values_go_to_python_and_back() {
    let values = [
        json!({"text": "line\nline\r\n\u{2028}\u{0}é😀\"\\", "n": -12.5e-3, "none": null}),
        json!([[], {}, [true, false], u64::MAX, i64::MIN]),
        json!(""),
    ];
    let mut encoder = Options::default().encoder();
    let mut buffer = Vec::new();
    for value in &values {
        encoder.encode_json(value, &mut buffer).unwrap();
    }
    let Some(echoed) = echo(&buffer) else { return };
    let mut decoder = Options::default().validate(true).decoder();
    decoder.push(echoed.into());
    let back: Vec<Value> = std::iter::from_fn(|| decoder.next_json().unwrap()).collect();
    assert_eq!(back, values);
}
