//! The contenders, each used as its documentation advises for speed.

mod object_store;
mod opendal;
mod own;
mod std_fs;

pub(crate) use self::object_store::{BufferedObjectStore, ObjectStorePeer};
pub(crate) use opendal::OpenDal;
pub(crate) use own::Own;
pub(crate) use std_fs::StdFs;
