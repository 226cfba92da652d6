//! What runs in the server, in one step each.

/// A script, by its place in a connection's list of loaded ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Publish,
    Delete,
    Rename,
    Touch,
    Purge,
    List,
    Hold,
    Discard,
}

macro_rules! source {
    ($file:literal) => {
        concat!(
            include_str!("scripts/prelude.lua"),
            include_str!(concat!("scripts/", $file))
        )
    };
}

/// The text of every script, in the order of the variants.
pub(crate) const SOURCES: [&str; 8] = [
    source!("publish.lua"),
    source!("delete.lua"),
    source!("rename.lua"),
    source!("touch.lua"),
    source!("purge.lua"),
    source!("list.lua"),
    source!("hold.lua"),
    source!("discard.lua"),
];
