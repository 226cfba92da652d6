//! s5cmd and rclone, whole processes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::place::{KEY, Place, REGION, SECRET};
use super::work::{IN_FLIGHT, PART, PARTS, SMALL, Work, name};
use crate::Result;
use crate::trees::noise;

/// Folders for what programs upload and where they download to.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) large: PathBuf,
    pub(crate) small: PathBuf,
    pub(crate) out: PathBuf,
    /// Files with commands.
    pub(crate) lists: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    S5cmd,
    Rclone,
}

impl Folders {
    /// `objects` large files, which are one, and `count` small ones.
    pub(crate) fn fill(&self, objects: usize, parts: usize, count: usize) -> Result {
        let first = self.large.join(name("", 0));
        let mut file = fs::File::create(&first)?;
        for _ in 0..parts {
            std::io::Write::write_all(&mut file, &noise(PART))?;
        }
        for index in 1..objects {
            fs::hard_link(&first, self.large.join(name("", index)))?;
        }
        let small = noise(SMALL);
        for index in 0..count {
            fs::write(self.small.join(name("", index)), &small)?;
        }
        Ok(())
    }

    /// Empties the folder of downloads.
    pub(crate) fn clear(&self) -> Result {
        fs::remove_dir_all(&self.out)?;
        Ok(fs::create_dir(&self.out)?)
    }
}

