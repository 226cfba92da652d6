//! The file backend against real directories: what the conformance suite cannot know of.

#![allow(missing_docs)]

mod file {
    mod basics;
}
