//! Reading a part of an object.

use std::ops::Range;

use storage_core::{ByteRange, ErrorKind, ObjectPath};

use crate::case::{Case, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, equal, fails, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        read_ranges_of_every_form,
        Read,
        [On("range_read")],
        "Every form of range gives its bytes: ends past the size are clamped, a start at or past it gives none, 0 bytes can be asked for."
    ),
    rule!(
        read_range_inverted,
        Read,
        [On("range_read")],
        "A range whose end lies before its start is `InvalidRange`."
    ),
    rule!(
        read_range_of_missing,
        Read,
        [On("range_read")],
        "A part of a missing object is `NotFound`, also a part of no bytes."
    ),
    rule!(
        read_range_is_told,
        Read,
        [On("range_read")],
        "The reader of a part tells the part it gives, and the size of the whole object."
    ),
    rule!(
        read_range_refused,
        Read,
        [Off("range_read")],
        "Without `range_read` a part of an object is `Unsupported`."
    ),
    rule!(
        read_many_ranges,
        Read,
        [On("range_read")],
        "`read_ranges` gives the ranges in the order given, each clamped; an inverted one is `InvalidRange`, a missing object `NotFound`."
    ),
];

/// Every form and edge of a range of 10 bytes, and what it gives.
const RANGES: [(ByteRange, Range<usize>); 17] = [
    (ByteRange::Full, 0..10),
    (ByteRange::Bounded(0, 10), 0..10),
    (ByteRange::Bounded(0, 1), 0..1),
    (ByteRange::Bounded(3, 7), 3..7),
    (ByteRange::Bounded(9, 10), 9..10),
    (ByteRange::Bounded(4, u64::MAX), 4..10),
    (ByteRange::Bounded(0, 0), 0..0),
    (ByteRange::Bounded(5, 5), 5..5),
    (ByteRange::Bounded(10, 12), 10..10),
    (ByteRange::Bounded(u64::MAX - 1, u64::MAX), 10..10),
    (ByteRange::From(0), 0..10),
    (ByteRange::From(9), 9..10),
    (ByteRange::From(10), 10..10),
    (ByteRange::From(u64::MAX), 10..10),
    (ByteRange::Suffix(3), 7..10),
    (ByteRange::Suffix(0), 10..10),
    (ByteRange::Suffix(u64::MAX), 0..10),
];

async fn read_ranges_of_every_form(case: &Case) -> Verdict {
    let bytes = pattern(1, 10);
    case.put("object", bytes.clone()).await?;
    for (range, expected) in RANGES {
        let expected = &bytes[expected];
        let found = case.read("object", range).await?;
        same_bytes(&format!("read of {range:?} of 10 bytes"), &found, expected)?;
        let reader = case.reader("object", range).await?;
        same_bytes(
            &format!("reader of {range:?} of 10 bytes"),
            &reader.bytes().await?,
            expected,
        )?;
    }
    Ok(())
}

async fn read_range_inverted(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    for range in [
        ByteRange::Bounded(5, 4),
        ByteRange::Bounded(99, 98),
        ByteRange::Bounded(u64::MAX, 0),
    ] {
        let what = format!("{range:?}");
        fails(
            &what,
            case.read("object", range).await,
            ErrorKind::InvalidRange,
        )?;
        fails(
            &what,
            case.reader("object", range).await,
            ErrorKind::InvalidRange,
        )?;
    }
    Ok(())
}

async fn read_range_of_missing(case: &Case) -> Verdict {
    for range in [
        ByteRange::Bounded(0, 0),
        ByteRange::Bounded(0, 1),
        ByteRange::From(7),
        ByteRange::Suffix(0),
    ] {
        let what = format!("{range:?} of a missing object");
        fails(
            &what,
            case.read("missing", range).await,
            ErrorKind::NotFound,
        )?;
        fails(
            &what,
            case.reader("missing", range).await,
            ErrorKind::NotFound,
        )?;
    }
    Ok(())
}

async fn read_range_is_told(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    for (range, expected) in RANGES {
        let reader = case.reader("object", range).await?;
        if let Some(size) = reader.info().size {
            equal(
                &format!("the object's size when reading {range:?}"),
                size,
                10,
            )?;
        }
        let expected = expected.start as u64..expected.end as u64;
        if let Some(told) = reader.range() {
            let length = expected.end - expected.start;
            equal(
                &format!("the length told of {range:?}"),
                told.end - told.start,
                length,
            )?;
            if length > 0 {
                equal(&format!("the part told of {range:?}"), told, expected)?;
            }
        }
    }
    Ok(())
}

async fn read_range_refused(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    case.holds("object", &pattern(1, 10)).await?;
    for range in [
        ByteRange::Bounded(2, 5),
        ByteRange::From(3),
        ByteRange::Suffix(3),
    ] {
        let what = format!("{range:?} without `range_read`");
        fails(
            &what,
            case.read("object", range).await,
            ErrorKind::Unsupported,
        )?;
        fails(
            &what,
            case.reader("object", range).await,
            ErrorKind::Unsupported,
        )?;
    }
    let ranges = case
        .backend()
        .read_ranges(&ObjectPath::new("object")?, &[2..5, 7..8])
        .await;
    fails(
        "read_ranges without `range_read`",
        ranges,
        ErrorKind::Unsupported,
    )?;
    Ok(())
}

async fn read_many_ranges(case: &Case) -> Verdict {
    let bytes = pattern(1, 300_000);
    case.put("object", bytes.clone()).await?;
    let (path, missing) = (ObjectPath::new("object")?, ObjectPath::new("missing")?);
    let ranges = [
        250_000..300_000,
        0..10,
        5..6,
        5..5,
        0..10,
        299_990..400_000,
        300_000..300_001,
        100..200_000,
    ];
    let parts = case.backend().read_ranges(&path, &ranges).await?;
    equal("the number of parts", parts.len(), ranges.len())?;
    for (part, range) in parts.iter().zip(ranges) {
        let end = range.end.min(300_000) as usize;
        let expected = &bytes[range.start as usize..end.max(range.start as usize)];
        same_bytes(&format!("the part {range:?}"), part, expected)?;
    }
    equal(
        "the parts of no range",
        case.backend().read_ranges(&path, &[]).await?.len(),
        0,
    )?;
    #[allow(clippy::reversed_empty_ranges)] // It is the mistake that is tested.
    let inverted = case.backend().read_ranges(&path, &[0..1, 7..3]).await;
    fails(
        "an inverted range among others",
        inverted,
        ErrorKind::InvalidRange,
    )?;
    let of_missing = case
        .backend()
        .read_ranges(&missing, std::slice::from_ref(&(0..1)))
        .await;
    fails(
        "ranges of a missing object",
        of_missing,
        ErrorKind::NotFound,
    )?;
    Ok(())
}
