use flate2::{Compress, Compression, FlushCompress, Status};
use storage_compression::{Encode, Output};
use storage_core::{Error, ErrorKind, Result};

/// The window that every decompressor has: 32 KiB.
pub(crate) const WINDOW_BITS: u8 = 15;

/// Writes one gzip member without name and time, so that equal input gives equal output.
#[derive(Debug)]
pub struct GzipEncoder {
    deflate: Compress,
}

impl Default for GzipEncoder {
    fn default() -> Self {
        Self::with_level(6)
    }
}

impl GzipEncoder {
    /// `level` is between 0 and 9.
    pub(crate) fn with_level(level: i32) -> Self {
        let level = Compression::new(level.unsigned_abs());
        Self {
            deflate: Compress::new_gzip(level, WINDOW_BITS),
        }
    }

    fn run(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: FlushCompress,
    ) -> Result<Status> {
        let (taken, put) = (self.deflate.total_in(), self.deflate.total_out());
        let status = self.deflate.compress(input, output.unfilled(), flush);
        // Both are at most the length of a slice.
        let taken = (self.deflate.total_in() - taken) as usize;
        output.advance((self.deflate.total_out() - put) as usize);
        *input = input.get(taken..).unwrap_or_default();
        status.map_err(|error| {
            Error::new(ErrorKind::Other, "gzip: compression failed").with_source(error)
        })
    }
}

impl Encode for GzipEncoder {
    fn encode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<()> {
        self.run(input, output, FlushCompress::None).map(drop)
    }

    fn flush(&mut self, output: &mut Output<'_>) -> Result<bool> {
        self.run(&mut &[][..], output, FlushCompress::Sync)?;
        // Room left over means that there was nothing more to put.
        Ok(!output.is_full())
    }

    fn finish(&mut self, output: &mut Output<'_>) -> Result<bool> {
        let status = self.run(&mut &[][..], output, FlushCompress::Finish)?;
        Ok(status == Status::StreamEnd)
    }
}
