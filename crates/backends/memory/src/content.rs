use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{ByteStream, Payload, PayloadSource};

/// Largest piece that small pieces are gathered into, in bytes. Larger ones are kept as they come.
pub(crate) const MERGE_MAX: usize = 64 * 1024;

/// The bytes of one object: one piece, or a rope of them.
///
/// Pieces never change once they are in, so a clone is a snapshot: an append changes only the list
/// of the object it is made to.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    One(Bytes),
    Rope(Arc<Vec<Piece>>),
}

#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Where in the object the piece ends.
    end: u64,
    bytes: Bytes,
}

impl Content {
    pub(crate) fn of_chunks(chunks: &[Bytes]) -> Self {
        match chunks {
            [] => Self::One(Bytes::new()),
            [one] => Self::One(one.clone()),
            many => {
                let mut pieces = Vec::with_capacity(many.len());
                many.iter().for_each(|chunk| push(&mut pieces, chunk));
                Self::Rope(Arc::new(pieces))
            }
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::One(bytes) => bytes.len() as u64,
            Self::Rope(pieces) => end_of(pieces),
        }
    }

    /// Adds `other` to the end. Of many small appends each byte is copied a logarithmic number of
    /// times, so their cost is not quadratic.
    pub(crate) fn append(&mut self, other: &Self) {
        let mut pieces = match std::mem::replace(self, Self::One(Bytes::new())) {
            Self::One(bytes) => Arc::new(Vec::from_iter((!bytes.is_empty()).then(|| Piece {
                end: bytes.len() as u64,
                bytes,
            }))),
            Self::Rope(pieces) => pieces,
        };
        let list = Arc::make_mut(&mut pieces);
        match other {
            Self::One(bytes) => push(list, bytes),
            Self::Rope(more) => more.iter().for_each(|piece| push(list, &piece.bytes)),
        }
        *self = match list.as_slice() {
            [] => Self::One(Bytes::new()),
            [one] => Self::One(one.bytes.clone()),
            _ => Self::Rope(pieces),
        };
    }

    /// The bytes of `range`, which lies within the content, in one piece; copied only where the range
    /// covers several pieces.
    pub(crate) fn slice(&self, range: Range<u64>) -> Bytes {
        let mut found = self.pieces(range.clone());
        let first = found.next().unwrap_or_default();
        let Some(second) = found.next() else {
            return first;
        };
        let mut all = Vec::with_capacity(usize::try_from(range.end - range.start).unwrap_or(0));
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        found.for_each(|piece| all.extend_from_slice(&piece));
        all.into()
    }

    /// The pieces of `range`, in order, cut to it.
    pub(crate) fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = Bytes> {
        let (one, many) = match self {
            Self::One(bytes) => (Some((0, bytes)), &[][..]),
            Self::Rope(pieces) => {
                let first = pieces.partition_point(|piece| piece.end <= range.start);
                (None, pieces.get(first..).unwrap_or_default())
            }
        };
        let starts = many
            .iter()
            .map(|piece| (piece.end - piece.bytes.len() as u64, &piece.bytes));
        one.into_iter()
            .chain(starts)
            .take_while(move |(start, _)| *start < range.end)
            .map(move |(start, bytes)| cut(start, bytes, &range))
            .filter(|bytes| !bytes.is_empty())
    }
}

/// The part of a piece that begins at `start` of the object which lies in `range`.
fn cut(start: u64, bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let within = |offset: u64| (offset.saturating_sub(start) as usize).min(bytes.len());
    bytes.slice(within(range.start)..within(range.end))
}

fn end_of(pieces: &[Piece]) -> u64 {
    pieces.last().map_or(0, |piece| piece.end)
}

/// Adds a chunk, gathering it with the small pieces before it that are not more than twice what is
/// gathered already: a piece grows by half with each copy, and the pieces stay few.
fn push(pieces: &mut Vec<Piece>, chunk: &Bytes) {
    if chunk.is_empty() {
        return;
    }
    let end = end_of(pieces) + chunk.len() as u64;
    let mut total = chunk.len();
    let mut first = pieces.len();
    for piece in pieces.iter().rev() {
        let length = piece.bytes.len();
        if length > 2 * total || length + total > MERGE_MAX {
            break;
        }
        total += length;
        first -= 1;
    }
    let bytes = if first == pieces.len() {
        chunk.clone()
    } else {
        let mut merged = Vec::with_capacity(total);
        for piece in pieces.drain(first..) {
            merged.extend_from_slice(&piece.bytes);
        }
        merged.extend_from_slice(chunk);
        merged.into()
    };
    pieces.push(Piece { end, bytes });
}

/// A range of a content that can be streamed any number of times.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) content: Content,
    pub(crate) range: Range<u64>,
}

impl PayloadSource for Snapshot {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn stream(&self) -> ByteStream {
        let pieces: Vec<Bytes> = self.content.pieces(self.range.clone()).collect();
        Payload::from(pieces).stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> Content {
        Content::One(Bytes::copy_from_slice(bytes))
    }

    fn piece_count(content: &Content) -> usize {
        content.pieces(0..content.len()).count()
    }

    #[test]
    fn many_small_appends_leave_few_pieces() {
        let mut content = of(b"");
        for n in 0..1_000_000u32 {
            content.append(&of(&[n as u8]));
        }
        assert_eq!(content.len(), 1_000_000);
        assert!(piece_count(&content) <= 2 * 1_000_000 / MERGE_MAX + 32);
        let all = content.slice(0..1_000_000);
        assert!(all.iter().enumerate().all(|(n, byte)| *byte == n as u8));
    }

    #[test]
    fn large_chunks_are_kept_and_not_copied() {
        let chunk = Bytes::from(vec![7; MERGE_MAX]);
        let mut content = Content::of_chunks(&[chunk.clone(), chunk.clone()]);
        content.append(&Content::One(chunk.clone()));
        let pieces: Vec<Bytes> = content.pieces(0..content.len()).collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces.iter().all(|piece| piece.as_ptr() == chunk.as_ptr()));
    }

    proptest! {
        #[test]
        fn behaves_like_one_vector(
            appends in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40),
            ends in (0u64..800, 0u64..800),
        ) {
            let (mut content, mut model) = (of(b""), Vec::new());
            let mut snapshots = Vec::new();
            for bytes in &appends {
                snapshots.push((content.clone(), model.len()));
                content.append(&of(bytes));
                model.extend_from_slice(bytes);
            }
            prop_assert_eq!(content.len(), model.len() as u64);
            let end = ends.0.max(ends.1).min(content.len());
            let start = ends.0.min(ends.1).min(end);
            let expected = &model[start as usize..end as usize];
            prop_assert_eq!(&content.slice(start..end), expected);
            prop_assert_eq!(content.pieces(start..end).collect::<Vec<_>>().concat(), expected);
            for (snapshot, length) in snapshots {
                prop_assert_eq!(&snapshot.slice(0..snapshot.len()), &model[..length]);
            }
        }
    }
}
