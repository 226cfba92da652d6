//! The rules, a module for each part of the contract.

mod abandoned;
mod appending;
mod attributes;
mod cancellation;
mod closing;
mod conditional_reads;
mod conditions;
mod copying;
mod deleting;
mod directories;
mod filters;
mod hashes;
mod isolation;
mod listing;
mod modified;
mod paths;
mod payloads;
mod places;
mod races;
mod ranges;
mod reading;
mod renaming;
mod telling;
mod versions;
mod walks;
mod writing;

use crate::rule::Rule;

/// Every rule, in the order of the contract's table.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> + Clone {
    let tables: &'static [&'static [Rule]] = &[
        paths::RULES,
        listing::RULES,
        filters::RULES,
        walks::RULES,
        reading::RULES,
        ranges::RULES,
        conditional_reads::RULES,
        isolation::RULES,
        writing::RULES,
        places::RULES,
        abandoned::RULES,
        payloads::RULES,
        cancellation::RULES,
        conditions::RULES,
        races::RULES,
        appending::RULES,
        versions::RULES,
        deleting::RULES,
        copying::RULES,
        renaming::RULES,
        attributes::RULES,
        modified::RULES,
        hashes::RULES,
        directories::RULES,
        closing::RULES,
        telling::RULES,
    ];
    tables.iter().copied().flatten()
}
