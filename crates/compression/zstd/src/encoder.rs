use std::fmt;

use storage_compression::{Encode, Output};
use storage_core::{Error, ErrorKind, Result};
use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CDict, CParameter, InBuffer, OutBuffer};

use crate::EncodeOptions;
use crate::options::DEFAULT_LEVEL;

/// Window of long-distance matching: the largest that decompressors accept unasked.
const LONG_WINDOW_LOG: u32 = 27;

/// Writes one Zstandard frame with a checksum.
#[derive(Default)]
pub struct ZstdEncoder {
    /// Made by the first call where there are no options, so that making an encoder cannot fail.
    context: Option<CCtx<'static>>,
}

impl ZstdEncoder {
    pub(crate) fn with_options(level: i32, options: &EncodeOptions) -> Result<Self> {
        let EncodeOptions {
            threads,
            long_distance,
            window_log,
            dictionary,
            ..
        } = options;
        let mut context = new_context(level)?;
        let mut parameters = Vec::new();
        if *threads > 0 {
            parameters.push(CParameter::NbWorkers(*threads));
        }
        if *long_distance {
            parameters.push(CParameter::EnableLongDistanceMatching(true));
        }
        if let Some(log) = window_log.or(long_distance.then_some(LONG_WINDOW_LOG)) {
            parameters.push(CParameter::WindowLog(log));
        }
        for parameter in parameters {
            context
                .set_parameter(parameter)
                .map_err(|code| refused(code, "parameter"))?;
        }
        if let Some(dictionary) = dictionary {
            // The context looks at it only when it is first used, which is too late to refuse it.
            CDict::try_create(dictionary, level)
                .ok_or_else(|| Error::config("zstd: the dictionary is damaged"))?;
            context
                .load_dictionary(dictionary)
                .map_err(|code| refused(code, "dictionary"))?;
        }
        Ok(Self {
            context: Some(context),
        })
    }

    /// `true` when there is nothing more to put.
    fn run(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        directive: ZSTD_EndDirective,
    ) -> Result<bool> {
        let context = match &mut self.context {
            Some(context) => context,
            empty => empty.insert(new_context(DEFAULT_LEVEL)?),
        };
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(output.unfilled());
        let result = context.compress_stream2(&mut to, &mut from, directive);
        let (taken, put) = (from.pos(), to.pos());
        *input = input.get(taken..).unwrap_or_default();
        output.advance(put);
        let left = result.map_err(|code| failed(code, "compression failed"))?;
        Ok(left == 0)
    }
}

fn new_context(level: i32) -> Result<CCtx<'static>> {
    let mut context = CCtx::try_create().ok_or_else(|| {
        Error::new(
            ErrorKind::Other,
            "zstd: no memory for a compression context",
        )
    })?;
    for parameter in [
        CParameter::CompressionLevel(level),
        CParameter::ChecksumFlag(true),
    ] {
        context
            .set_parameter(parameter)
            .map_err(|code| refused(code, "parameter"))?;
    }
    Ok(context)
}

/// An option that the library does not take.
pub(crate) fn refused(code: usize, what: &str) -> Error {
    let reason = zstd_safe::get_error_name(code);
    Error::config(format!("zstd: the {what} is refused: {reason}"))
}

fn failed(code: usize, what: &str) -> Error {
    let reason = zstd_safe::get_error_name(code);
    Error::new(ErrorKind::Other, format!("zstd: {what}: {reason}"))
}

impl Encode for ZstdEncoder {
    fn encode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<()> {
        while !input.is_empty() && !output.is_full() {
            self.run(input, output, ZSTD_EndDirective::ZSTD_e_continue)?;
        }
        Ok(())
    }

    fn flush(&mut self, output: &mut Output<'_>) -> Result<bool> {
        self.run(&mut &[][..], output, ZSTD_EndDirective::ZSTD_e_flush)
    }

    fn finish(&mut self, output: &mut Output<'_>) -> Result<bool> {
        self.run(&mut &[][..], output, ZSTD_EndDirective::ZSTD_e_end)
    }
}

impl fmt::Debug for ZstdEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZstdEncoder").finish_non_exhaustive()
    }
}
