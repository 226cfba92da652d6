//! What a client costs in processor time, against a server that discards.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use storage_s3::Capabilities;
use tokio::runtime::Runtime;

use super::client::Client;
use super::object_store::ObjectStorePeer;
use super::opendal::OpenDal;
use super::own::Own;
use super::place::Place;
use super::race::{Amounts, COLUMNS, OBJECT_STORE, OPENDAL, OWN};
use super::sink::LARGE;
use super::work::{PART, Work};
use crate::arguments::Arguments;
use crate::contest::{Bar, Cell, Row};
use crate::samples::Samples;
use crate::trees::noise;
use crate::{Result, report};

/// The server, in a process of its own, which ends with its input.
struct Sink {
    child: Child,
    endpoint: String,
}

impl Sink {
    fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("sink")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let endpoint = line.trim().to_owned();
        Ok(Self { child, endpoint })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// One row: its work, how many requests the cost is of, and whether uploads are signed.
struct Task {
    title: String,
    work: Work,
    requests: u32,
    signed: bool,
    bars: Vec<Bar>,
}

/// Runs all rows; gives the table.
pub(crate) fn run(runtime: &Runtime, arguments: &Arguments, rounds: usize) -> Result<String> {
    let sink = Sink::start()?;
    let noise = Bytes::from(noise(PART));
    let wanted = arguments.row.as_deref().unwrap_or_default();
    let mut rows = Vec::new();
    for task in tasks(arguments.scale) {
        if task.title.contains(wanted) {
            rows.push(task.run(runtime, &sink, &noise, rounds)?);
        }
    }
    let table = report::table(&rows, &COLUMNS[..3]);
    Ok(format!(
        "### Processor time of the client, against a server that discards\n\n\
         OpenDAL signs no payload, so it is in the first row of puts alone.\n\n{table}"
    ))
}

fn tasks(scale: f64) -> Vec<Task> {
    let amounts = Amounts::of(scale);
    let Amounts {
        objects,
        parts,
        small: count,
        ..
    } = amounts;
    let bytes = objects as u64 * amounts.large();
    let task = |title: &str, work, signed, bytes: u64, seconds: f64| Task {
        title: format!("{title} {} MiB", bytes >> 20),
        work,
        requests: 1,
        signed,
        bars: vec![Bar::Time(seconds * bytes as f64 / f64::from(1 << 30))],
    };
    let put = Work::PutLarge {
        key: "large".to_owned(),
        objects,
        parts,
    };
    let (key, size) = ("large".to_owned(), LARGE);
    let objects = usize::try_from(bytes / LARGE).unwrap_or(0).max(1);
    let read = objects as u64 * LARGE;
    let each = |title: &str, work| Task {
        title: format!("{title}, each"),
        work,
        requests: u32::try_from(count).unwrap_or(u32::MAX),
        signed: false,
        bars: vec![Bar::FastestPeer(1.05)],
    };
    let prefix = || "small".to_owned();
    vec![
        task("put", put.clone(), false, bytes, 0.6),
        task("put, payload signed,", put, true, bytes, 1.25),
        task(
            "get",
            Work::GetLarge { key, objects, size },
            false,
            read,
            0.9,
        ),
        each(
            "put of 4 KiB",
            Work::PutSmall {
                prefix: prefix(),
                count,
            },
        ),
        each(
            "get of 4 KiB",
            Work::GetSmall {
                prefix: prefix(),
                count,
            },
        ),
        each(
            "stat",
            Work::Stat {
                prefix: prefix(),
                count,
            },
        ),
    ]
}

impl Task {
    fn run(&self, runtime: &Runtime, sink: &Sink, noise: &Bytes, rounds: usize) -> Result<Row> {
        eprintln!("  cost of {}", self.title);
        let clients = self.clients(runtime, sink)?;
        let mut samples = vec![Samples::default(); clients.len()];
        // The first round opens the connections.
        for turn in 0..(rounds + 1) * clients.len() {
            let at = (turn + turn / clients.len()) % clients.len();
            let (column, client) = &clients[at];
            let before = processor_time();
            let name = |error| format!("{}: {column}: {error}", self.title);
            runtime
                .block_on(self.work.run(client, noise))
                .map_err(name)?;
            let time = processor_time().saturating_sub(before);
            if turn >= clients.len() {
                samples[at].push(time / self.requests);
            }
        }
        let cells = clients
            .iter()
            .zip(samples)
            .map(|((column, _), samples)| Cell {
                column,
                samples,
                allocations: 0.0,
            });
        Ok(Row::new(&self.title, &self.bars, cells))
    }

    fn clients(
        &self,
        runtime: &Runtime,
        sink: &Sink,
    ) -> Result<Vec<(&'static str, Arc<dyn Client>)>> {
        let place = Place {
            endpoint: sink.endpoint.clone(),
            bucket: "bucket".to_owned(),
            signed: self.signed,
        };
        let own = runtime.block_on(Own::open(&place, Some(Capabilities::NONE)))?;
        let mut clients: Vec<(_, Arc<dyn Client>)> = vec![(OWN, Arc::new(own))];
        if !self.signed {
            clients.push((OPENDAL, Arc::new(OpenDal::new(&place, false)?)));
        }
        clients.push((OBJECT_STORE, Arc::new(ObjectStorePeer::new(&place, false)?)));
        Ok(clients)
    }
}

/// Of this process so far, all threads together, in user and in system.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
