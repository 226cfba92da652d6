//! `cargo xtask servers`: what tests talk to over the network.

mod install;
mod moto;
mod nginx;
mod place;
mod redis;
mod rgw;

use std::fs::File;
use std::time::Duration;

use crate::{Command, Result, tools};
use place::{FOLDER, Place};

pub(crate) const COMMAND: Command = Command {
    name: "servers",
    summary: "start, stop or show the servers that tests need",
    help: "usage: cargo xtask servers [status|up|down] [--only NAME]

  status  shows what runs; the default
  up      installs what is missing (Debian packages as root, Python packages into
          target/python), starts what does not run, waits until it answers and prints the
          variables that tests read
  down    stops and removes it, with its data

Servers listen on free loopback ports; data, logs and addresses are in target/servers/NAME, where
tests that are run by cargo itself find them. `cargo xtask test` starts what is not running and
stops what it started. A server of your own takes the place of one of these in its variable, such
as OMNISTORAGE_TEST_REDIS=redis://127.0.0.1:6379/0.",
    run: |arguments| serve(SERVERS, FOLDER, arguments),
};

/// A server that the tests of some crate need: one row of [`SERVERS`].
#[derive(Debug)]
struct Server {
    name: &'static str,
    /// The crates whose tests need it.
    needed_by: &'static str,
    /// Its programs, each with the Debian package that has it.
    programs: &'static [(&'static str, &'static str)],
    /// Its Python packages, as `pip` takes them.
    python: &'static [&'static str],
    /// Starts it and waits until it answers. Gives the variables for tests, the first of which has
    /// the server's name.
    start: fn(&Place) -> Result<Variables>,
}

/// Variables that tests read, with their values.
type Variables = Vec<(&'static str, String)>;

/// Every server, in the order in which they start.
const SERVERS: &[Server] = &[rgw::SERVER, moto::SERVER, nginx::SERVER, redis::SERVER];

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// How it stands with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Running,
    Started,
    /// Somebody named another one in its variable.
    Elsewhere,
    /// Why it cannot be had here, and what would help.
    Missing(String),
}

impl Server {
    /// Installs and starts it if it does not run.
    fn up(&self, place: &Place) -> Result<State> {
        if is_elsewhere(self.name) {
            return Ok(State::Elsewhere);
        }
        if place.is_running() {
            return Ok(State::Running);
        }
        if let Some(help) = install::help(self) {
            let reason = format!("it is not installed; run `{help}`");
            return Ok(State::Missing(reason));
        }
        place.clear()?;
        let variables = (self.start)(place)
            .inspect_err(|_| place.stop())
            .map_err(|error| format!("{}: {error}", self.name))?;
        place.note(&variables)?;
        Ok(State::Started)
    }
}

/// Whether somebody named a server of their own.
fn is_elsewhere(name: &str) -> bool {
    std::env::var_os(format!("OMNISTORAGE_TEST_{}", name.to_uppercase())).is_some()
}

/// Stops the servers of a test run when dropped, those alone that the run started.
#[derive(Debug)]
pub(crate) struct Started(Vec<Place>);

/// Starts whatever is not running. Says what cannot be had; in CI that is an error.
pub(crate) fn start_all() -> Result<Started> {
    start(SERVERS.iter().collect(), FOLDER)
}

/// Starts the server of this name if it does not run. An error where it cannot be had.
pub(crate) fn start_one(name: &str) -> Result<Started> {
    let servers = SERVERS.iter().filter(|server| server.name == name);
    let started = start(servers.collect(), FOLDER)?;
    let place = Place::new(FOLDER, name);
    match place.is_running() || is_elsewhere(name) {
        true => Ok(started),
        false => Err(format!("{name} does not run").into()),
    }
}