impl Program {
    /// Whether it is installed.
    pub(crate) fn is_there(self) -> bool {
        let (program, word) = match self {
            Self::S5cmd => ("s5cmd", "version"),
            Self::Rclone => ("rclone", "version"),
        };
        let mut command = Command::new(program);
        let quiet = command.arg(word).stdout(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// The command that does it; none if the program has no such command.
    pub(crate) fn command(
        self,
        work: &Work,
        place: &Place,
        folders: &Folders,
    ) -> Result<Option<Command>> {
        let mut command = match self {
            Self::S5cmd => s5cmd(work, place, folders)?,
            Self::Rclone => rclone(work, place, folders),
        };
        if let Some(command) = &mut command {
            command.stdin(Stdio::null()).stdout(Stdio::null());
        }
        Ok(command)
    }
}

/// Makes the bucket, which no library here does.
pub(crate) fn make_bucket(place: &Place) -> Result {
    let mut command = s5cmd_at(place);
    command.arg("mb").arg(format!("s3://{}", place.bucket));
    match command.stdout(Stdio::null()).status()?.success() {
        true => Ok(()),
        false => Err("s5cmd made no bucket".into()),
    }
}

fn s5cmd_at(place: &Place) -> Command {
    let mut command = Command::new("s5cmd");
    command
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", REGION)
        .args(["--endpoint-url", &place.endpoint]);
    command
}

fn s5cmd(work: &Work, place: &Place, folders: &Folders) -> Result<Option<Command>> {
    let url = |key: &str| format!("s3://{}/{key}", place.bucket);
    let (workers, parts, size) = (
        IN_FLIGHT.to_string(),
        PARTS.to_string(),
        (PART >> 20).to_string(),
    );
    let transfer = ["--numworkers", "1", "cp", "-c", &parts, "-p", &size];
    let many = ["--numworkers", &workers];
    let mut command = s5cmd_at(place);
    match work {
        Work::PutLarge { key, .. } => {
            let from = format!("{}/", folders.large.display());
            command.args(transfer).args([from, url(key)]);
        }
        Work::GetLarge { key, .. } => {
            let to = format!("{}/", folders.out.display());
            command.args(transfer).args([url(&format!("{key}*")), to]);
        }
        Work::PutSmall { prefix, .. } => {
            let from = format!("{}/", folders.small.display());
            command.args(many).args(["cp", &from, &url(prefix)]);
        }
        Work::GetSmall { prefix, .. } => {
            let to = format!("{}/", folders.out.display());
            command
                .args(many)
                .args(["cp", &url(&format!("{prefix}*")), &to]);
        }
        Work::Stat { prefix, count } | Work::Delete { prefix, count } => {
            let word = if matches!(work, Work::Stat { .. }) {
                "head"
            } else {
                "rm"
            };
            let lines = (0..*count).map(|index| format!("{word} {}\n", url(&name(prefix, index))));
            let list = folders.lists.join(word);
            fs::write(&list, lines.collect::<String>())?;
            command.args(many).arg("run").arg(list);
        }
        Work::Purge { prefix } => {
            command.args(["rm", &url(&format!("{prefix}*"))]);
        }
        Work::List { prefix, .. } => {
            command.args(["ls", &url(&format!("{prefix}*"))]);
        }
        Work::Ranges { .. } => return Ok(None),
    }
    Ok(Some(command))
}

fn rclone(work: &Work, place: &Place, folders: &Folders) -> Option<Command> {
    let url = |key: &str| format!("bench:{}/{key}", place.bucket);
    let local = |folder: &PathBuf| folder.display().to_string();
    let parts = PARTS.to_string();
    let (one, all) = (["--transfers", "1"], IN_FLIGHT.to_string());
    let all = ["--transfers", &all, "--checkers", &all];
    let mut command = rclone_at(place);
    match work {
        Work::PutLarge { key, .. } => {
            let parts = ["--s3-upload-concurrency", &parts, "--s3-chunk-size", "16M"];
            let rest = [
                "--s3-upload-cutoff",
                "16M",
                "--s3-disable-checksum",
                "--no-check-dest",
                // Its other way of uploading looks at the object afterwards.
                "--multi-thread-streams",
                "0",
            ];
            let words = ["copy".to_owned(), local(&folders.large), url(key)];
            command.args(words).args(one).args(parts).args(rest);
        }
        Work::GetLarge { key, .. } => {
            let parts = [
                "--multi-thread-streams",
                &parts,
                "--multi-thread-chunk-size",
                "16M",
            ];
            let rest = ["--multi-thread-cutoff", "16M", "--ignore-checksum"];
            let words = ["copy".to_owned(), url(key), local(&folders.out)];
            command.args(words).args(one).args(parts).args(rest);
        }
        Work::PutSmall { prefix, .. } => {
            let words = ["copy".to_owned(), local(&folders.small), url(prefix)];
            command.args(words).args(all).arg("--no-check-dest");
        }
        Work::GetSmall { prefix, .. } => {
            let words = ["copy".to_owned(), url(prefix), local(&folders.out)];
            command.args(words).args(all).arg("--ignore-checksum");
        }
        Work::Delete { prefix, .. } => {
            command.args(["delete".to_owned(), url(prefix)]).args(all);
        }
        Work::Purge { prefix } => {
            command.args(["purge".to_owned(), url(prefix)]).args(all);
        }
        Work::List { prefix, .. } => {
            command
                .args(["lsf".to_owned(), url(prefix)])
                .args(["-R", "--fast-list"]);
        }
        Work::Stat { .. } | Work::Ranges { .. } => return None,
    }
    Some(command)
}

/// Without requests that the others do not make.
fn rclone_at(place: &Place) -> Command {
    let mut command = Command::new("rclone");
    let settings = [
        ("TYPE", "s3"),
        ("PROVIDER", "Ceph"),
        ("ENDPOINT", &place.endpoint),
        ("ACCESS_KEY_ID", KEY),
        ("SECRET_ACCESS_KEY", SECRET),
        ("REGION", REGION),
        ("NO_CHECK_BUCKET", "true"),
        ("NO_HEAD", "true"),
        ("NO_HEAD_OBJECT", "true"),
        (
            "USE_UNSIGNED_PAYLOAD",
            if place.signed { "false" } else { "true" },
        ),
    ];
    for (name, value) in settings {
        command.env(format!("RCLONE_CONFIG_BENCH_{name}"), value);
    }
    command.args(["--config", "", "--use-server-modtime"]);
    command
}
