//! Tests against real servers. Each test has a bucket of its own, which goes with it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bucket;
mod contract;
mod faults;
mod in_process;
mod local;
mod memory;
mod misleading;
mod opening;
mod regression;
mod secrets;
mod uploads;
