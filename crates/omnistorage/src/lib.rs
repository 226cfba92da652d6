#![doc = include_str!("../../../README.md")]

pub use storage_core::*;

#[cfg(feature = "channel")]
#[doc(inline)]
pub use storage_channel as channel;
#[cfg(feature = "compression")]
#[doc(inline)]
pub use storage_compression as compression;
#[cfg(feature = "csv")]
#[doc(inline)]
pub use storage_csv as csv;
#[cfg(feature = "file")]
#[doc(inline)]
pub use storage_file as file;
#[cfg(feature = "filter")]
#[doc(inline)]
pub use storage_filter as filter;
#[cfg(feature = "format")]
#[doc(inline)]
pub use storage_format as format;
#[cfg(feature = "gcs")]
#[doc(inline)]
pub use storage_gcs as gcs;
#[cfg(feature = "gzip")]
#[doc(inline)]
pub use storage_gzip as gzip;
#[cfg(feature = "hash")]
#[doc(inline)]
pub use storage_hash as hash;
#[cfg(feature = "http")]
#[doc(inline)]
pub use storage_http as http;
#[cfg(feature = "length-prefixed")]
#[doc(inline)]
pub use storage_length_prefixed as length_prefixed;
#[cfg(feature = "memory")]
#[doc(inline)]
pub use storage_memory as memory;
#[cfg(feature = "middleware")]
#[doc(inline)]
pub use storage_middleware as middleware;
#[cfg(feature = "ndjson")]
#[doc(inline)]
pub use storage_ndjson as ndjson;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use storage_redis as redis;
#[cfg(feature = "s3")]
#[doc(inline)]
pub use storage_s3 as s3;
#[cfg(feature = "snappy")]
#[doc(inline)]
pub use storage_snappy as snappy;
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use storage_sqlite as sqlite;
#[cfg(feature = "sync")]
#[doc(inline)]
pub use storage_sync as sync;
#[cfg(feature = "zstd")]
#[doc(inline)]
pub use storage_zstd as zstd;

mod open;
#[cfg(feature = "pipeline")]
#[cfg_attr(
    not(feature = "full"),
    allow(
        unused,
        clippy::needless_pass_by_value,
        reason = "some of it serves layers that are not compiled in"
    )
)]
pub mod pipeline;

pub use open::{open, open_uri, registry};
#[cfg(feature = "pipeline")]
pub use pipeline::pipeline;
