//! Trees whose files are changed on the way.

use std::sync::Arc;

use omnistorage::compression::Limits;
use omnistorage::pipeline::{Compress, Decompress};
use omnistorage::sync::{SyncError, Tree};

use crate::args::RecodeArgs;
use crate::renaming::Renaming;

/// The source as the arguments want it.
pub(crate) fn apply(args: &RecodeArgs, source: Tree) -> Result<Tree, SyncError> {
    Ok(match (args.compress, args.decompress) {
        (Some((compression, level)), _) => {
            source.transformed(Arc::new(Compress::new(compression, level)?))
        }
        (None, true) => source.transformed(Arc::new(Decompress::new(Limits::default()))),
        (None, false) if args.name_transform.is_empty() => source,
        (None, false) => {
            let renaming = Renaming(args.name_transform.clone());
            source.transformed(Arc::new(renaming))
        }
    })
}

/// Refuses the arguments where single files are meant.
pub(crate) fn refuse(args: &RecodeArgs) -> Result<(), SyncError> {
    match args.is_set() {
        true => Err(SyncError::Option {
            option: "compress, decompress, name-transform",
            reason:
                "they are for trees; a single file is converted by `omni convert` and named as \
                     the destination says"
                    .into(),
        }),
        false => Ok(()),
    }
}
