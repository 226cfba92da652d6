//! Readers and writers through layers, over several backends.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod closing;
mod detection;
mod refusals;
mod round_trip;
mod stores;
