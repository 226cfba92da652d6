//! Everybody in turn on one server, by wall time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::client::Client;
use super::object_store::ObjectStorePeer;
use super::opendal::OpenDal;
use super::own::Own;
use super::place::Place;
use super::programs::{Folders, Program, make_bucket};
use super::work::{PART, Work};
use crate::arguments::Arguments;
use crate::contest::{Bar, Cell, Row};
use crate::samples::Samples;
use crate::trees::{Scratch, noise};
use crate::{Result, report};

pub(crate) const OWN: &str = "storage-s3";
pub(crate) const OPENDAL: &str = "OpenDAL";
pub(crate) const OBJECT_STORE: &str = "object_store";
pub(crate) const S5CMD: &str = "s5cmd";
pub(crate) const RCLONE: &str = "rclone";
pub(crate) const COLUMNS: &[&str] = &[OWN, OPENDAL, OBJECT_STORE, S5CMD, RCLONE];

const BARS: &[Bar] = &[Bar::FastestPeer(1.05)];

/// How long the server is given to collect large objects that were deleted.
const SETTLE: Duration = Duration::from_secs(3);

/// Where the objects are that all read.
const READ_LARGE: &str = "large/";
const READ_SMALL: &str = "small/";
const LISTED: &str = "listed/";

/// One contender, in one of the ways that it offers.
struct Contender {
    column: &'static str,
    doer: Doer,
}

enum Doer {
    Library(Arc<dyn Client>),
    Program(Program),
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts {
    pub(crate) objects: usize,
    pub(crate) parts: usize,
    pub(crate) small: usize,
    listed: usize,
}

impl Amounts {
    pub(crate) fn of(scale: f64) -> Self {
        let share = |number: f64| ((number * scale).round() as usize).max(1);
        Self {
            objects: share(4.0),
            parts: if scale < 0.25 { share(64.0).max(2) } else { 16 },
            small: share(10_000.0),
            listed: share(100_000.0),
        }
    }

    pub(crate) fn large(&self) -> u64 {
        (self.parts * PART) as u64
    }
}

/// What one contender does in one round: a step with a title is a row of the table.
struct Chain(Vec<(Option<String>, Work)>);

struct Race<'a> {
    runtime: &'a Runtime,
    place: Place,
    folders: Folders,
    contenders: Vec<Contender>,
    own: Arc<dyn Client>,
    noise: Bytes,
}

/// Runs all rows; gives the table.
pub(crate) fn run(runtime: &Runtime, arguments: &Arguments, rounds: usize) -> Result<String> {
    let amounts = Amounts::of(arguments.scale);
    let scratch = Scratch::new(&arguments.dir)?;
    let race = Race::prepare(runtime, &scratch, amounts)?;
    let wanted = arguments.row.as_deref().unwrap_or_default();
    let mut rows = Vec::new();
    for chain in chains(amounts) {
        if chain.titles().any(|title| title.contains(wanted)) {
            rows.extend(race.run(&chain, rounds)?);
        }
    }
    race.clean_up()?;
    let table = report::table(&rows, COLUMNS);
    Ok(format!("### Time on Ceph RGW\n\n{table}"))
}

fn chains(amounts: Amounts) -> Vec<Chain> {
    let Amounts {
        objects,
        parts,
        small: count,
        listed,
    } = amounts;
    let size = amounts.large();
    let mine = || "mine/".to_owned();
    let small = || READ_SMALL.to_owned();
    let total = (objects as u64 * size) >> 20;
    let large = |word| format!("{word} {total} MiB as {objects} × {} MiB", size >> 20);
    let many = |word, what| format!("{word} {count} {what}");
    let row = |title, work| Chain(vec![(Some(title), work)]);
    let put = || Work::PutSmall {
        prefix: mine(),
        count,
    };
    let purge = || Work::Purge { prefix: mine() };
    let get_large = Work::GetLarge {
        key: READ_LARGE.to_owned(),
        objects,
        size,
    };
    let ranges = Work::Ranges {
        key: format!("{READ_LARGE}0000000"),
        size,
        count,
    };
    vec![
        Chain(vec![
            (
                Some(large("put")),
                Work::PutLarge {
                    key: mine(),
                    objects,
                    parts,
                },
            ),
            (None, purge()),
        ]),
        row(large("get"), get_large),
        Chain(vec![
            (Some(many("put", "of 4 KiB")), put()),
            (
                Some(many("delete", "one by one")),
                Work::Delete {
                    prefix: mine(),
                    count,
                },
            ),
        ]),
        Chain(vec![
            (None, put()),
            (Some(many("delete a prefix of", "")), purge()),
        ]),
        row(
            many("get", "of 4 KiB"),
            Work::GetSmall {
                prefix: small(),
                count,
            },
        ),
        row(
            many("stat", ""),
            Work::Stat {
                prefix: small(),
                count,
            },
        ),
        row(many("read", "ranges of 4 KiB"), ranges),
        row(
            format!("list {listed}"),
            Work::List {
                prefix: LISTED.to_owned(),
                count: listed,
            },
        ),
    ]
}

impl Chain {
    fn titles(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(title, _)| title.as_deref())
    }
}

