//! `cargo xtask servers`: what tests talk to over the network.

use crate::{Command, Result};

pub(crate) const COMMAND: Command = Command {
    name: "servers",
    summary: "start, stop or show the servers that tests need",
    help: "usage: cargo xtask servers [status|up|down] [--only NAME]

Without an action, shows the status. `cargo xtask test` starts what is not running and
stops what it started.",
    run: |arguments| serve(SERVERS, arguments),
};

/// A server that the tests of some crate need: one row of [`SERVERS`].
#[derive(Debug)]
struct Server {
    name: &'static str,
    /// The crate whose tests need it.
    needed_by: &'static str,
    /// Starts it and waits until it answers.
    up: fn() -> Result,
    /// Stops it and removes its data. Fine when it does not run.
    down: fn() -> Result,
    /// Whether it answers.
    running: fn() -> Result<bool>,
}

/// Every server, in the order in which they start.
const SERVERS: &[Server] = &[];

/// Stops the servers of a test run when dropped, those alone that the run started.
#[derive(Debug)]
pub(crate) struct Started(Vec<&'static Server>);

/// Starts whatever is not running.
pub(crate) fn start_all() -> Result<Started> {
    let mut started = Started(Vec::new());
    for server in SERVERS {
        if !(server.running)()? {
            started.0.push(server);
            (server.up)()?;
        }
    }
    Ok(started)
}

impl Drop for Started {
    fn drop(&mut self) {
        for server in self.0.iter().rev() {
            if let Err(error) = (server.down)() {
                eprintln!("warning: {} was not stopped: {error}", server.name);
            }
        }
    }
}

fn serve(servers: &[Server], arguments: &[String]) -> Result {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (action, only) = match words.as_slice() {
        [] => ("status", None),
        [action] => (*action, None),
        ["--only", name] => ("status", Some(*name)),
        [action, "--only", name] => (*action, Some(*name)),
        _ => return Err("too many arguments; see --help".into()),
    };
    if let Some(name) = only.filter(|name| !servers.iter().any(|server| server.name == *name)) {
        return Err(format!("no server is named {name:?}; {}", names(servers)).into());
    }
    if !matches!(action, "status" | "up" | "down") {
        return Err(format!("unknown action {action:?}; see --help").into());
    }
    if servers.is_empty() {
        println!("{}", names(servers));
    }
    let chosen = |server: &&Server| only.is_none_or(|name| server.name == name);
    for server in servers.iter().filter(chosen) {
        act(server, action)?;
    }
    Ok(())
}

fn act(server: &Server, action: &str) -> Result {
    let state = match action {
        "up" if (server.running)()? => "running already",
        "up" => {
            (server.up)()?;
            "started"
        }
        "down" => {
            (server.down)()?;
            "stopped"
        }
        _ if (server.running)()? => "running",
        _ => "not running",
    };
    println!("{} (for {}): {state}", server.name, server.needed_by);
    Ok(())
}

fn names(servers: &[Server]) -> String {
    let names: Vec<_> = servers.iter().map(|server| server.name).collect();
    match names.is_empty() {
        true => "no test of this workspace needs a server".to_owned(),
        false => format!("known are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    static RUNNING: AtomicBool = AtomicBool::new(false);

    const ROWS: &[Server] = &[
        Server {
            name: "good",
            needed_by: "storage-test",
            up: || {
                RUNNING.store(true, Ordering::SeqCst);
                Ok(())
            },
            down: || {
                RUNNING.store(false, Ordering::SeqCst);
                Ok(())
            },
            running: || Ok(RUNNING.load(Ordering::SeqCst)),
        },
        Server {
            name: "broken",
            needed_by: "storage-test",
            up: || Err("it does not start".into()),
            down: || Ok(()),
            running: || Ok(false),
        },
    ];

    fn serve_words(servers: &[Server], words: &[&str]) -> Result<(), String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        serve(servers, &words).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_are_started_and_stopped_and_failures_reported() {
        assert_eq!(serve_words(ROWS, &["up", "--only", "good"]), Ok(()));
        assert!(RUNNING.load(Ordering::SeqCst));
        let error = serve_words(ROWS, &["up"]).unwrap_err();
        assert_eq!(error, "it does not start");
        assert_eq!(serve_words(ROWS, &["down"]), Ok(()));
        assert!(!RUNNING.load(Ordering::SeqCst));
    }

    #[test]
    fn unknown_names_and_actions_are_refused() {
        for words in [
            &["up", "--only", "x"][..],
            &["start"],
            &["up", "good", "bad"],
        ] {
            assert!(serve_words(ROWS, words).is_err(), "{words:?}");
        }
        let error = serve_words(&[], &["up", "--only", "minio"]).unwrap_err();
        assert!(error.contains("needs a server"), "{error}");
    }
}
