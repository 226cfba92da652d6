//! Which server, and with what credentials.

use crate::Result;

/// A bucket of an S3 server.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    /// Whether the content of uploads is signed.
    pub(crate) signed: bool,
}

pub(crate) const KEY: &str = "omnistorage";
pub(crate) const SECRET: &str = "omnistorage-secret";
pub(crate) const REGION: &str = "us-east-1";

impl Place {
    /// The server that `cargo xtask bench` started, and a bucket of this run's own.
    pub(crate) fn of_the_run() -> Result<Self> {
        let endpoint = std::env::var("OMNISTORAGE_TEST_RGW")
            .map_err(|_| "OMNISTORAGE_TEST_RGW does not name a server")?;
        Ok(Self {
            endpoint,
            bucket: format!("bench-{}", std::process::id()),
            signed: false,
        })
    }
}
