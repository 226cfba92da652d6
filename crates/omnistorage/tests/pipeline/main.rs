//! Readers and writers through layers, over several backends.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod breaking;
mod closing;
mod damage;
mod detection;
mod recoding;
mod refusals;
mod round_trip;
mod stores;
