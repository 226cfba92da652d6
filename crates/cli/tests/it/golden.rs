//! Recorded sessions: the help of every verb, and what is said about the likeliest mistakes. After a
//! wanted change, `UPDATE_GOLDEN=1 cargo test -p omnistorage-cli golden` records them anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::run::{Ran, omni, write};

/// Compares with the recorded text, or records it.
fn compare(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(file, found).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap();
    for (number, (found, recorded)) in found.lines().zip(recorded.lines()).enumerate() {
        assert_eq!(found, recorded, "{}:{}", file.display(), number + 1);
    }
    assert_eq!(found.lines().count(), recorded.lines().count(), "{name}");
}

fn session(text: &mut String, args: &[&str], ran: &Ran) {
    let quoted = |arg: &&str| match arg {
        arg if arg.is_empty() || arg.contains([' ', '*', '{', '[']) => format!("'{arg}'"),
        arg => (*arg).to_owned(),
    };
    let line: Vec<_> = args.iter().map(quoted).collect();
    let _ = writeln!(text, "$ omni {}", line.join(" "));
    text.push_str(&ran.stdout);
    text.push_str(&ran.stderr);
    let _ = writeln!(text, "[{}]\n", ran.code);
}

/// Each is answered with what happened, where, and what to do.
const MISTAKES: &[&[&str]] = &[
    // A source that is not there.
    &["sync", "misspelt", "copy"],
    &["cat", "file/missing"],
    // A place that cannot be.
    &["ls", "s4://bucket/path"],
    &["ls", "file://host/path"],
    &["ls", "nowhere:path"],
    &["ls", "half:"],
    &["ls", "memory://?max_byte=1"],
    &["--config", "bad.toml", "ls", "x:"],
    &["sync", "src", ""],
    // A place of the wrong kind.
    &["sync", "src", "src/a"],
    &["sync", "src", "src/d/copy"],
    &["sync", "src", "./src"],
    &["cat", "src"],
    &["rm", "src"],
    &["rmdir", "src"],
    &["rm", "missing"],
    &["mkdir", "src/a/b"],
    // Deletions that were not meant.
    &["sync", "-q", "empty", "full"],
    &["sync", "-q", "--max-delete", "1", "src", "full"],
    // Flags.
    &["sync", "--dryrun", "src", "copy"],
    &["snyc", "src", "copy"],
    &["sync", "src"],
    &["copy", "--size-only", "--ignore-size", "src", "copy"],
    &["copy", "--transfers", "0", "src", "copy"],
    &["copy", "--modify-window", "1parsec", "src", "copy"],
    &["copy", "--max-size", "10Q", "src", "copy"],
    &["copy", "--include", "{a,b", "src", "copy"],
    &["copy", "--filter-from", "rules", "src", "copy"],
    &["copy", "--filter-from", "missing", "src", "copy"],
    &["hash", "md4", "src"],
    &["verify", "sums", "src"],
    &["copy", "--log-file", "missing/log", "src", "copy"],
    &["check", "src", "full", "--combined", "missing/report"],
];

#[test]
#[cfg(unix)]
fn mistakes_are_answered_as_recorded() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("src/a", "1"),
            ("src/d/b", "2"),
            ("full/x", "1"),
            ("full/y", "2"),
            ("empty/d/.keep", ""),
            ("rules", "+ *.txt\n\nnonsense\n"),
            ("sums", "d41d8cd98f00b204e9800998ecf8427e  a\nnot a line\n"),
            ("omni/config.toml", "[half]\ntype = \"file\"\n"),
            ("bad.toml", "[x]\ntype = \"file\nroot = 3\n"),
        ],
    );
    fs::remove_file(dir.path().join("empty/d/.keep")).unwrap();
    let mut text = String::new();
    for args in MISTAKES {
        let ran = omni(dir.path(), args);
        assert_ne!(ran.code, 0, "{args:?}: {}", ran.stdout);
        session(&mut text, args, &ran);
    }
    assert!(
        !dir.path().join("copy").exists(),
        "a mistake creates nothing"
    );
    for kept in ["full/x", "full/y"] {
        assert!(dir.path().join(kept).exists(), "{kept}");
    }
    let here = dir.path().to_string_lossy().into_owned();
    let text = text.replace(&here, "/here");
    // What is known depends on what else is built with it.
    let lines = text
        .lines()
        .map(|line| match line.split_once("; known are ") {
            Some((start, _)) if start.contains("no backend is named") => {
                format!("{start}; known are …\n")
            }
            _ => format!("{line}\n"),
        });
    compare("mistakes.txt", &lines.collect::<String>());
}

/// Which backends are compiled in depends on what else is built with the program.
#[test]
fn a_backend_that_is_not_compiled_in_names_its_feature() {
    let dir = tempfile::tempdir().unwrap();
    let ran = omni(dir.path(), &["ls", "channel://name"]);
    let known = omni(dir.path(), &["backends"]).stdout;
    let wanted = match known.lines().any(|line| line.starts_with("channel")) {
        true => "a channel URI has no name",
        false => "is not compiled in; enable the Cargo feature \"channel\"",
    };
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
}

/// The verbs, in the order of the help.
fn verbs(help: &str) -> Vec<String> {
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default();
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_reads_as_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let help = |args: &[&str]| omni(dir.path(), args).done().stdout;
    let main = help(&["--help"]);
    let verbs = verbs(&main);
    assert!(verbs.len() > 25, "{verbs:?}");
    let mut text = format!("$ omni --help\n{main}\n");
    for verb in verbs.iter().filter(|verb| *verb != "help") {
        let _ = writeln!(text, "$ omni {verb} -h\n{}", help(&[verb, "-h"]));
    }
    compare("help.txt", &text);
}
