use memchr::memchr;

/// Bytes looked at together.
const BLOCK: usize = 64;

/// Bytes from one newline to the next from which a search is faster.
const FAR: usize = 144;

/// Blocks without a newline after which a search goes on.
const STEPS: usize = 4;

/// Finds the newlines of one chunk in order.
///
/// A search for each newline costs a call of some ten nanoseconds, more than the bytes of a short
/// line take. So newlines are found 64 bytes at a time, as the bits of a word, and searched for only
/// where they are far between.
#[derive(Debug, Clone, Default)]
pub(crate) struct Newlines {
    /// Where the block begins that `mask` is about.
    block: usize,
    /// The newlines of the block that were not given yet.
    mask: u64,
    /// Where the next block begins.
    next: usize,
    /// Whether the last line was long, as then the next one is too.
    far: bool,
}

impl Newlines {
    /// The place of the next newline. `chunk` is the same in every call.
    #[inline]
    pub(crate) fn find(&mut self, chunk: &[u8]) -> Option<usize> {
        if self.mask == 0 {
            self.advance(chunk)?;
        }
        let place = self.block + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(place)
    }

    /// Goes on to the next newline; `None` when there is none.
    #[inline]
    fn advance(&mut self, chunk: &[u8]) -> Option<()> {
        if !self.far {
            for steps in 1..=STEPS {
                self.step(chunk.get(self.next..)?);
                if self.mask != 0 {
                    self.far = steps * BLOCK > FAR;
                    return Some(());
                }
            }
        }
        let Some(distance) = memchr(b'\n', chunk.get(self.next..)?) else {
            self.next = chunk.len();
            return None;
        };
        // After steps in vain the line is as long as that.
        self.far = !self.far || distance >= FAR;
        (self.block, self.mask) = (self.next + distance, 1);
        self.next = self.block + 1;
        Some(())
    }

    /// Looks at the block that `rest` begins with.
    #[inline]
    fn step(&mut self, rest: &[u8]) {
        self.block = self.next;
        self.mask = match rest.first_chunk::<BLOCK>() {
            Some(block) => {
                self.next += BLOCK;
                mask(block)
            }
            None => {
                self.next += rest.len();
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                mask(&block)
            }
        };
    }
}

/// A bit for each byte, set where it is a newline; the first byte is the lowest bit.
#[inline]
fn mask(block: &[u8; BLOCK]) -> u64 {
    let newline = wide::u8x16::splat(b'\n');
    let (lanes, _) = block.as_chunks::<16>();
    lanes.iter().rev().fold(0, |mask, lane| {
        let equal = wide::u8x16::new(*lane).simd_eq(newline);
        mask << 16 | u64::from(equal.to_bitmask() as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_those_of_a_loop() {
        let mut state = 1u64;
        for round in 0..2000 {
            let block: [u8; BLOCK] = std::array::from_fn(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                // Newlines, their neighbours and everything else.
                let byte = (state >> 56) as u8;
                if byte < 100 { 8 + byte % 5 } else { byte }
            });
            let set = |(bit, byte): (usize, &u8)| u64::from(*byte == b'\n') << bit;
            let expected = block.iter().enumerate().map(set).sum::<u64>();
            assert_eq!(mask(&block), expected, "round {round}");
        }
    }

    #[test]
    fn newlines_are_found_near_and_far() {
        for gap in [0, 1, 2, 15, 62, 63, 64, 65, 127, 255, 256, 257, 1000] {
            for lead in [0, 1, 63, 64, 300] {
                let mut chunk = vec![b'x'; lead];
                for _ in 0..9 {
                    chunk.push(b'\n');
                    chunk.resize(chunk.len() + gap, b'x');
                }
                let mut newlines = Newlines::default();
                let found: Vec<_> = std::iter::from_fn(|| newlines.find(&chunk)).collect();
                let expected: Vec<_> = (0..9).map(|n| lead + n * (gap + 1)).collect();
                assert_eq!(found, expected, "gap {gap}, lead {lead}");
                assert_eq!(newlines.find(&chunk), None);
            }
        }
    }

    #[test]
    fn newlines_are_found_where_distances_vary() {
        let gaps = [0, 500, 1, 129, 127, 128, 64, 2000, 3, 3, 200, 0, 0, 63, 190];
        for turn in 0..gaps.len() {
            let mut chunk = Vec::new();
            let mut expected = Vec::new();
            for gap in gaps.iter().cycle().skip(turn).take(60) {
                chunk.resize(chunk.len() + gap, b'x');
                expected.push(chunk.len());
                chunk.push(b'\n');
            }
            let mut newlines = Newlines::default();
            let found: Vec<_> = std::iter::from_fn(|| newlines.find(&chunk)).collect();
            assert_eq!(found, expected, "from gap {turn}");
        }
    }
}
