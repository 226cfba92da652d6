//! Tests against real servers. Each test has a bucket of its own, which goes with it.

mod bucket;
mod contract;
mod in_process;
