//! Serves a new store in memory as S3 until it is interrupted, to try clients by hand:
//! `cargo run -p storage-s3-server --example serve -- BUCKET...`

use std::sync::Arc;

use storage_memory::MemoryBackend;
use storage_s3_server::{S3Server, ServerOptions};

#[tokio::main]
async fn main() -> storage_core::Result<()> {
    let backend = MemoryBackend::builder().directories(false).build();
    let options = ServerOptions::new("omnistorage", "omnistorage-secret");
    let options = std::env::args()
        .skip(1)
        .fold(options, ServerOptions::bucket);
    let server = S3Server::start(Arc::new(backend), options).await?;
    println!("{}", server.endpoint());
    std::future::pending().await
}
