//! Protocol Buffers' delimited messages: from the public description of the encoding, and with
//! Python's `protobuf` package in both directions.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use storage_length_prefixed::Options;

use crate::round_trip::{decode, encode};

/// The two messages that the description of the encoding spells out, each behind its length.
#[test]
fn the_documented_messages() {
    let messages = [&b"\x08\x96\x01"[..], b"\x12\x07testing"].map(<[u8]>::to_vec);
    let stream = b"\x03\x08\x96\x01\x09\x12\x07testing";
    assert_eq!(encode(&Options::default(), &messages), stream);
    assert_eq!(decode(&Options::default(), stream.chunks(4)).0, messages);
}

/// Reads delimited messages, and writes each again.
const ECHO: &str = "import io, sys
from google.protobuf import proto, wrappers_pb2
source = io.BytesIO(sys.stdin.buffer.read())
while (message := proto.parse_length_prefixed(wrappers_pb2.BytesValue, source)) is not None:
    proto.serialize_length_prefixed(wrappers_pb2.BytesValue(value=message.value), sys.stdout.buffer)
";

/// A Python with `protobuf`: the system's, or one in a virtual environment under `target`.
fn python() -> Result<String, String> {
    let has = |python: &str| {
        let check = [
            "-c",
            "from google.protobuf.proto import parse_length_prefixed",
        ];
        Command::new(python)
            .args(check)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("protobuf");
    let own = environment
        .join("bin/python")
        .to_string_lossy()
        .into_owned();
    if let Some(python) = ["python3", &own].into_iter().find(|python| has(python)) {
        return Ok(python.to_owned());
    }
    let run = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    };
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment))?;
    run(Command::new(&own).args(["-m", "pip", "install", "--quiet", "protobuf>=5.28"]))?;
    Ok(own)
}

#[test]
fn messages_go_to_python_and_back() {
    let python = match python() {
        Ok(python) => python,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI needs Python's protobuf: {error}"
            );
            eprintln!("SKIPPED: no Python with protobuf: {error}");
            return;
        }
    };
    // Field 1, of bytes: its tag and a length of its own. An empty one is left out.
    let values = [1, 127, 128, 300, 70_000].map(|n| vec![b'v'; n]);
    let mut messages: Vec<_> = values
        .map(|value| [&[0x0a], &encode(&Options::default(), &[value])[..]].concat())
        .into();
    messages.insert(1, Vec::new());
    let stream = encode(&Options::default(), &messages);

    let mut command = Command::new(python);
    command
        .args(["-c", ECHO])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&stream).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let (decoded, error) = decode(&Options::default(), output.stdout.chunks(1000));
    assert!(error.is_none());
    assert_eq!(decoded, messages);
}
