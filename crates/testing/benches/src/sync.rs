//! The benchmark `sync`: whole processes of omni, rsync, cp and rclone on the same trees.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::samples::Samples;
use crate::trees::{LARGE, Scratch, Shape, measure};
use crate::{Result, machine, report};

const OMNI: &str = "omni";
const RSYNC: &str = "rsync -a";
const CP: &str = "cp -a";
const CMP: &str = "cmp";
/// Both trees walked at the same time and every file looked at, without comparing anything.
const WALKS: &str = "find, both trees at once";
/// A tool whose run without a clock took longer is run no second time, and that time is shown.
const TOO_LONG: Duration = Duration::from_secs(20);
/// GNU time, which reports the peak memory of a process.
const TIME: &str = "/usr/bin/time";

/// What one table measures.
struct Task {
    title: &'static str,
    tree: Shape,
    work: Work,
    /// Most of the time of other tools that omni may take.
    bars: &'static [(&'static str, f64)],
    /// Most memory that omni may take, in MB.
    memory: u64,
    /// Fewer rounds where one takes long.
    most_rounds: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// The target is removed before each run.
    Copy,
    /// The target is a copy already.
    Nothing,
    /// The contents of both are compared.
    Check,
}

const TASKS: &[Task] = &[
    Task {
        title: "fresh copy of 10,000 files of 4 KiB",
        tree: Shape::Folders(100, 100, 4096),
        work: Work::Copy,
        bars: &[(RSYNC, 0.7), (CP, 1.0)],
        memory: 30,
        most_rounds: 100,
    },
    Task {
        title: "fresh copy of a deep tree, 3,280 directories and 9,840 files of 1 KiB",
        tree: Shape::Deep,
        work: Work::Copy,
        bars: &[(CP, 1.2)],
        memory: 30,
        most_rounds: 100,
    },
    Task {
        title: "fresh copy of one file of 2 GiB, verified",
        tree: Shape::Large(2 << 30),
        work: Work::Copy,
        bars: &[(CP, 1.3)],
        memory: 40,
        most_rounds: 5,
    },
    Task {
        title: "nothing to do, 100,000 files",
        tree: Shape::Folders(100, 1000, 64),
        work: Work::Nothing,
        bars: &[(RSYNC, 1.0), (WALKS, 1.15)],
        memory: 30,
        most_rounds: 100,
    },
    Task {
        title: "nothing to do, 1,000,000 files in one directory",
        tree: Shape::Folders(1, 1_000_000, 0),
        work: Work::Nothing,
        bars: &[(RSYNC, 1.0), (WALKS, 1.0)],
        memory: 64,
        most_rounds: 5,
    },
    Task {
        title: "check of 2 GiB by content",
        tree: Shape::Large(2 << 30),
        work: Work::Check,
        bars: &[(CMP, 1.0)],
        memory: 40,
        most_rounds: 5,
    },
];

/// A program that makes one tree like another.
struct Tool {
    name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
    /// What to append to the source.
    from: &'static str,
    /// What to append to the target.
    to: &'static str,
    /// What it does.
    works: &'static [Work],
}

/// Runs everything; gives the section of the document.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let rounds = arguments.rounds.unwrap_or(7).max(5);
    let tools = tools(arguments)?;
    let name = format!("sync-{}", machine::file_system(&arguments.dir));
    let mut text = heading(arguments, rounds, &tools);
    let chosen = |task: &&Task| match &arguments.row {
        Some(row) => task.title.contains(row.as_str()),
        None => true,
    };
    for task in TASKS.iter().filter(chosen) {
        let scratch = Scratch::new(&arguments.dir)?;
        text += &task.run(&scratch, &tools, rounds)?;
    }
    Ok(format!(
        "<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->"
    ))
}

