//! The benchmark `backends`: storage-file and storage-memory, OpenDAL, object_store and std::fs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use storage_core::{Backend, BackendFactory, Config};
use storage_file::FileFactory;
use storage_memory::MemoryBackend;
use tokio::runtime::Runtime;

use crate::arguments::Arguments;
use crate::contest::{Bar, Contest, Row};
use crate::peers::{BufferedObjectStore, ObjectStorePeer, OpenDal, Own, StdFs};
use crate::store::{Operation, Store};
use crate::trees::{Scratch, noise};
use crate::{Result, machine, report};

const FILE: &str = "storage-file";
const MEMORY: &str = "storage-memory";
const OPENDAL: &str = "OpenDAL";
const ATOMIC: &str = "OpenDAL, atomic";
const OBJECT_STORE: &str = "object_store";
const STD: &str = "std::fs";
const FILE_COLUMNS: &[&str] = &[FILE, OPENDAL, ATOMIC, OBJECT_STORE, STD];
const MEMORY_COLUMNS: &[&str] = &[MEMORY, OPENDAL, OBJECT_STORE];

const NEVER_SLOWER: Bar = Bar::FastestPeer(1.0);
const SIZES: &[(&str, usize)] = &[("4 KiB", 4 << 10), ("1 MiB", 1 << 20), ("64 MiB", 64 << 20)];
const LISTED: u64 = 10_000;
const CHUNK: usize = 256 << 10;
/// Keys that a batch of writes may create.
const NEW_KEYS: usize = 256;

/// Runs everything; gives the section of the document.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let rounds = arguments.rounds.unwrap_or(21);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let scratch = Scratch::new(&arguments.dir)?;
    let root = scratch.folder("root")?;
    prepare(&root)?;
    let run = |contests: Vec<Contest>| -> Result<Vec<Row>> {
        let row = arguments.row.as_deref().unwrap_or_default();
        let rows = contests.into_iter().filter(|contest| contest.is_named(row));
        rows.map(|contest| contest.run(&runtime, rounds)).collect()
    };
    let relaxed = Files::open(&runtime, &scratch, &root, false)?;
    let synced = Files::open(&runtime, &scratch, &root, true)?;
    let files = run(file_contests(&relaxed, &root))?;
    let durable = run(durable_contests(&synced))?;
    let memory = run(memory_contests(&runtime)?)?;
    let text = [
        heading(arguments, rounds),
        "### Files, nothing synced\n".to_owned(),
        report::table(&files, FILE_COLUMNS),
        "### Files, as durable as `fsync=data`, the default of storage-file\n".to_owned(),
        report::table(&durable, FILE_COLUMNS),
        "### Memory\n".to_owned(),
        report::table(&memory, MEMORY_COLUMNS),
        report::allocations(&memory, MEMORY_COLUMNS),
    ];
    let name = format!("backends-{}", machine::file_system(&arguments.dir));
    let text = text.join("\n");
    Ok(format!(
        "<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->"
    ))
}

fn heading(arguments: &Arguments, rounds: usize) -> String {
    format!(
        "## Backends on {}\n\n\
         `{}`\n\n\
         {}. {}. Runtime: tokio, 2 workers. Medians of {rounds} interleaved rounds ± half the range \
         of the middle half; of several ways that a peer offers (plain, concurrent, buffered), its \
         fastest. A read gives one piece of memory, so OpenDAL's pieces are joined; in the row of \
         pieces they are not. OpenDAL writes in place, or with a folder for temporary files (atomic), and \
         always syncs the file, and no directory, on close, which costs nothing on tmpfs. std::fs writes in place from the \
         worker itself; it is shown for orientation and is no peer.\n",
        machine::file_system(&arguments.dir),
        arguments.command(),
        machine::describe(&arguments.dir),
        machine::versions(&["opendal", "object_store", "tokio"]),
    )
}

/// The contenders on one folder.
struct Files {
    own: Own,
    opendal: OpenDal,
    atomic: OpenDal,
    plain: ObjectStorePeer,
    buffered: BufferedObjectStore,
    std: StdFs,
}

