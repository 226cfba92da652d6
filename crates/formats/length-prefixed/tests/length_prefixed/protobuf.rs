//! Protocol Buffers' delimited messages: from the public description of the encoding, and with
//! Python's `protobuf` package in both directions.

use std::io::Write;
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

/// A Python with `protobuf`: that of the workspace's own environment, or the system's.
fn python() -> Option<&'static str> {
    const OWN: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../target/python/bin/python"
    );
    let has = |python: &&str| {
        let check = ["-c", "import google.protobuf.proto"];
        let quiet = Command::new(python)
            .args(check)
            .stderr(Stdio::null())
            .status();
        quiet.is_ok_and(|status| status.success())
    };
    let found = [OWN, "python3"].into_iter().find(has);
    if found.is_none() {
        let install = "python3 -m venv target/python && target/python/bin/pip install protobuf";
        let message = format!("no Python has protobuf; get it with `{install}`");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        // Past the test harness, which would swallow it.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
    }
    found
}

#[test]
fn messages_go_to_python_and_back() {
    let Some(python) = python() else { return };
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
