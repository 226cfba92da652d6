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
        let what = format!("{range:?} of 10 bytes");
        case.gives(&what, "object", range, &bytes[expected]).await?;
    }
    Ok(())
}

async fn read_range_inverted(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    for (start, end) in [(5, 4), (99, 98), (u64::MAX, 0)] {
        let (range, kind) = (ByteRange::Bounded(start, end), ErrorKind::InvalidRange);
        case.unreadable(&format!("{range:?}"), "object", range, kind)
            .await?;
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
        case.unreadable(&what, "missing", range, ErrorKind::NotFound)
            .await?;
    }
    Ok(())
}

async fn read_range_is_told(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    for (range, expected) in RANGES {
        let reader = case.reader("object", range).await?;
        let size = reader.info().size.unwrap_or(10);
        equal(
            &format!("the object's size when reading {range:?}"),
            size,
            10,
        )?;
        let Some(told) = reader.range() else {
            continue;
        };
        let expected = expected.start as u64..expected.end as u64;
        // Where a part without bytes lies does not matter.
        if told.is_empty() && expected.is_empty() {
            continue;
        }
        equal(&format!("the part told of {range:?}"), told, expected)?;
    }
    Ok(())
}

async fn read_range_refused(case: &Case) -> Verdict {
    let (bytes, kind) = (pattern(1, 10), ErrorKind::Unsupported);
    case.put("object", bytes.clone()).await?;
    case.gives("all of it", "object", .., &bytes).await?;
    case.restore("object", &bytes).await?;
    for range in [
        ByteRange::Bounded(2, 5),
        ByteRange::From(3),
        ByteRange::Suffix(3),
    ] {
        let what = format!("{range:?} without `range_read`");
        case.unreadable(&what, "object", range, kind).await?;
    }
    let path = ObjectPath::new("object")?;
    let ranges = case.backend().read_ranges(&path, &[2..5, 7..8]).await;
    fails("read_ranges without `range_read`", ranges, kind)?;
    Ok(())
}

/// Ranges of an object of 300,000 bytes, neither sorted nor apart, some past its end.
const SCATTERED: [Range<u64>; 8] = [
    250_000..300_000,
    0..10,
    5..6,
    5..5,
    0..10,
    299_990..400_000,
    300_000..300_001,
    100..200_000,
];

async fn read_many_ranges(case: &Case) -> Verdict {
    let bytes = pattern(1, 300_000);
    case.put("object", bytes.clone()).await?;
    let (path, missing) = (ObjectPath::new("object")?, ObjectPath::new("missing")?);
    let backend = case.backend();
    let parts = backend.read_ranges(&path, &SCATTERED).await?;
    equal("the number of parts", parts.len(), SCATTERED.len())?;
    for (part, range) in parts.iter().zip(SCATTERED) {
        let (start, end) = (range.start as usize, range.end.min(300_000) as usize);
        let what = format!("the part {range:?}");
        same_bytes(&what, part, &bytes[start..end.max(start)])?;
    }
    let none = backend.read_ranges(&path, &[]).await?;
    equal("the parts of no range", none.len(), 0)?;
    #[allow(clippy::reversed_empty_ranges)] // It is the mistake that is tested.
    let inverted = backend.read_ranges(&path, &[0..1, 7..3]).await;
    fails("an inverted range", inverted, ErrorKind::InvalidRange)?;
    let of_missing = backend.read_ranges(&missing, &SCATTERED).await;
    fails(
        "ranges of a missing object",
        of_missing,
        ErrorKind::NotFound,
    )?;
    Ok(())
}
