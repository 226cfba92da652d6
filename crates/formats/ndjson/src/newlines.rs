use memchr::memchr;

/// Bytes looked at together.
const BLOCK: usize = 64;

/// Blocks looked at before the newlines found are given.
const BLOCKS: usize = 64;

/// Newlines found after which no further block is looked at.
const MANY: u8 = 64;

/// Room for the newlines of one more block and for one written in vain; as many as an index of one byte
/// can reach.
const PLACES: usize = 256;

/// Bytes from one newline to the next from which a search for each is faster.
const FAR: usize = 640;

/// Finds the newlines of one chunk in order.
///
/// A search for each newline costs a call and a mispredicted branch, more than the bytes of a line of
/// some hundred bytes take. So the newlines of up to 4 KiB are found at once, 64 bytes at a time as the
/// bits of a word, and noted almost without branches, as simdjson does it (Langdale and Lemire,
/// "Parsing gigabytes of JSON per second", 2019, section 3.1). They are searched for one by one only where
/// they are far between.
#[derive(Debug, Clone)]
pub(crate) struct Newlines {
    /// Where the bytes begin that `places` is about.
    base: usize,
    /// Newlines from `base` on.
    places: [u16; PLACES],
    /// How many of `places` hold, and how many of these were given.
    found: u8,
    given: u8,
    /// Where the bytes begin that were not looked at.
    next: usize,
    /// Whether the last lines were long, as then the next ones are too.
    far: bool,
}

impl Default for Newlines {
    fn default() -> Self {
        Self {
            base: 0,
            places: [0; PLACES],
            found: 0,
            given: 0,
            next: 0,
            far: false,
        }
    }
}

impl Newlines {
    /// Goes back to the beginning, for another chunk.
    pub(crate) const fn restart(&mut self) {
        (self.base, self.found, self.given, self.next) = (0, 0, 0, 0);
    }

    /// The place of the next newline. `chunk` is the same in every call.
    #[inline]
    pub(crate) fn find(&mut self, chunk: &[u8]) -> Option<usize> {
        if self.given == self.found {
            self.advance(chunk)?;
        }
        let place = self.base + usize::from(self.places[usize::from(self.given)]);
        self.given += 1;
        Some(place)
    }

    /// Notes the next newlines; `None` when there is none.
    #[inline(never)]
    fn advance(&mut self, chunk: &[u8]) -> Option<()> {
        // As many as there were in most blocks lately, and so in most of these.
        let dense = usize::from(self.found) > BLOCKS;
        (self.found, self.given) = (0, 0);
        if self.far {
            return self.search(chunk);
        }
        self.base = self.next;
        let rest = chunk.get(self.next..)?;
        match dense {
            true => self.scan::<3>(rest),
            false => self.scan::<1>(rest),
        }
        self.far = usize::from(self.found) < BLOCKS * BLOCK / FAR;
        if self.found == 0 {
            self.search(chunk)?;
        }
        Some(())
    }

    /// Notes the newlines that `rest` begins with. In each block the first `LIKELY` are written whether
    /// or not they are there, as a branch on that would be a guess.
    #[inline]
    fn scan<const LIKELY: usize>(&mut self, rest: &[u8]) {
        let (blocks, tail) = rest.as_chunks::<BLOCK>();
        let (mut offset, mut found) = (0u16, 0u8);
        for block in blocks.iter().take(BLOCKS) {
            found = note::<LIKELY>(&mut self.places, found, offset, mask(block));
            offset += BLOCK as u16;
            if found > MANY {
                break;
            }
        }
        self.next += usize::from(offset);
        if found <= MANY && blocks.len() < BLOCKS {
            let mut block = [0; BLOCK];
            block[..tail.len()].copy_from_slice(tail);
            found = note::<LIKELY>(&mut self.places, found, offset, mask(&block));
            self.next += tail.len();
        }
        self.found = found;
    }

    /// Notes the first newline from `next` on.
    fn search(&mut self, chunk: &[u8]) -> Option<()> {
        let Some(distance) = memchr(b'\n', chunk.get(self.next..)?) else {
            self.next = chunk.len();
            return None;
        };
        self.far = distance >= FAR;
        self.base = self.next + distance;
        self.next = self.base + 1;
        (self.places[0], self.found) = (0, 1);
        Some(())
    }
}

/// Notes the newlines of the block at `offset`, which are the bits of `mask`, behind those that were
/// found. Gives how many there are then.
#[inline]
fn note<const LIKELY: usize>(
    places: &mut [u16; PLACES],
    mut found: u8,
    offset: u16,
    mut mask: u64,
) -> u8 {
    for _ in 0..LIKELY {
        // The last bit spares a look at whether there is one.
        let bit = (mask | 1 << 63).trailing_zeros();
        places[usize::from(found)] = offset + bit as u16;
        found += u8::from(mask != 0);
        mask &= mask.wrapping_sub(1);
    }
    while mask != 0 {
        places[usize::from(found)] = offset + mask.trailing_zeros() as u16;
        found += 1;
        mask &= mask - 1;
    }
    found
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
        for gap in [
            0, 1, 2, 15, 62, 63, 64, 65, 127, 255, 256, 257, 1000, 4095, 4096, 9000,
        ] {
            for lead in [0, 1, 63, 64, 300, 4032, 4095, 4096] {
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
