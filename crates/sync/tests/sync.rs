//! The semantics of the engine, one named test a rule.

mod bounds;
mod cancelling;
mod checking;
mod comparing;
mod deleting;
mod failing;
mod moving;
mod naming;
mod trees;
mod unchanged;
mod verifying;