fn heading(arguments: &Arguments, rounds: usize, tools: &[Tool]) -> String {
    let versions = tools
        .iter()
        .filter_map(|tool| machine::first_line(&tool.program, tool.version_option()));
    let mut versions: Vec<_> = versions.collect();
    versions.dedup();
    format!(
        "## Sync on {}\n\n\
         `{}`\n\n\
         {}. {}. Whole processes, warm caches, medians of {rounds} interleaved rounds ± half the \
         range of the middle half; the result of every run is checked. Memory is the largest peak \
         of one process over all rounds.\n",
        machine::file_system(&arguments.dir),
        arguments.command(),
        machine::describe(&arguments.dir),
        versions.join(", "),
    )
}

fn tools(arguments: &Arguments) -> Result<Vec<Tool>> {
    const TREES: &[Work] = &[Work::Copy, Work::Nothing];
    let omni = arguments.omni.clone().or_else(|| find("omni"));
    let omni = omni.ok_or("omni is not there; name it with --omni")?;
    let rsync = find("rsync").ok_or("rsync is not installed, and bars are set by it")?;
    let tool = |name, program, arguments, from, to, works| Tool {
        name,
        program,
        arguments,
        from,
        to,
        works,
    };
    let mut tools = vec![
        tool(OMNI, omni.clone(), &["sync"][..], "", "", TREES),
        tool(OMNI, omni, &["check", "--download"], "", "", &[Work::Check]),
        tool(RSYNC, rsync, &["-a"], "/", "/", TREES),
    ];
    let copies = |program| tool(CP, program, &["-a"][..], "/.", "", &[Work::Copy]);
    tools.extend(find("cp").map(copies));
    let script = &[
        "-c",
        r#"find "$0" -newermt 2200-01-01 & find "$1" -newermt 2200-01-01; wait"#,
    ];
    let walks = |program| tool(WALKS, program, &script[..], "", "", &[Work::Nothing]);
    tools.extend(find("sh").map(walks));
    let compares = |program| tool(CMP, program, &[][..], LARGE, LARGE, &[Work::Check]);
    tools.extend(find("cmp").map(compares));
    if let Some(rclone) = find("rclone") {
        let sync = &["sync", "--config", ""][..];
        let check = &["check", "--download", "--config", ""];
        tools.push(tool("rclone", rclone.clone(), sync, "", "", TREES));
        tools.push(tool("rclone", rclone, check, "", "", &[Work::Check]));
    }
    Ok(tools)
}

/// The first program of this name in the search path that is no script: a script that starts the
/// real program would be measured with it.
fn find(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&folders).map(|folder| folder.join(name));
    candidates.find(|path| {
        let mut start = [0; 2];
        let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start != *b"#!"
    })
}

/// The runs of one tool.
struct Runs<'a> {
    tool: &'a Tool,
    samples: Samples,
    memory: Option<u64>,
    too_long: bool,
}

impl Task {
    fn run(&self, scratch: &Scratch, tools: &[Tool], rounds: usize) -> Result<String> {
        eprintln!("  {}", self.title);
        let source = scratch.folder("source")?;
        self.tree.fill(&source)?;
        let rounds = rounds.min(self.most_rounds);
        let tools = tools.iter().filter(|tool| tool.works.contains(&self.work));
        let mut runs: Vec<_> = tools
            .map(|tool| Runs {
                tool,
                samples: Samples::default(),
                memory: None,
                too_long: false,
            })
            .collect();
        for run in &mut runs {
            let (time, memory) = self.once(scratch, &source, run.tool)?;
            run.too_long = time > TOO_LONG;
            if run.too_long {
                run.samples.push(time);
                run.memory = memory;
            }
        }
        let count = runs.len();
        for turn in 0..rounds * count {
            let run = &mut runs[(turn + turn / count) % count];
            if run.too_long {
                continue;
            }
            let (time, memory) = self.once(scratch, &source, run.tool)?;
            run.samples.push(time);
            run.memory = run.memory.max(memory);
        }
        Ok(self.table(&runs))
    }

