//! Decompression bombs.

use storage_compression::Limits;
use storage_core::ErrorKind;

use super::{Codec, compress, limited};

pub(crate) fn a_bomb_stops_at_the_limit<C: Codec>() {
    const SIZE: usize = 64 << 20;
    let bomb = compress::<C>(&vec![0; SIZE]);
    for limit in [0, 1, 65_535, 131_072, 1_000_000, SIZE - 1] {
        let (result, error) = limited::<C>(&bomb, Limits::default().max_output(limit as u64));
        let error = error.expect("the limit is passed");
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
        assert_eq!(result.len(), limit);
    }
    let (result, error) = limited::<C>(&bomb, Limits::default().max_output(SIZE as u64));
    assert!(error.is_none() && result.len() == SIZE, "{error:?}");
}

pub(crate) fn a_ratio_stops_a_bomb<C: Codec>() {
    const SIZE: usize = 16 << 20;
    let bomb = compress::<C>(&vec![0; SIZE]);
    let ratio = (SIZE / bomb.len()) as u32;
    let (result, error) = limited::<C>(&bomb, Limits::default().max_ratio(ratio / 2));
    let error = error.expect("the limit is passed");
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
    assert!(result.len() <= 2 << 20, "{}", result.len());
    let (result, error) = limited::<C>(&bomb, Limits::default().max_ratio(u32::MAX));
    assert!(error.is_none() && result.len() == SIZE, "{error:?}");
    // What expands little is let through however long it is.
    let data = super::sample(8 << 20, 1);
    let (result, error) = limited::<C>(&compress::<C>(&data), Limits::default().max_ratio(100));
    assert!(error.is_none() && result == data, "{error:?}");
}
