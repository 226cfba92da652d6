//! Digests kept with an object and checked when it is read.

use storage_core::{AttributePolicy, ErrorKind, HashType, HashTypes, ReadOptions, WriteOptions};

use super::attributes::left_out;
use super::payloads::{digests, trials};
use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, equal};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        hashes_are_kept,
        Hashes,
        [On("hashes")],
        "The digests asked for with `hashes` are reported, kept and right, for every type."
    ),
    rule!(
        hashes_are_replaced,
        Hashes,
        [On("hashes")],
        "A write without `hashes` leaves no digest of the object before."
    ),
    rule!(
        verified_read,
        Hashes,
        [On("hashes")],
        "A read with `verify` of an object with digests gives its bytes."
    ),
    rule!(
        verified_read_refused,
        Hashes,
        [On("hashes")],
        "`verify` is `Unsupported` for a part of an object, and for an object without digests."
    ),
    rule!(
        hashes_refused,
        Hashes,
        [Off("hashes")],
        "Without `hashes`, keeping digests is refused when required; when not, they are reported and not kept; a read with `verify` is `Unsupported`."
    ),
];

async fn hashes_are_kept(case: &Case) -> Verdict {
    for (size, types) in trials() {
        let bytes = pattern(1, size);
        let right = digests(types, &bytes);
        for route in ROUTES {
            let options = WriteOptions::default().hashes(types);
            let written = case.store(route, "key", bytes.clone(), options).await?;
            equal("the digests reported", &written.hashes, &right)?;
            let stat = case.info("key").await?.hashes;
            let reader = case.reader("key", ReadOptions::default()).await?;
            for (who, kept) in [("stat", &stat), ("the reader", &reader.info().hashes)] {
                let what = format!("whether {who} tells {right:?} among {kept:?}");
                let all = right
                    .iter()
                    .all(|(hash, digest)| kept.get(hash) == Some(digest));
                equal(&what, all, true)?;
            }
        }
    }
    Ok(())
}

async fn hashes_are_replaced(case: &Case) -> Verdict {
    let all = HashTypes::from_iter(HashType::ALL);
    for route in ROUTES {
        let options = WriteOptions::default().hashes(all);
        case.store(route, "key", pattern(1, 10), options).await?;
        case.store(route, "key", pattern(2, 10), WriteOptions::default())
            .await?;
        let kept = case.info("key").await?.hashes;
        // A store may compute digests of its own accord; they have to be right.
        equal(
            "the digests kept",
            &kept,
            &digests(kept.types(), &pattern(2, 10)),
        )?;
    }
    Ok(())
}

async fn verified_read(case: &Case) -> Verdict {
    for size in [0, 10, 300_000, case.effort().large] {
        let bytes = pattern(1, size);
        let options = WriteOptions::default().hashes(HashType::Crc32c);
        case.write("key", bytes.clone(), options).await?;
        let verify = ReadOptions::default().verify(true);
        case.gives("an object to verify", "key", verify, &bytes)
            .await?;
    }
    Ok(())
}

async fn verified_read_refused(case: &Case) -> Verdict {
    let options = WriteOptions::default().hashes(HashType::Sha256);
    case.write("with", pattern(1, 10), options).await?;
    let (verify, kind) = (ReadOptions::default().verify(true), ErrorKind::Unsupported);
    let part = verify.clone().range(2..5);
    case.unreadable("a part to verify", "with", part, kind)
        .await?;
    case.put("without", pattern(1, 10)).await?;
    if case.info("without").await?.hashes.is_empty() {
        let what = "an object without digests";
        case.unreadable(what, "without", verify, kind).await?;
    }
    Ok(())
}

async fn hashes_refused(case: &Case) -> Verdict {
    let (types, kind) = (HashTypes::from(HashType::Sha256), ErrorKind::Unsupported);
    let options = WriteOptions::default().hashes(types);
    left_out(case, &options).await?;
    for route in ROUTES {
        let optional = options.clone().attributes(AttributePolicy::IfSupported);
        let bytes = pattern(1, 10);
        let written = case.store(route, "key", bytes.clone(), optional).await?;
        equal(
            "the digests reported",
            written.hashes,
            digests(types, &bytes),
        )?;
    }
    let verify = ReadOptions::default().verify(true);
    case.unreadable("an object to verify", "key", verify, kind)
        .await?;
    Ok(())
}
