use std::fmt;

use storage_compression::{Compression, Decode, Fault, Output};
use storage_core::{Error, ErrorKind, Result};
use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use crate::DecodeOptions;
use crate::encoder::refused;

/// Reads Zstandard frames one after another, skippable ones too, and checks their checksums.
#[derive(Default)]
pub struct ZstdDecoder {
    /// Made by the first call where there are no options, so that making a decoder cannot fail.
    context: Option<DCtx<'static>>,
    between_frames: bool,
}

impl ZstdDecoder {
    pub(crate) fn with_options(options: &DecodeOptions) -> Result<Self> {
        let DecodeOptions {
            max_window_log,
            dictionary,
            ..
        } = options;
        let no_memory = || {
            Error::new(
                ErrorKind::Other,
                "zstd: no memory for a decompression context",
            )
        };
        let mut context = DCtx::try_create().ok_or_else(no_memory)?;
        if let Some(log) = max_window_log {
            let parameter = DParameter::WindowLogMax(*log);
            context
                .set_parameter(parameter)
                .map_err(|code| refused(code, "parameter"))?;
        }
        if let Some(dictionary) = dictionary {
            context
                .load_dictionary(dictionary)
                .map_err(|code| refused(code, "dictionary"))?;
        }
        Ok(Self {
            context: Some(context),
            between_frames: false,
        })
    }
}

/// Most that one call of the library gets: after a fault it does not say how far it came, and it takes
/// back what it put in the same call.
const MAX_INPUT: usize = 128 * 1024;

fn fault(code: usize) -> Fault {
    // The library's errors are its numbers below zero.
    if code == (ZSTD_ErrorCode::ZSTD_error_memory_allocation as usize).wrapping_neg() {
        return Fault::OutOfMemory;
    }
    Fault::Malformed(zstd_safe::get_error_name(code).into())
}

impl Decode for ZstdDecoder {
    fn compression(&self) -> Compression {
        Compression::Zstd
    }

    fn decode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<(), Fault> {
        let context = match &mut self.context {
            Some(context) => context,
            empty => empty.insert(DCtx::try_create().ok_or(Fault::OutOfMemory)?),
        };
        loop {
            let now = input.get(..MAX_INPUT).unwrap_or(input);
            let mut from = InBuffer::around(now);
            let mut to = OutBuffer::around(output.unfilled());
            let result = context.decompress_stream(&mut to, &mut from);
            let (taken, put) = (from.pos(), to.pos());
            *input = input.get(taken..).unwrap_or_default();
            output.advance(put);
            match result {
                // A call that does nothing says how much input it would like.
                Ok(hint) if taken > 0 || put > 0 => self.between_frames = hint == 0,
                Ok(_) => return Ok(()),
                Err(code) => return Err(fault(code)),
            }
            if input.is_empty() || output.is_full() {
                return Ok(());
            }
        }
    }

    fn may_end(&self) -> bool {
        self.between_frames
    }
}

impl fmt::Debug for ZstdDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZstdDecoder")
            .field("between_frames", &self.between_frames)
            .finish_non_exhaustive()
    }
}
