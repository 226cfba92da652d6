use bytes::Bytes;

/// What the last bytes of an input decide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cuts {
    seed: u64,
    /// One bit an option.
    pub(crate) options: u8,
}

impl Cuts {
    /// Takes the deciding bytes off the end of `data`.
    pub(crate) fn split(data: &[u8]) -> Option<(&[u8], Self)> {
        let (input, [options, a, b]) = data.split_last_chunk()?;
        let seed = u64::from(u16::from_le_bytes([*a, *b]));
        let options = *options;
        Some((input, Self { seed, options }))
    }

    pub(crate) const fn option(self, bit: u8) -> bool {
        self.options >> bit & 1 == 1
    }

    /// A number below `end`, another one for each `use_of`.
    pub(crate) fn below(self, end: usize, use_of: u64) -> usize {
        let mixed = (self.seed + (use_of << 16) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize % end.max(1)
    }

    /// `input` in pieces: mostly tiny ones, some empty, some long.
    pub(crate) fn pieces(self, input: &[u8]) -> impl Iterator<Item = &[u8]> {
        let (mut rest, mut turn) = (input, 0);
        std::iter::from_fn(move || {
            let most = [1, 2, 4, 16, 300, 5000][self.below(6, turn)];
            let size = self.below(most + 1, turn + 1).min(rest.len());
            turn += 2;
            let empty = rest.is_empty();
            let (piece, later) = rest.split_at(size);
            rest = later;
            (!empty).then_some(piece)
        })
    }

    /// As [`pieces`](Self::pieces), to be pushed.
    pub(crate) fn chunks(self, input: &[u8]) -> impl Iterator<Item = Bytes> {
        self.pieces(input).map(Bytes::copy_from_slice)
    }
}
