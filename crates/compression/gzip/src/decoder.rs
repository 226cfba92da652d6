use flate2::{Decompress, FlushDecompress, Status};
use storage_compression::{Compression, Decode, Fault, Output};

use crate::encoder::WINDOW_BITS;

/// Reads gzip members one after another; checks length and CRC-32 of each, and the header's own
/// checksum where there is one.
///
/// What follows a member must be another one. Padding, which the `gzip` program skips, is malformed
/// here, as it cannot be told from damage.
#[derive(Debug)]
pub struct GzipDecoder {
    inflate: Decompress,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Within,
    Between,
}

impl Default for GzipDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl GzipDecoder {
    /// Ready for the first member.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inflate: Decompress::new_gzip(WINDOW_BITS),
            at: At::Start,
        }
    }
}

impl Decode for GzipDecoder {
    fn compression(&self) -> Compression {
        Compression::Gzip
    }

    fn decode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<(), Fault> {
        while !output.is_full() {
            match self.at {
                At::Start | At::Between if input.is_empty() => break,
                At::Between => self.inflate.reset(true),
                At::Start | At::Within => {}
            }
            self.at = At::Within;
            let (taken, put) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(input, output.unfilled(), FlushDecompress::None);
            // Both are at most the length of a slice.
            let taken = (self.inflate.total_in() - taken) as usize;
            let put = (self.inflate.total_out() - put) as usize;
            output.advance(put);
            *input = input.get(taken..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => self.at = At::Between,
                Ok(Status::Ok | Status::BufError) if taken == 0 && put == 0 => break,
                Ok(Status::Ok | Status::BufError) => {}
                Err(error) => {
                    let reason = error.message().unwrap_or("the deflate data make no sense");
                    return Err(Fault::Malformed(reason.to_owned().into()));
                }
            }
        }
        Ok(())
    }

    fn may_end(&self) -> bool {
        self.at == At::Between
    }
}
