//! The rules, a module for each part of the contract.

mod appending;
mod cancellation;
mod conditions;
mod isolation;
mod listing;
mod paths;
mod payloads;
mod races;
mod reading;
mod versions;
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
        conditions::RULES,
        races::RULES,
        appending::RULES,
        versions::RULES,
    ];
    tables.iter().copied().flatten()
}
