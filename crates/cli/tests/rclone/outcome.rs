//! One run of one program, and what came of it.

use std::path::Path;
use std::process::{Command, Output};

use crate::flags::Flags;
use crate::trees::{Tree, is_in_the_way, read, write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Rclone,
    Omni,
}

impl Program {
    fn command(self) -> Command {
        match self {
            Self::Rclone => {
                let mut command = Command::new("rclone");
                // It fails to set the time of a directory that nothing was sent to.
                let plain = ["--config", "/dev/null", "--retries", "1"];
                command.args(plain).arg("--no-update-dir-modtime");
                command
            }
            Self::Omni => Command::new(env!("CARGO_BIN_EXE_omni")),
        }
    }

    pub(crate) fn is_there(self) -> bool {
        let ran = self.command().arg("--version").output();
        ran.is_ok_and(|ran| ran.status.success())
    }
}

/// What a program left and said.
#[derive(Debug)]
pub(crate) struct Outcome {
    source: Vec<String>,
    destination: Vec<String>,
    /// Backup and other directories beside the two.
    beside: Vec<String>,
    report: Vec<String>,
    code: i32,
    pub(crate) log: String,
}

/// Runs one program on trees of its own.
pub(crate) fn run(program: Program, source: &Tree, destination: &Tree, flags: &Flags) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("src"), source);
    write(&dir.path().join("dst"), destination);
    // rclone fails where `other` has a directory in place of a file.
    let mut other = flags.other.clone();
    other.retain(|path, _| !source.keys().any(|file| is_in_the_way(path, file)));
    write(&dir.path().join("other"), &other);
    std::fs::write(dir.path().join("list"), &flags.list).unwrap();
    let mut command = program.command();
    command
        .arg(flags.verb)
        .args(["src", "dst"])
        .args(&flags.args);
    if (program, flags.verb) == (Program::Omni, "sync") {
        // rclone needs no permission for it.
        command.arg("--allow-empty-source");
    }
    if (program, flags.verb) == (Program::Omni, "move") {
        // Else a file that looks the same and is not is sent before its source goes.
        command.arg("--verify=size");
    }
    command.args(["--combined", "report"]);
    let ran = command.arg("-v").current_dir(dir.path()).output().unwrap();
    outcome(dir.path(), ran)
}

fn outcome(dir: &Path, ran: Output) -> Outcome {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let report = std::fs::read_to_string(dir.join("report")).unwrap_or_default();
    let mut report: Vec<_> = report.lines().map(str::to_owned).collect();
    report.sort();
    report.dedup();
    Outcome {
        source: read(&dir.join("src")),
        destination: read(&dir.join("dst")),
        beside: read(&dir.join("bak")),
        report,
        code: ran.status.code().unwrap_or(-1),
        log: text(ran.stdout) + &text(ran.stderr),
    }
}

/// What has to be the same.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared<'a> {
    source: &'a [String],
    destination: Vec<&'a str>,
    beside: &'a [String],
    report: Vec<&'a String>,
    is_done: bool,
}

impl Outcome {
    pub(crate) fn result(&self, flags: &Flags) -> Compared<'_> {
        let is_done = self.code == 0;
        // rclone deletes as many as it may before it stops, `omni` none.
        if flags.has(&["--max-delete"]) && !is_done {
            return Compared::default();
        }
        // rclone does not look at the files of a move that it pretends.
        if flags.verb == "move" && flags.has(&["--dry-run"]) {
            return Compared {
                source: &self.source,
                destination: self.destination.iter().map(String::as_str).collect(),
                ..Compared::default()
            };
        }
        // rclone leaves a renamed file its old time until the next run.
        let with_times = !flags.has(&["--track-renames"]);
        let destination = self
            .destination
            .iter()
            .map(|line| match line.split_once(" time ") {
                Some((file, _)) if !with_times => file,
                _ => line,
            });
        // rclone also reports what a move finds in place as an error, and what it compares with
        // another directory as different.
        let again = |line: &&String| {
            let with = |mark: char, path: &str| self.report.contains(&format!("{mark} {path}"));
            match line.split_at_checked(2) {
                Some(("! ", path)) if flags.verb == "move" => with('=', path),
                Some(("* ", path)) => with('+', path),
                // A second walk finds what was kept beside the new files.
                Some((_, path)) => path.contains(".old"),
                None => false,
            }
        };
        // rclone reports a file by its old name, `omni` by its new one.
        let renames = flags.has(&["--name-transform"]);
        let report = self.report.iter().filter(|line| !renames && !again(line));
        Compared {
            source: &self.source,
            destination: destination.collect(),
            beside: &self.beside,
            report: report.collect(),
            is_done,
        }
    }
}
