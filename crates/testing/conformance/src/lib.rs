//! The conformance suite of `storage-core`: every rule of the storage contract as a named test that
//! a backend passes or fails. [`conformance!`] makes one `#[test]` a rule; [`Suite`] runs them all
//! and gives a [`Report`]. Which rules apply is read off the backend's
//! [`Features`](storage_core::Features): each flag is tested where it is true and where it is false.
//! A backend without an extended part is held to `atomic_write` and `range_read` and to refusing
//! the rest.
//!
//! ```
//! use storage_conformance::Suite;
//! use storage_core::Features;
//!
//! let races = Suite::rules().filter(|rule| rule.name().contains("race"));
//! assert!(races.clone().count() > 2);
//! // Every race is about a mode that a backend may not have.
//! assert!(races.into_iter().all(|rule| !rule.applies(&Features::NONE)));
//! ```

mod case;
mod fresh;
mod macros;
mod report;
mod rule;
mod rules;
mod seeded;
mod server;
mod suite;
mod table;
mod violation;

pub use fresh::Fresh;
pub use report::{Outcome, Report, RuleReport};
pub use rule::{Need, Rule, Topic};
pub use seeded::Seeded;
pub use server::server;
pub use suite::Suite;
#[doc(hidden)]
pub use suite::check;
pub use table::features_table;