impl<'a> Race<'a> {
    /// Writes what all read.
    fn prepare(runtime: &'a Runtime, scratch: &Scratch, amounts: Amounts) -> Result<Self> {
        let place = Place::of_the_run()?;
        make_bucket(&place)?;
        let folder = |name| scratch.folder(name);
        let folders = Folders {
            large: folder("large")?,
            small: folder("small")?,
            out: folder("out")?,
            lists: folder("lists")?,
        };
        folders.fill(amounts.objects, amounts.parts, amounts.small)?;
        let own: Arc<dyn Client> = Arc::new(runtime.block_on(Own::open(&place, None))?);
        let contenders = contenders(&place, &own)?;
        let noise = Bytes::from(noise(PART));
        let race = Self {
            runtime,
            place,
            folders,
            contenders,
            own,
            noise,
        };
        let Amounts {
            objects,
            parts,
            small: count,
            listed,
        } = amounts;
        eprintln!("  preparing {}", race.place.bucket);
        race.own(&Work::PutLarge {
            key: READ_LARGE.to_owned(),
            objects,
            parts,
        })?;
        race.own(&Work::PutSmall {
            prefix: READ_SMALL.to_owned(),
            count,
        })?;
        race.own(&Work::PutSmall {
            prefix: LISTED.to_owned(),
            count: listed,
        })?;
        Ok(race)
    }

    fn own(&self, work: &Work) -> Result {
        self.runtime.block_on(work.run(&self.own, &self.noise))
    }

    /// Once without a clock, unless there is but one round, then in turn.
    fn run(&self, chain: &Chain, rounds: usize) -> Result<Vec<Row>> {
        let titles: Vec<_> = chain.titles().collect();
        eprintln!("  {}", titles.join(", "));
        let count = self.contenders.len();
        let mut samples = vec![vec![Samples::default(); count]; titles.len()];
        for turn in 0..rounds * count {
            let at = (turn + turn / count) % count;
            let times = self.round(chain, &self.contenders[at])?;
            for (row, time) in samples.iter_mut().zip(times) {
                row[at].extend(time);
            }
        }
        let rows = titles.iter().zip(samples);
        Ok(rows
            .map(|(title, samples)| self.row(title, samples))
            .collect())
    }

    /// The times of the steps with a title; none where the contender cannot do it.
    fn round(&self, chain: &Chain, contender: &Contender) -> Result<Vec<Option<Duration>>> {
        let mut times = Vec::new();
        for (title, work) in &chain.0 {
            match title {
                None => {
                    self.own(work)?;
                    if matches!(chain.0[0].1, Work::PutLarge { .. }) {
                        std::thread::sleep(SETTLE);
                    }
                }
                Some(title) => {
                    let time = self.time(work, contender);
                    let name = |error| format!("{title}: {}: {error}", contender.column);
                    times.push(time.map_err(name)?);
                }
            }
        }
        Ok(times)
    }

    fn time(&self, work: &Work, contender: &Contender) -> Result<Option<Duration>> {
        let start = Instant::now();
        match &contender.doer {
            Doer::Library(client) => {
                self.runtime.block_on(work.run(client, &self.noise))?;
                Ok(Some(start.elapsed()))
            }
            Doer::Program(program) => {
                let command = program.command(work, &self.place, &self.folders)?;
                let Some(mut command) = command else {
                    return Ok(None);
                };
                let start = Instant::now();
                let status = command.status()?;
                let time = start.elapsed();
                self.folders.clear()?;
                match status.success() {
                    true => Ok(Some(time)),
                    false => Err(format!("it ended with {status}").into()),
                }
            }
        }
    }

    fn row(&self, title: &str, samples: Vec<Samples>) -> Row {
        let cells = self.contenders.iter().zip(samples);
        let measured = cells.filter(|(_, samples)| !samples.is_empty());
        let cells = measured.map(|(contender, samples)| Cell {
            column: contender.column,
            samples,
            allocations: 0.0,
        });
        Row::new(title.trim(), BARS, cells)
    }

    fn clean_up(&self) -> Result {
        for prefix in [READ_LARGE, READ_SMALL, LISTED] {
            self.own(&Work::Purge {
                prefix: prefix.to_owned(),
            })?;
        }
        Ok(())
    }
}

fn contenders(place: &Place, own: &Arc<dyn Client>) -> Result<Vec<Contender>> {
    let library = |column, client| Contender {
        column,
        doer: Doer::Library(client),
    };
    let mut contenders = vec![
        library(OWN, Arc::clone(own)),
        library(OPENDAL, Arc::new(OpenDal::new(place, false)?)),
        library(OPENDAL, Arc::new(OpenDal::new(place, true)?)),
        library(OBJECT_STORE, Arc::new(ObjectStorePeer::new(place, false)?)),
        library(OBJECT_STORE, Arc::new(ObjectStorePeer::new(place, true)?)),
    ];
    for (column, program) in [(S5CMD, Program::S5cmd), (RCLONE, Program::Rclone)] {
        if program.is_there() {
            let doer = Doer::Program(program);
            contenders.push(Contender { column, doer });
        }
    }
    Ok(contenders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::work::SMALL;

    #[test]
    fn amounts_are_scaled_and_never_nothing() {
        let whole = Amounts::of(1.0);
        assert_eq!(whole.objects as u64 * whole.large(), 1 << 30);
        let (tiny, size) = (Amounts::of(0.001), SMALL as u64);
        assert!(tiny.objects == 1 && tiny.small == 10 && tiny.large() > size);
    }
}
