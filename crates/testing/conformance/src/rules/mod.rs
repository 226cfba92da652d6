//! The rules, a module for each part of the contract.

mod paths;

use crate::rule::Rule;

/// Every rule, in the order of the contract's table.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> + Clone {
    let tables: &'static [&'static [Rule]] = &[paths::RULES];
    tables.iter().copied().flatten()
}
