//! Python's `csv` module reads what this crate writes, and the other way round.

use std::io::Write;
use std::process::{Command, Stdio};

use storage_csv::Options;

use crate::{Rows, decode, raw};

/// Reads CSV in the dialect of the arguments, and writes the rows again.
const ECHO: &str = "import csv, io, sys
delimiter, quote, escape, double, end, always = (eval(argument) for argument in sys.argv[1:])
dialect = dict(delimiter=delimiter, quotechar=quote, escapechar=escape, doublequote=double, strict=True)
text = sys.stdin.buffer.read().decode('utf-8')
rows = list(csv.reader(io.StringIO(text, newline=''), **dialect))
target = io.StringIO(newline='')
csv.writer(target, lineterminator=end, quoting=always, **dialect).writerows(rows)
sys.stdout.buffer.write(target.getvalue().encode('utf-8'))
";

/// What Python makes of `input`; `None`, said aloud, where there is no Python and this is not CI.
fn echo(input: &[u8], dialect: [&str; 6]) -> Option<Vec<u8>> {
    let child = Command::new("python3")
        .args(["-c", ECHO])
        .args(dialect)
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

fn rows() -> Rows {
    let rows = [
        &["plain", "two words", "3"][..],
        &["comma, inside", "semi; inside", "tab\tinside"],
        &["quote \" inside", "\"", "'single'"],
        &["line\nbreak", "carriage\r\nreturn", "\r"],
        &["", "", ""],
        &["back\\slash", "\\", "é😀\u{2028}"],
        &[" space ", "\"all\", of; it\\\n", "end"],
        &[""],
    ];
    rows.iter()
        .map(|row| row.iter().map(|field| field.as_bytes().to_vec()).collect())
        .collect()
}

fn check(options: &Options, dialect: [&str; 6]) {
    let mut encoder = options.encoder().unwrap();
    let mut buffer = Vec::new();
    for row in rows() {
        encoder.encode_row(&row, &mut buffer).unwrap();
    }
    let Some(echoed) = echo(&buffer, dialect) else {
        return;
    };
    let (decoded, error) = decode(options, echoed.chunks(10));
    assert!(error.is_none());
    assert_eq!(decoded, rows(), "{dialect:?}");
}

#[test]
fn rows_go_to_python_and_back() {
    check(&raw(), ["','", "'\"'", "None", "True", "'\\r\\n'", "0"]);
    check(
        &raw().delimiter(b';').crlf(true),
        ["';'", "'\"'", "None", "True", "'\\n'", "1"],
    );
    let quote = ["'\\t'", "\"'\"", "None", "True", "'\\r\\n'", "0"];
    check(&raw().delimiter(b'\t').quote(Some(b'\'')), quote);
}

/// Everything in quotes: Python escapes outside quotes too, where this crate takes an escape for
/// what it is.
#[test]
fn rows_with_an_escape_go_to_python_and_back() {
    check(
        &raw().escape(Some(b'\\')),
        ["','", "'\"'", "'\\\\'", "False", "'\\n'", "1"],
    );
}
