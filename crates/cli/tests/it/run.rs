use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What one run of the program printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Each line as an object; the last must be the summary.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let objects: Vec<Value> = self
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect();
        assert_eq!(
            objects.last().expect("at least one line")["event"],
            "summary"
        );
        objects
    }

    pub(crate) fn summary(&self) -> Value {
        self.objects().pop().expect("a summary")
    }

    pub(crate) fn done(self) -> Self {
        assert_eq!(
            self.code, 0,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }
}

/// The program in `dir`, with a configuration file of its own and no flags from the environment.
pub(crate) fn program(dir: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_omni"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OMNI_") {
            program.env_remove(name);
        }
    }
    program.current_dir(dir).env("XDG_CONFIG_HOME", dir);
    program
}

pub(crate) fn omni(dir: &Path, args: &[&str]) -> Ran {
    omni_with_input(dir, args, b"")
}

pub(crate) fn omni_with_input(dir: &Path, args: &[&str], input: &[u8]) -> Ran {
    let mut child = program(dir)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("omni starts");
    // The program may end without reading its input.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input);
    let output = child.wait_with_output().expect("omni ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Writes files, creating their directories.
pub(crate) fn write(dir: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("below dir")).expect("create");
        std::fs::write(path, content).expect("write");
    }
}

/// Checks that a run failed with a code and messages.
#[track_caller]
pub(crate) fn fails(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, code, "{}", ran.stderr);
    for text in texts {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
}
