//! What the backend costs over plain SQLite. Run it by hand, optimized:
//! `cargo test --release -p storage-sqlite --test sqlite speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use storage_core::{BackendExt, ListOptions, Prefix, allow_blocking};
use storage_sqlite::{SqliteBackend, Synchronous};

const SMALL: usize = 10_000;
const LARGE: usize = 256 << 20;

fn shown(what: &str, own: Duration, plain: Duration) {
    println!("{what}: {own:.2?}, plain rusqlite {plain:.2?}");
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn plain() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("plain.db")).unwrap();
    let sql = "PRAGMA journal_mode = wal; PRAGMA synchronous = normal; \
        CREATE TABLE objects (path TEXT PRIMARY KEY, modified INTEGER, data BLOB)";
    connection.execute_batch(sql).unwrap();
    (folder, connection)
}

fn plain_put(connection: &Connection, key: &str, data: &[u8]) {
    connection
        .prepare_cached("INSERT OR REPLACE INTO objects VALUES (?1, 0, ?2)")
        .unwrap()
        .execute(params![key, data])
        .unwrap();
}

fn plain_get(connection: &Connection, key: &str) -> Vec<u8> {
    let mut get = connection
        .prepare_cached("SELECT data FROM objects WHERE path = ?1")
        .unwrap();
    get.query_row([key], |row| row.get(0)).unwrap()
}

fn plain_has(connection: &Connection, key: &str) -> bool {
    let mut has = connection
        .prepare_cached("SELECT 1 FROM objects WHERE path = ?1")
        .unwrap();
    has.exists([key]).unwrap()
}

fn plain_keys(connection: &Connection) -> usize {
    let mut list = connection
        .prepare("SELECT path, modified, length(data) FROM objects ORDER BY path")
        .unwrap();
    let rows = list.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).count()
}

/// Our calls and the plain ones, of each kind.
struct Contest<'c> {
    runtime: &'c tokio::runtime::Runtime,
    backend: &'c SqliteBackend,
    connection: &'c Connection,
    keys: &'c [String],
}

impl Contest<'_> {
    fn own(&self, work: impl Future) -> Duration {
        timed(|| drop(self.runtime.block_on(work)))
    }

    fn small(&self) {
        let content = vec![7u8; 4096];
        let own = self.own(async {
            for key in self.keys {
                self.backend.put(key, content.clone()).await.unwrap();
            }
        });
        let plain = timed(|| {
            let put = |key: &String| plain_put(self.connection, key, &content);
            self.keys.iter().for_each(put);
        });
        shown("10,000 puts of 4 KiB", own, plain);
        let own = self.own(async {
            for key in self.keys {
                self.backend.put(key, content.clone()).await.unwrap();
            }
        });
        let plain = timed(|| {
            let put = |key: &String| plain_put(self.connection, key, &content);
            self.keys.iter().for_each(put);
        });
        shown("10,000 puts of 4 KiB over others", own, plain);
        let own = self.own(async {
            for key in self.keys {
                assert!(self.backend.has(key).await.unwrap());
            }
        });
        let plain = timed(|| {
            let has = |key: &String| assert!(plain_has(self.connection, key));
            self.keys.iter().for_each(has);
        });
        shown("10,000 looks whether one exists", own, plain);
        let own = self.own(async {
            for key in self.keys {
                assert_eq!(self.backend.get(key).await.unwrap().len(), 4096);
            }
        });
        let plain = timed(|| {
            let get = |key: &String| drop(plain_get(self.connection, key));
            self.keys.iter().for_each(get);
        });
        shown("10,000 gets of 4 KiB", own, plain);
    }

    fn listing(&self) {
        let own = self.own(async {
            let options = ListOptions::default().recursive(true);
            let all = self.backend.entries(Prefix::root(), options).collect();
            assert_eq!(all.await.unwrap().len(), SMALL);
        });
        let plain = timed(|| assert_eq!(plain_keys(self.connection), SMALL));
        shown("listing 10,000 keys", own, plain);
    }

    fn large(&self) {
        let large = vec![1u8; LARGE];
        let own = self.own(self.backend.put("large", large.clone()));
        let plain = timed(|| plain_put(self.connection, "large", &large));
        shown("put of 256 MiB", own, plain);
        let own = self.own(self.backend.get("large"));
        let plain = timed(|| drop(plain_get(self.connection, "large")));
        shown("get of 256 MiB", own, plain);
    }
}

#[test]
#[ignore = "a measurement"]
fn beside_plain_rusqlite() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let keys: Vec<_> = (0..SMALL).map(|n| format!("dir/{n:06}")).collect();
    for in_place in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let builder = SqliteBackend::builder(folder.path().join("own.db"));
        let opening = builder.synchronous(Synchronous::Normal).open();
        let backend = runtime.block_on(opening).unwrap();
        let (_kept, connection) = plain();
        let contest = Contest {
            runtime: &runtime,
            backend: &backend,
            connection: &connection,
            keys: &keys,
        };
        let run = || {
            contest.small();
            contest.listing();
            contest.large();
        };
        if in_place {
            println!("calls in place");
            allow_blocking(run);
        } else {
            println!("calls by other threads");
            run();
        }
    }
}
