//! The benchmark `network`: the S3 backend, OpenDAL, object_store, s5cmd and rclone on one server,
//! and what the clients cost in processor time against a server that discards.

mod client;
mod cost;
mod object_store;
mod opendal;
mod own;
mod place;
mod programs;
mod race;
mod sink;
mod work;

use crate::arguments::Arguments;
use crate::{Result, machine};

pub(crate) use sink::serve as sink;

/// Runs everything; gives the section of the document.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    // Clients that bring no provider of their own take this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    opendal_http_transport_reqwest::install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let rounds = arguments.rounds.unwrap_or(5);
    let times = race::run(&runtime, arguments, rounds)?;
    let costs = cost::run(&runtime, arguments, rounds)?;
    let text = [heading(arguments, rounds), times, costs].join("\n");
    Ok(format!(
        "<!-- network:begin -->\n{text}\n<!-- network:end -->"
    ))
}

fn heading(arguments: &Arguments, rounds: usize) -> String {
    let programs = [("s5cmd", "version"), ("rclone", "version")];
    let programs = programs.map(|(program, word)| {
        let version = machine::first_line(program, word).unwrap_or_else(|| "none".to_owned());
        match version.starts_with(program) {
            true => version,
            false => format!("{program} {version}"),
        }
    });
    format!(
        "## Network\n\n\
         `{}`\n\n\
         {}. {}; {}. Ceph RGW on the same machine, its objects in memory, reached over loopback: \
         client and server share the cores. Runtime: tokio, 2 workers. Medians of {rounds} \
         interleaved rounds ± half the range of the middle half; of several ways that a library \
         offers, its fastest. Load of the machine when the run began: {}. Large objects go in parts \
         of 16 MiB, 4 in flight; small ones {} at once, 4 KiB each. Libraries take from and drop \
         into memory, programs read and write tmpfs.\n",
        arguments.command(),
        machine::describe(&arguments.dir),
        machine::versions(&["opendal", "object_store", "aws-sdk-s3"]),
        programs.join(", "),
        machine::load(),
        work::IN_FLIGHT,
    )
}
