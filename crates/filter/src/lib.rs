//! Choosing objects by path, size and age, in rclone's filter language.
//!
//! A [`Filter`] is made of ordered rules, of which the first that matches decides, or of a list of
//! paths, and of bounds of size and time. Its rule files are rclone's and work unchanged. It does no
//! input or output: the caller reads the files and walks the tree, asking
//! [`enters`](Filter::enters) of each directory, so that an excluded one need not be listed.
//!
//! ```
//! use storage_filter::Filter;
//!
//! let filter = Filter::builder()
//!     .rules("backup.filter", "- cache/\n+ *.{jpg,png}\n- *\n")?
//!     .build()?;
//! assert!(filter.includes_path("2026/a.jpg"));
//! assert!(!filter.includes_path("2026/a.txt"));
//! assert!(!filter.enters("2026/cache"));
//!
//! let error = Filter::builder().rules("bad.filter", "+ [a-z\n").unwrap_err();
//! assert_eq!(error.to_string(), "bad.filter:1:3: the `[` is not closed, in \"+ [a-z\"");
//! # Ok::<(), storage_filter::FilterError>(())
//! ```

mod builder;
mod directories;
mod error;
mod filter;
mod glob;
mod part;
mod pattern;
mod re2;
mod rules;
mod units;

pub use builder::FilterBuilder;
pub use error::FilterError;
pub use filter::Filter;
pub use pattern::Pattern;
pub use units::{UnitError, parse_age, parse_size};

/// The examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/filtering.md")]
mod guide {}