    /// One run, its preparation and the check of its result outside the time taken.
    fn once(
        &self,
        scratch: &Scratch,
        source: &Path,
        tool: &Tool,
    ) -> Result<(Duration, Option<u64>)> {
        let target = match self.work {
            Work::Check => scratch.join("copy"),
            // What rsync has copied before them: more copies of a large tree are more than tmpfs takes.
            Work::Nothing if matches!(tool.name, WALKS | "rclone") => {
                scratch.join(&RSYNC.replace(' ', "-"))
            }
            _ => scratch.join(&tool.name.replace(' ', "-")),
        };
        if self.work == Work::Copy && target.exists() {
            fs::remove_dir_all(&target)?;
        }
        if self.work == Work::Check && !target.exists() {
            fs::create_dir_all(&target)?;
            self.tree.fill(&target)?;
        }
        fs::create_dir_all(&target)?;
        let before = marks(&target)?;
        let result = tool.run(source, &target, &scratch.join("time"))?;
        let (found, expected) = (measure(&target)?, measure(source)?);
        if found != expected {
            return Err(format!("{}: {found:?} instead of {expected:?}", tool.name).into());
        }
        if !before.is_empty() && before != marks(&target)? {
            return Err(format!("{} wrote files that were there already", tool.name).into());
        }
        Ok(result)
    }

    fn table(&self, runs: &[Runs<'_>]) -> String {
        let median = |name: &str| {
            let run = runs.iter().find(|run| run.tool.name == name);
            run.map_or(Duration::ZERO, |run| run.samples.median())
        };
        let mut text = format!(
            "\n### {}\n\n| | Time | Peak memory | Bars |\n|---|---|---|---|\n",
            self.title
        );
        for run in runs {
            let memory = run.memory.map_or_else(
                || "not measured".to_owned(),
                |memory| format!("{:.1} MB", memory as f64 * 1.024e-3),
            );
            let bars = match run.tool.name {
                OMNI => self.verdict(median, run.memory),
                _ => String::new(),
            };
            let note = if run.too_long { ", one run" } else { "" };
            text += &format!(
                "| {}{note} | {} | {memory} | {bars} |\n",
                run.tool.name, run.samples
            );
        }
        text
    }

    fn verdict(&self, median: impl Fn(&str) -> Duration, memory: Option<u64>) -> String {
        let mut text = String::new();
        for (name, bar) in self.bars {
            let share = report::ratio(median(OMNI), median(name));
            text += &format!(
                "{share:.2} of {name} ≤ {bar}: {}; ",
                report::met(share <= *bar)
            );
        }
        let memory = memory.map_or("not measured", |memory| {
            report::met(memory * 1024 < self.memory * 1_000_000)
        });
        format!("{text}under {} MB: {memory}", self.memory)
    }
}

/// What changes in the first folder when its files are written again: inode and times.
fn marks(target: &Path) -> Result<Vec<(OsString, u64, i64, i64)>> {
    use std::os::unix::fs::MetadataExt;
    let folder = target.join("folder-0000");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut marks = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let mark = (metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
        marks.push((entry.file_name(), mark.0, mark.1, mark.2));
    }
    marks.sort();
    Ok(marks)
}

impl Tool {
    fn version_option(&self) -> &'static str {
        match self.name.starts_with("rclone") {
            true => "version",
            false => "--version",
        }
    }

    /// Time, and peak memory in KiB where GNU time is there to tell.
    fn run(&self, source: &Path, target: &Path, notes: &Path) -> Result<(Duration, Option<u64>)> {
        let timed = Path::new(TIME).exists();
        let mut command = match timed {
            true => Command::new(TIME),
            false => Command::new(&self.program),
        };
        if timed {
            command
                .args(["-f", "%M", "-o"])
                .arg(notes)
                .arg(&self.program);
        }
        let with = |path: &Path, end: &str| {
            let mut text = path.as_os_str().to_owned();
            text.push(end);
            text
        };
        command
            .args(self.arguments)
            .arg(with(source, self.from))
            .arg(with(target, self.to))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let start = Instant::now();
        let output = command.stderr(Stdio::piped()).output()?;
        let time = start.elapsed();
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} ended with {}: {reason}", self.name, output.status).into());
        }
        let memory = fs::read_to_string(notes).ok().filter(|_| timed);
        Ok((time, memory.and_then(|text| text.trim().parse().ok())))
    }
}
