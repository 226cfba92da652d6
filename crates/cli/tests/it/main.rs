//! The program as a user runs it.

mod failures;
mod objects;
mod run;
mod trees;
