//! Tests against real servers. Each test has a bucket of its own, which goes with it.

mod bucket;
mod contract;
mod faults;
mod in_process;
mod opening;
mod secrets;
