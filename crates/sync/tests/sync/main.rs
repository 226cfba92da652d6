//! The semantics of the engine, one named test a rule.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bisync;
mod bounds;
mod cancelling;
mod checking;
mod comparing;
mod deduping;
mod deleting;
mod directory_times;
mod failing;
mod files;
mod filtering;
mod folding;
mod keeping;
mod limiting;
mod links;
mod moving;
mod naming;
mod one_object;
mod one_tree;
mod plan_files;
#[cfg(unix)]
mod refusing;
mod renaming;
mod semantics;
mod timing;
mod transforming;
mod trees;
mod unchanged;
mod verifying;
mod walking;
