//! The rules, a module for each part of the contract.

mod cancellation;
mod isolation;
mod listing;
mod paths;
mod payloads;
mod reading;
mod walks;
mod writing;

use crate::rule::Rule;

/// Every rule, in the order of the contract's table.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> + Clone {
    let tables: &'static [&'static [Rule]] = &[
        paths::RULES,
        listing::RULES,
        walks::RULES,
        reading::RULES,
        isolation::RULES,
        writing::RULES,
        payloads::RULES,
        cancellation::RULES,
    ];
    tables.iter().copied().flatten()
}
