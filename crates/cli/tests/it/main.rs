//! The program as a user runs it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod bisync;
#[cfg(feature = "s3")]
mod bisync_s3;
mod checksums;
#[cfg(feature = "s3")]
mod cleanup;
mod compare;
mod convert;
mod dedupe;
mod docs;
mod failures;
mod filters;
mod golden;
mod http;
mod killing;
mod layers;
mod limits;
#[cfg(target_os = "linux")]
mod links;
mod messages;
#[cfg(target_os = "linux")]
mod metadata;
mod objects;
mod recode;
mod remotes;
mod run;
#[cfg(feature = "s3")]
mod secrets;
#[cfg(feature = "s3")]
mod sharing;
mod single;
mod stdout;
mod trees;
mod usage;
mod wrapped;
