//! What a caller may say of a read, a write, a listing.

mod list;
mod presign;
mod range;
mod read;
mod rmdir;
mod write;

pub use list::{Links, ListOptions, ListParts};
pub use presign::{PresignOptions, PresignedMethod};
pub use range::ByteRange;
pub use read::{ReadOptions, ReadParts};
pub use rmdir::RmdirOptions;
pub use write::{AttributePolicy, Durability, WriteMode, WriteOptions, WriteParts};