impl Files {
    fn open(runtime: &Runtime, scratch: &Scratch, root: &Path, sync: bool) -> Result<Self> {
        let text = root.to_str().ok_or("the folder is not UTF-8")?;
        let fsync = if sync { "data" } else { "none" };
        let config = Config::from_iter([("root", text), ("fsync", fsync)]);
        let temporary = scratch.folder("opendal")?;
        let store = Arc::new(LocalFileSystem::new_with_prefix(root)?.with_fsync(sync));
        Ok(Self {
            own: Own(runtime.block_on(FileFactory.open(config))?),
            opendal: OpenDal::fs(text, None)?,
            atomic: OpenDal::fs(text, temporary.to_str())?,
            plain: ObjectStorePeer(store.clone()),
            buffered: BufferedObjectStore(store),
            std: StdFs {
                root: root.to_path_buf(),
                sync,
            },
        })
    }

    /// Everyone on the same keys: for reads.
    fn reading(&self, contest: &mut Contest, operation: &Operation) {
        contest.enter(FILE, &self.own, operation);
        contest.enter(OPENDAL, &self.opendal, operation);
        contest.enter(OPENDAL, &self.opendal.concurrent(), operation);
        contest.enter(OBJECT_STORE, &self.plain, operation);
        if matches!(operation, Operation::StreamRead(..) | Operation::List(..)) {
            contest.enter(OBJECT_STORE, &self.buffered, operation);
        }
        contest.enter(STD, &self.std, operation);
    }

    /// Everyone on keys in a folder of their own. Below `emptied`, that folder is emptied before each
    /// batch.
    fn writing(
        &self,
        contest: &mut Contest,
        operation: impl Fn(&str) -> Operation,
        emptied: Option<&Path>,
    ) {
        let mut enter = Entering {
            contest,
            operation: &operation,
            emptied,
        };
        enter.one(FILE, &self.own, "own");
        enter.one(OPENDAL, &self.opendal, "opendal");
        enter.one(OPENDAL, &self.opendal.concurrent(), "opendal-concurrent");
        enter.one(ATOMIC, &self.atomic, "atomic");
        enter.one(ATOMIC, &self.atomic.concurrent(), "atomic-concurrent");
        enter.one(OBJECT_STORE, &self.plain, "object-store");
        enter.one(OBJECT_STORE, &self.buffered, "object-store-buffered");
        enter.one(STD, &self.std, "std");
    }
}

/// One contest being filled with contenders that write.
struct Entering<'a, F> {
    contest: &'a mut Contest,
    operation: &'a F,
    emptied: Option<&'a Path>,
}

impl<F: Fn(&str) -> Operation> Entering<'_, F> {
    fn one<S: Store>(&mut self, column: &'static str, store: &S, folder: &str) {
        let entered = self.contest.enter(column, store, &(self.operation)(folder));
        if let Some(parent) = self.emptied {
            let folder = parent.join(folder);
            entered.resetting(move || empty(&folder));
        }
    }
}

/// Writes what is read and listed.
fn prepare(root: &Path) -> Result {
    fs::create_dir(root.join("read"))?;
    fs::create_dir(root.join("list"))?;
    for (name, size) in SIZES {
        fs::write(root.join(read_key(name)), noise(*size))?;
    }
    for file in 0..LISTED {
        fs::write(root.join(format!("list/entry-{file:06}")), b"x")?;
    }
    Ok(())
}

fn read_key(size: &str) -> String {
    format!("read/{}", size.replace(' ', "-"))
}

fn file_contests(files: &Files, root: &Path) -> Vec<Contest> {
    let mut contests = Vec::new();
    for (name, size) in SIZES {
        let bars: &[Bar] = match *size {
            4096 => &[NEVER_SLOWER, Bar::Column(OBJECT_STORE, 0.5)],
            _ => &[NEVER_SLOWER],
        };
        let mut contest = Contest::new(format!("read {name}"), bars, 4096);
        files.reading(
            &mut contest,
            &Operation::Read(vec![read_key(name)], *size as u64),
        );
        contests.push(contest);
    }
    let mut contest = Contest::new("read 64 MiB in pieces, kept", &[NEVER_SLOWER], 1);
    let operation = Operation::ReadPieces(read_key("64 MiB"), 64 << 20);
    files.reading(&mut contest, &operation);
    contests.push(contest);
    contests.push(new_keys(files, root));
    contests.extend(
        SIZES
            .iter()
            .map(|size| replacing(files, *size, &[NEVER_SLOWER])),
    );
    let streaming = [Bar::Column(OPENDAL, 1.1), NEVER_SLOWER];
    let mut contest = Contest::new("stream-read 64 MiB", &streaming, 1);
    let operation = Operation::StreamRead(read_key("64 MiB"), 64 << 20);
    files.reading(&mut contest, &operation);
    contests.push(contest);
    contests.push(stream_write(files, &streaming));
    let mut contest = Contest::new("list 10,000", &[NEVER_SLOWER], 4);
    files.reading(&mut contest, &Operation::List("list".to_owned(), LISTED));
    contests.push(contest);
    contests
}

