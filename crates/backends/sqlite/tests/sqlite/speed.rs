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

fn plain_keys(connection: &Connection) -> usize {
    let mut list = connection
        .prepare("SELECT path, modified, length(data) FROM objects ORDER BY path")
        .unwrap();
    let rows = list.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).count()
}

#[test]
#[ignore = "a measurement"]
fn beside_plain_rusqlite() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let run = |in_place: bool, work: &mut dyn FnMut() -> Duration| {
        if in_place {
            allow_blocking(work)
        } else {
            work()
        }
    };
    let content = vec![7u8; 4096];
    for in_place in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let builder = SqliteBackend::builder(folder.path().join("own.db"));
        let opening = builder.synchronous(Synchronous::Normal).open();
        let backend = runtime.block_on(opening).unwrap();
        let (_kept, connection) = plain();
        println!(
            "calls {}",
            if in_place {
                "in place"
            } else {
                "by other threads"
            }
        );
        let keys: Vec<_> = (0..SMALL).map(|n| format!("dir/{n:06}")).collect();

        let own = run(in_place, &mut || {
            timed(|| {
                runtime.block_on(async {
                    for key in &keys {
                        backend.put(key, content.clone()).await.unwrap();
                    }
                })
            })
        });
        shown(
            "10,000 puts of 4 KiB",
            own,
            timed(|| {
                keys.iter()
                    .for_each(|key| plain_put(&connection, key, &content))
            }),
        );
        let own = run(in_place, &mut || {
            timed(|| {
                runtime.block_on(async {
                    for key in &keys {
                        assert_eq!(backend.get(key).await.unwrap().len(), 4096);
                    }
                })
            })
        });
        shown(
            "10,000 gets of 4 KiB",
            own,
            timed(|| {
                keys.iter()
                    .for_each(|key| drop(plain_get(&connection, key)))
            }),
        );
        let own = run(in_place, &mut || {
            timed(|| {
                runtime.block_on(async {
                    let options = ListOptions::default().recursive(true);
                    let all = backend
                        .entries(Prefix::root(), options)
                        .collect()
                        .await
                        .unwrap();
                    assert_eq!(all.len(), SMALL);
                })
            })
        });
        shown(
            "listing 10,000 keys",
            own,
            timed(|| assert_eq!(plain_keys(&connection), SMALL)),
        );
        let large = vec![1u8; LARGE];
        let own = run(in_place, &mut || {
            timed(|| {
                runtime
                    .block_on(backend.put("large", large.clone()))
                    .unwrap();
            })
        });
        shown(
            "put of 256 MiB",
            own,
            timed(|| plain_put(&connection, "large", &large)),
        );
        let own = run(in_place, &mut || {
            timed(|| {
                runtime.block_on(backend.get("large")).unwrap();
            })
        });
        shown(
            "get of 256 MiB",
            own,
            timed(|| drop(plain_get(&connection, "large"))),
        );
    }
}