fn start(servers: Vec<&'static Server>, folder: &str) -> Result<Started> {
    let mut started = Started(Vec::new());
    let mut missing = Vec::new();
    let states = up_together(servers.clone(), folder)?;
    for (server, state) in servers.into_iter().zip(states) {
        match state {
            Ok(State::Started) => started.0.push(Place::new(folder, server.name)),
            Ok(State::Missing(reason)) => missing.push(format!("{}: {reason}", server.name)),
            Ok(State::Running | State::Elsewhere) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if tools::in_ci() && !missing.is_empty() {
        return Err(missing.join("\n").into());
    }
    for line in missing {
        println!("  SKIPPED: the tests that need {line}");
    }
    Ok(started)
}

/// Starts servers at the same time, each in a thread; one run of this at a time on a machine's
/// checkout.
fn up_together(servers: Vec<&'static Server>, folder: &str) -> Result<Vec<Result<State, String>>> {
    let _only = lock(folder)?;
    install::install(&servers)?;
    Ok(std::thread::scope(|scope| {
        let threads: Vec<_> = servers
            .into_iter()
            .map(|server| {
                let place = Place::new(folder, server.name);
                scope.spawn(move || server.up(&place).map_err(|error| error.to_string()))
            })
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|state| state.unwrap_or_else(|_| Err("starting it panicked".to_owned())))
            .collect()
    }))
}

fn lock(folder: &str) -> Result<File> {
    let folder = crate::run::root().join(folder);
    std::fs::create_dir_all(&folder)?;
    let file = File::create(folder.join("lock"))?;
    file.lock()?;
    Ok(file)
}

/// The variables of all servers that run, as a command passes them on to tests.
pub(crate) fn variables() -> Vec<(String, String)> {
    let places = SERVERS.iter().map(|server| Place::new(FOLDER, server.name));
    let lines = places
        .filter(Place::is_running)
        .flat_map(|place| place.variables());
    lines
        .filter_map(|line| {
            line.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

impl Drop for Started {
    fn drop(&mut self) {
        for place in self.0.iter().rev() {
            if let Err(error) = place.remove() {
                eprintln!("warning: {} was not stopped: {error}", place.name());
            }
        }
    }
}

fn serve(servers: &'static [Server], folder: &str, arguments: &[String]) -> Result {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (action, only) = match words.as_slice() {
        [] => ("status", None),
        [action] => (*action, None),
        ["--only", name] => ("status", Some(*name)),
        [action, "--only", name] => (*action, Some(*name)),
        _ => return Err("too many arguments; see --help".into()),
    };
    let chosen: Vec<_> = servers
        .iter()
        .filter(|server| only.is_none_or(|name| server.name == name))
        .collect();
    if let Some(name) = only.filter(|_| chosen.is_empty()) {
        let names: Vec<_> = servers.iter().map(|server| server.name).collect();
        return Err(format!(
            "no server is named {name:?}; known are {}",
            names.join(", ")
        )
        .into());
    }
    match action {
        "status" => show(&chosen, folder),
        "up" => up(chosen, folder),
        "down" => down(&chosen, folder),
        _ => Err(format!("unknown action {action:?}; see --help").into()),
    }
}

fn show(servers: &[&Server], folder: &str) -> Result {
    for server in servers {
        let place = Place::new(folder, server.name);
        let state = match place.is_running() {
            true => "running",
            false => "not running",
        };
        println!("{} (for {}): {state}", server.name, server.needed_by);
        place
            .variables()
            .iter()
            .for_each(|line| println!("  {line}"));
    }
    Ok(())
}

fn up(servers: Vec<&'static Server>, folder: &str) -> Result {
    let mut failures = Vec::new();
    let states = up_together(servers.clone(), folder)?;
    for (server, state) in servers.iter().zip(states) {
        let text = match state {
            Ok(State::Running) => "running already".to_owned(),
            Ok(State::Started) => "started".to_owned(),
            Ok(State::Elsewhere) => "named in the environment".to_owned(),
            Ok(State::Missing(reason)) | Err(reason) => {
                failures.push(reason.clone());
                reason
            }
        };
        println!("# {} (for {}): {text}", server.name, server.needed_by);
    }
    for server in servers {
        let lines = Place::new(folder, server.name).variables();
        lines.iter().for_each(|line| println!("export {line}"));
    }
    match failures.len() {
        0 => Ok(()),
        number => Err(format!("{number} servers do not run").into()),
    }
}

fn down(servers: &[&Server], folder: &str) -> Result {
    let _only = lock(folder)?;
    for server in servers.iter().rev() {
        let place = Place::new(folder, server.name);
        let state = match place.is_running() {
            true => "stopped",
            false => "was not running",
        };
        place.remove()?;
        println!("{} (for {}): {state}", server.name, server.needed_by);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[Server] = &[
        Server {
            name: "good",
            needed_by: "storage-test",
            programs: &[("sleep", "coreutils")],
            python: &[],
            start: |place| {
                place.spawn("sleep", &["600"])?;
                Ok(vec![("OMNISTORAGE_TEST_GOOD", "somewhere".to_owned())])
            },
        },
        Server {
            name: "broken",
            needed_by: "storage-test",
            programs: &[],
            python: &[],
            start: |place| {
                place.spawn("sh", &["-c", "echo no port left; exit 3"])?;
                place.wait("an answer", || false)?;
                Ok(Vec::new())
            },
        },
    ];

    fn serve_words(folder: &str, words: &[&str]) -> Result<(), String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        serve(ROWS, folder, &words).map_err(|error| error.to_string())
    }

    fn running(folder: &str, name: &str) -> bool {
        Place::new(folder, name).is_running()
    }

    #[test]
    fn rows_are_started_and_stopped_and_failures_reported() {
        let folder = "target/servers-test/rows";
        assert_eq!(serve_words(folder, &["up", "--only", "good"]), Ok(()));
        assert!(running(folder, "good"));
        let place = Place::new(folder, "good");
        assert_eq!(place.variables(), ["OMNISTORAGE_TEST_GOOD=somewhere"]);
        assert_eq!(serve_words(folder, &["up", "--only", "good"]), Ok(()));
        let error = serve_words(folder, &["up"]).unwrap_err();
        assert_eq!(error, "1 servers do not run");
        assert_eq!(serve_words(folder, &["down"]), Ok(()));
        assert!(!running(folder, "good"));
        assert_eq!(place.variables(), [""; 0]);
        assert_eq!(serve_words(folder, &["down"]), Ok(()));
    }

    #[test]
    fn a_run_stops_what_it_started_and_nothing_else() {
        let folder = "target/servers-test/run";
        let first = start(vec![&ROWS[0]], folder).unwrap();
        let second = start(vec![&ROWS[0]], folder).unwrap();
        drop(second);
        assert!(running(folder, "good"));
        drop(first);
        assert!(!running(folder, "good"));
        let error = start(ROWS.iter().collect(), folder)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("broken") && error.contains("no port left"),
            "{error}"
        );
    }

    #[test]
    fn unknown_names_and_actions_are_refused() {
        for words in [
            &["up", "--only", "x"][..],
            &["start"],
            &["up", "good", "bad"],
        ] {
            let refused = serve_words("target/servers-test/refused", words);
            assert!(refused.is_err(), "{words:?}");
        }
    }
}
