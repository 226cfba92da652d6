//! The folder of one server: its processes, its logs and where it listens.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{PATIENCE, install};
use crate::Result;
use crate::run::root;

/// Where servers are, from the root of the workspace. Tests look there as well.
pub(super) const FOLDER: &str = "target/servers";

/// The variables for tests, a line each; there once the server answers.
const VARIABLES: &str = "variables";

/// A line for each process: its number and when it started.
const PROCESSES: &str = "processes";

/// How often somebody who waits looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The folder of one server.
#[derive(Debug)]
pub(super) struct Place {
    name: String,
    folder: PathBuf,
}

impl Place {
    pub(super) fn new(folder: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: root().join(folder).join(name),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder, as text for configuration files and arguments.
    pub(super) fn text(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// Makes a folder in it.
    pub(super) fn folder(&self, name: &str) -> Result<String> {
        fs::create_dir_all(self.folder.join(name))?;
        Ok(self.text(name))
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<String> {
        fs::write(self.folder.join(name), text)?;
        Ok(self.text(name))
    }

    /// Starts a program that goes on when this one ends, with its output in a log of its own.
    pub(super) fn spawn(&self, program: &str, arguments: &[&str]) -> Result {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{program}.log")))?;
        let mut command = Command::new(install::program(program));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // A group of its own: it is ended with its children, and not by Ctrl-C.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .spawn()
            .map_err(|error| format!("{program} could not be started: {error}"))?;
        let line = format!("{} {}\n", child.id(), started(child.id()).unwrap_or(0));
        let mut file = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(PROCESSES))?;
        Ok(file.write_all(line.as_bytes())?)
    }

    /// Runs a program to its end and gives what it printed.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new(install::program(program))
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{program} could not be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} ended with {}: {said}", output.status).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Waits until `done`, as long as all processes run and not for ever.
    pub(super) fn wait(&self, what: &str, mut done: impl FnMut() -> bool) -> Result {
        let start = Instant::now();
        while !done() {
            if !self.all_run() {
                return Err(format!("it ended before {what}\n{}", self.logs()).into());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{PATIENCE:?} without {what}\n{}", self.logs()).into());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Whether it was started to the end and every process of it runs.
    pub(super) fn is_running(&self) -> bool {
        !self.variables().is_empty() && self.all_run()
    }

    /// The variables for tests, `NAME=value`; none before it answers.
    pub(super) fn variables(&self) -> Vec<String> {
        lines(&self.folder.join(VARIABLES))
    }

    /// Says where it listens.
    pub(super) fn note(&self, variables: &[(&str, String)]) -> Result {
        let lines = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        self.write(VARIABLES, &lines.collect::<String>())?;
        Ok(())
    }

    /// Ends the processes and leaves an empty folder.
    pub(super) fn clear(&self) -> Result {
        self.remove()?;
        Ok(fs::create_dir_all(&self.folder)?)
    }

    /// Ends the processes and removes the folder.
    pub(super) fn remove(&self) -> Result {
        self.stop();
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Ends the processes; nothing that they hold is to outlast them.
    pub(super) fn stop(&self) {
        let processes = self.processes();
        for (number, _) in processes.iter().rev().filter(|process| runs(process)) {
            let end = format!("kill -KILL -{number} 2>/dev/null");
            let _ = Command::new("sh").args(["-c", &end]).status();
        }
        let start = Instant::now();
        while processes.iter().any(runs) && start.elapsed() < PATIENCE {
            std::thread::sleep(PAUSE / 10);
        }
    }

    fn all_run(&self) -> bool {
        self.processes().iter().all(runs)
    }

    /// Number and start of each process.
    fn processes(&self) -> Vec<(u32, u64)> {
        let lines = lines(&self.folder.join(PROCESSES));
        let pairs = lines.iter().filter_map(|line| line.split_once(' '));
        pairs
            .filter_map(|(number, start)| Some((number.parse().ok()?, start.parse().ok()?)))
            .collect()
    }

    /// The last lines of every log.
    fn logs(&self) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "log") {
                let lines = lines(&path);
                let last = lines.len().saturating_sub(12);
                text += &format!("{}:\n  {}\n", path.display(), lines[last..].join("\n  "));
            }
        }
        text
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::to_owned).collect()
}

/// Whether it is the process that was started, not a later one of the same number.
fn runs(&(number, start): &(u32, u64)) -> bool {
    started(number) == Some(start)
}

/// When a process started, in ticks since the system did; none when it has ended.
fn started(number: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name, in parentheses, may have anything in it. State is the 3rd field, start the 22nd.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    fields.nth(18)?.parse().ok().filter(|_| state != "Z")
}

/// A loopback port that is free now.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Whether a server answers a request with something that begins so.
pub(super) fn answers(port: u16, request: &str, beginning: &str) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = vec![0; beginning.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer == beginning.as_bytes())
}

/// Whether a server answers HTTP.
pub(super) fn answers_http(port: u16) -> bool {
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    answers(port, request, "HTTP/1.1 ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_another_process_has_is_not_taken_for_the_server() {
        let place = Place::new("target/servers-test/stale", "stale");
        place.clear().unwrap();
        let own = std::process::id();
        let start = started(own).unwrap();
        place.note(&[("A", "b".to_owned())]).unwrap();
        place.write(PROCESSES, &format!("{own} {start}\n")).unwrap();
        assert!(place.is_running());
        place
            .write(PROCESSES, &format!("{own} {}\n", start + 1))
            .unwrap();
        assert!(!place.is_running());
        // Ends nothing: this very process would be it.
        place.remove().unwrap();
        assert!(!place.path().exists());
    }
}
