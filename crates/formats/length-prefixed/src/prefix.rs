use crate::Defect;

/// How the length of a record is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefix {
    /// Unsigned LEB128 of up to 64 bits: seven bits a byte, the lowest first, the top bit set on all
    /// but the last. What Protocol Buffers call a varint.
    #[default]
    Varint,
    /// Four bytes, the most significant first.
    U32Be,
    /// Four bytes, the least significant first.
    U32Le,
}

/// Most bytes that a length takes.
pub(crate) const LONGEST: usize = 10;

impl Prefix {
    /// Appends `length`; `false`, appending nothing, where it does not fit.
    pub(crate) fn encode(self, length: u64, buffer: &mut Vec<u8>) -> bool {
        let fixed = match self {
            Self::Varint => {
                encode_varint(length, buffer);
                return true;
            }
            Self::U32Be => u32::try_from(length).map(u32::to_be_bytes),
            Self::U32Le => u32::try_from(length).map(u32::to_le_bytes),
        };
        fixed.is_ok_and(|bytes| {
            buffer.extend_from_slice(&bytes);
            true
        })
    }

    /// The length that `bytes` begin with and how many bytes it takes; `None` when more are needed.
    #[inline]
    pub(crate) fn decode(
        self,
        bytes: &[u8],
        overlong: bool,
    ) -> Result<Option<(u64, usize)>, Defect> {
        let fixed = bytes.first_chunk::<4>().copied();
        Ok(match self {
            Self::Varint => return decode_varint(bytes, overlong),
            Self::U32Be => fixed.map(|bytes| (u64::from(u32::from_be_bytes(bytes)), 4)),
            Self::U32Le => fixed.map(|bytes| (u64::from(u32::from_le_bytes(bytes)), 4)),
        })
    }
}

fn encode_varint(mut value: u64, buffer: &mut Vec<u8>) {
    while value >= 0x80 {
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.push(value as u8);
}

#[inline]
fn decode_varint(bytes: &[u8], overlong: bool) -> Result<Option<(u64, usize)>, Defect> {
    let mut value = 0;
    for (index, byte) in bytes.iter().copied().take(LONGEST).enumerate() {
        if index == LONGEST - 1 && byte > 1 {
            return Err(Defect::LengthOverflow);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            if byte == 0 && index > 0 && !overlong {
                return Err(Defect::OverlongLength);
            }
            return Ok(Some((value, index + 1)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_back_in_every_notation() {
        let lengths = (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for length in lengths.chain([u64::MAX, 0xffff_ffff]) {
            for prefix in [Prefix::Varint, Prefix::U32Be, Prefix::U32Le] {
                let mut bytes = Vec::new();
                let fits = prefix == Prefix::Varint || u32::try_from(length).is_ok();
                assert_eq!(prefix.encode(length, &mut bytes), fits);
                if !fits {
                    assert!(bytes.is_empty());
                    continue;
                }
                for cut in 0..bytes.len() {
                    assert_eq!(prefix.decode(&bytes[..cut], false), Ok(None));
                }
                let count = bytes.len();
                bytes.push(0x55);
                assert_eq!(prefix.decode(&bytes, false), Ok(Some((length, count))));
            }
        }
    }

    /// The examples of the public description of the encoding.
    #[test]
    fn notations_are_the_documented_ones() {
        let encode = |prefix: Prefix, length| {
            let mut bytes = Vec::new();
            prefix.encode(length, &mut bytes);
            bytes
        };
        assert_eq!(encode(Prefix::Varint, 1), [0x01]);
        assert_eq!(encode(Prefix::Varint, 150), [0x96, 0x01]);
        assert_eq!(encode(Prefix::U32Be, 0x0102_0304), [1, 2, 3, 4]);
        assert_eq!(encode(Prefix::U32Le, 0x0102_0304), [4, 3, 2, 1]);
    }

    #[test]
    fn what_no_writer_produces_is_refused() {
        let decode = |bytes: &[u8], overlong| Prefix::Varint.decode(bytes, overlong);
        assert_eq!(decode(&[0x80, 0], false), Err(Defect::OverlongLength));
        assert_eq!(decode(&[0x81, 0x80, 0], true), Ok(Some((1, 3))));
        let most = [&[0xff; 9][..], &[1]].concat();
        assert_eq!(decode(&most, false), Ok(Some((u64::MAX, 10))));
        assert_eq!(
            decode(&[&[0xff; 9][..], &[2]].concat(), true),
            Err(Defect::LengthOverflow)
        );
        assert_eq!(decode(&[0x80; 11], true), Err(Defect::LengthOverflow));
    }
}
