//! Length-prefixed records as their users see them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod layers;
mod protobuf;
mod round_trip;
