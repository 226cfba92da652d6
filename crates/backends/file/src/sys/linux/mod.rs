mod dir;
mod file;

pub(crate) use dir::*;
pub(crate) use file::*;
