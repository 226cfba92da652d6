//! What the backend costs over the plain client. Run it by hand, optimized:
//! `cargo test --release -p storage-redis --test redis speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use storage_core::{BackendExt, ListOptions, Prefix};
use storage_redis::RedisBackend;

use crate::server::{Address, prefix, shared};

const SMALL: usize = 10_000;
const LARGE: usize = 256 << 20;
const CHUNK: usize = 64 << 10;

async fn timed(work: impl Future) -> Duration {
    let start = Instant::now();
    drop(work.await);
    start.elapsed()
}

fn shown(what: &str, own: Duration, plain: Duration) {
    println!("{what}: {own:.2?}, plain redis {plain:.2?}");
}

async fn plain(address: &Address) -> MultiplexedConnection {
    let url = format!("redis://127.0.0.1:{}/{}", address.port, address.database);
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let client = redis::Client::open(url).unwrap();
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    connecting.await.unwrap()
}

/// One hash an object, with its size and time, and a set of all names.
async fn small(backend: &RedisBackend, mut plain: MultiplexedConnection, name: &str) {
    let content = vec![7u8; 4096];
    let own = timed(async {
        for number in 0..SMALL {
            backend
                .put(format!("{number:06}"), content.clone())
                .await
                .unwrap();
        }
    });
    let own = own.await;
    let other = timed(async {
        for number in 0..SMALL {
            let key = format!("{name}:{number:06}");
            let mut pipe = redis::pipe();
            pipe.atomic()
                .hset(&key, "d", &content)
                .hset(&key, "s", 4096)
                .zadd(name, &key, 0);
            pipe.exec_async(&mut plain).await.unwrap();
        }
    });
    shown("10,000 puts of 4 KiB", own, other.await);
    let own = timed(async {
        for number in 0..SMALL {
            assert_eq!(
                backend.get(format!("{number:06}")).await.unwrap().len(),
                4096
            );
        }
    });
    let own = own.await;
    let other = timed(async {
        for number in 0..SMALL {
            let key = format!("{name}:{number:06}");
            let _: (Vec<u8>, String) = plain.hmget(&key, &["d", "s"]).await.unwrap();
        }
    });
    shown("10,000 gets of 4 KiB", own, other.await);
    let own = timed(async {
        let options = ListOptions::default().recursive(true);
        let all = backend.entries(Prefix::root(), options).collect();
        assert_eq!(all.await.unwrap().len(), SMALL);
    });
    let own = own.await;
    let other = timed(async {
        let keys: Vec<String> = plain.zrange(name, 0, -1).await.unwrap();
        for keys in keys.chunks(1000) {
            let mut pipe = redis::pipe();
            for key in keys {
                pipe.hget(key, "s");
            }
            let _: Vec<u64> = pipe.query_async(&mut plain).await.unwrap();
        }
    });
    shown("listing 10,000 keys with sizes", own, other.await);
}

async fn large(backend: &RedisBackend, mut plain: MultiplexedConnection, name: &str) {
    let content = vec![1u8; LARGE];
    let own = timed(async { backend.put("large", content.clone()).await.unwrap() }).await;
    let other = timed(async {
        for (number, chunks) in content.chunks(16 * CHUNK).enumerate() {
            let mut pipe = redis::pipe();
            for (nth, chunk) in chunks.chunks(CHUNK).enumerate() {
                pipe.set(format!("{name}:c:{}", number * 16 + nth), chunk)
                    .ignore();
            }
            pipe.exec_async(&mut plain).await.unwrap();
        }
    });
    shown("put of 256 MiB", own, other.await);
    let own = timed(async { backend.get("large").await.unwrap() }).await;
    let other = timed(async {
        let mut all = Vec::with_capacity(LARGE);
        for number in 0..LARGE / CHUNK / 16 {
            let keys: Vec<_> = (0..16)
                .map(|nth| format!("{name}:c:{}", number * 16 + nth))
                .collect();
            let chunks: Vec<Vec<u8>> = plain.mget(keys).await.unwrap();
            chunks.iter().for_each(|chunk| all.extend_from_slice(chunk));
        }
        assert_eq!(all.len(), LARGE);
    });
    shown("get of 256 MiB", own, other.await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn beside_the_plain_client() {
    let Some(address) = shared() else {
        return;
    };
    let (own, name) = (prefix(), prefix());
    let backend = address.builder().prefix(own).open().await.unwrap();
    small(&backend, plain(&address).await, &name).await;
    large(&backend, plain(&address).await, &name).await;
}
