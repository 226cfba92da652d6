//! The filter language: as documented, and against rclone.

#![allow(clippy::unwrap_used)]

mod language;
mod rclone;
