use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use storage_core::{Backend as _, RmdirOptions};
use storage_core::{Error, ErrorKind, ExtendedBackend, ListOptions, ObjectPath, Prefix, Result};
use storage_s3::{S3Backend, S3Builder};

/// The key and secret of every server that tests use.
pub(crate) const KEY: &str = "omnistorage";
pub(crate) const SECRET: &str = "omnistorage-secret";

/// A bucket that is deleted when it is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) address: String,
    pub(crate) name: String,
}

impl Bucket {
    pub(crate) async fn create(address: &str) -> Result<Guard> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let bucket = Self {
            address: address.trim_end_matches('/').to_owned(),
            name: format!("test-{}-{}-{count}", std::process::id(), now.as_nanos()),
        };
        let created = bucket
            .client()
            .create_bucket()
            .bucket(&bucket.name)
            .send()
            .await;
        created.map_err(|error| Error::new(ErrorKind::Other, "no bucket").with_source(error))?;
        Ok(Guard(bucket))
    }

    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&self.address)
            .region(Region::new("us-east-1"))
            .force_path_style(true)
            .credentials_provider(Credentials::new(KEY, SECRET, None, None, "test"));
        Client::from_conf(config.build())
    }

    pub(crate) fn builder(&self) -> S3Builder {
        S3Backend::builder(&self.name)
            .endpoint(&self.address)
            .region("us-east-1")
            .credentials(KEY, SECRET, None)
    }

    pub(crate) async fn open(&self) -> Result<S3Backend> {
        self.builder().open().await
    }

    async fn delete(&self) -> Result<()> {
        let backend = self
            .builder()
            .capabilities(storage_s3::Capabilities::NONE)
            .open()
            .await?;
        for upload in backend
            .unfinished_uploads(std::time::Duration::ZERO)
            .await?
        {
            backend.abort_upload(&upload).await?;
        }
        let top = backend
            .list(&Prefix::root(), ListOptions::default())
            .await?;
        for entry in top.entries {
            delete(&backend, &entry.path, entry.is_dir).await?;
        }
        let deleted = self
            .client()
            .delete_bucket()
            .bucket(&self.name)
            .send()
            .await;
        deleted.map_err(|error| Error::new(ErrorKind::Other, "not deleted").with_source(error))?;
        Ok(())
    }
}

async fn delete(backend: &S3Backend, path: &ObjectPath, is_dir: bool) -> Result<()> {
    if is_dir {
        return backend
            .rmdir(path, RmdirOptions::default().recursive(true))
            .await;
    }
    backend.delete(path).await.map(drop)
}

/// Owns a bucket.
#[derive(Debug)]
pub(crate) struct Guard(Bucket);

impl std::ops::Deref for Guard {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let bucket = self.0.clone();
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                // A bucket that is left does no harm but take room.
                let _ = runtime.block_on(bucket.delete());
            }
        });
        let _ = cleaning.join();
    }
}