/// Held to the peer that does the same: OpenDAL syncs no directory, so that a new name may be lost.
fn durable_contests(files: &Files) -> Vec<Contest> {
    let bar = [Bar::Column(OBJECT_STORE, 1.0)];
    let sizes = SIZES.iter();
    let mut contests: Vec<_> = sizes.map(|size| replacing(files, *size, &bar)).collect();
    contests.push(stream_write(files, &bar));
    contests
}

/// Writes keys that do not exist.
fn new_keys(files: &Files, root: &Path) -> Contest {
    let bytes = Bytes::from(noise(4096));
    let mut contest = Contest::new("write 4 KiB, new key", &[NEVER_SLOWER], NEW_KEYS);
    let operation = |folder: &str| {
        let names = (0..NEW_KEYS).map(|key| format!("new/{folder}/key-{key:04}"));
        Operation::Write(names.collect(), bytes.clone())
    };
    files.writing(&mut contest, operation, Some(&root.join("new")));
    contest
}

/// Leaves a folder that exists and is empty.
fn empty(folder: &Path) -> Result {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// Writes a key that exists.
fn replacing(files: &Files, (name, size): (&str, usize), bars: &[Bar]) -> Contest {
    let bytes = Bytes::from(noise(size));
    let mut contest = Contest::new(format!("write {name}, replace"), bars, 1024);
    let operation = |folder: &str| {
        let key = format!("replace/{folder}/{}", name.replace(' ', "-"));
        Operation::Write(vec![key], bytes.clone())
    };
    files.writing(&mut contest, operation, None);
    contest
}

fn stream_write(files: &Files, bars: &[Bar]) -> Contest {
    let bytes = Bytes::from(noise(64 << 20));
    let chunks: Vec<_> = (0..bytes.len() / CHUNK)
        .map(|chunk| bytes.slice(chunk * CHUNK..(chunk + 1) * CHUNK))
        .collect();
    let mut contest = Contest::new("stream-write 64 MiB in 256 KiB", bars, 1);
    let operation =
        |folder: &str| Operation::StreamWrite(format!("stream/{folder}/key"), chunks.clone());
    files.writing(&mut contest, operation, None);
    contest
}

fn memory_contests(runtime: &Runtime) -> Result<Vec<Contest>> {
    let own: Arc<dyn Backend> = Arc::new(MemoryBackend::builder().build());
    let (own, opendal) = (Own(own), OpenDal::memory()?);
    let object_store = ObjectStorePeer(Arc::new(InMemory::new()));
    let names: Vec<_> = (0..1000)
        .map(|key| format!("folder/key-{key:04}"))
        .collect();
    let put = Operation::Write(names.clone(), Bytes::from(noise(100)));
    let get = Operation::Read(names.clone(), 100);
    runtime.block_on(put.clone().batch(own.clone(), 0..names.len(), false))?;
    runtime.block_on(put.clone().batch(opendal.clone(), 0..names.len(), false))?;
    runtime.block_on(
        put.clone()
            .batch(object_store.clone(), 0..names.len(), false),
    )?;
    let contest = |title: &str, bars: &[Bar], operation: &Operation| {
        let mut contest = Contest::new(title, bars, 100_000);
        contest.enter(MEMORY, &own, operation);
        contest.enter(OPENDAL, &opendal, operation);
        contest.enter(OBJECT_STORE, &object_store, operation);
        contest
    };
    let get_bars = [NEVER_SLOWER, Bar::Allocations(2.0)];
    Ok(vec![
        contest("get 100 B", &get_bars, &get),
        contest("put 100 B", &[NEVER_SLOWER], &put),
    ])
}
