//! Digests kept with an object and checked when it is read.

use storage_core::{ErrorKind, HashType, HashTypes, Hashes, ReadOptions, WriteOptions};

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, equal, fails, same_bytes};

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

fn digests(types: HashTypes, bytes: &[u8]) -> Hashes {
    storage_hash::hash(types, bytes)
}

async fn hashes_are_kept(case: &Case) -> Verdict {
    let all = HashTypes::from_iter(HashType::ALL);
    for size in [0, 10, 300_000] {
        let bytes = pattern(1, size);
        for types in HashType::ALL.map(HashTypes::from).into_iter().chain([all]) {
            for route in ROUTES {
                let options = WriteOptions::default().hashes(types);
                let written = case.store(route, "key", bytes.clone(), options).await?;
                let right = digests(types, &bytes);
                equal("the digests reported", &written.hashes, &right)?;
                let stat = case.info("key").await?.hashes;
                let reader = case.reader("key", ReadOptions::default()).await?;
                for (who, kept) in [("stat", &stat), ("the reader", &reader.info().hashes)] {
                    for (hash, digest) in right.iter() {
                        let what = format!("the {hash} that {who} tells");
                        equal(&what, kept.get(hash), Some(digest))?;
                    }
                }
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
        let options = ReadOptions::default().verify(true);
        same_bytes(
            "a verified read",
            &case.read("key", options.clone()).await?,
            &bytes,
        )?;
        let reader = case.reader("key", options).await?;
        same_bytes("a verified reader", &reader.bytes().await?, &bytes)?;
    }
    Ok(())
}

async fn verified_read_refused(case: &Case) -> Verdict {
    let options = WriteOptions::default().hashes(HashType::Sha256);
    case.write("with", pattern(1, 10), options).await?;
    let part = ReadOptions::default().verify(true).range(2..5);
    fails(
        "`verify` of a part",
        case.read("with", part.clone()).await,
        ErrorKind::Unsupported,
    )?;
    fails(
        "its reader",
        case.reader("with", part).await,
        ErrorKind::Unsupported,
    )?;
    case.put("without", pattern(1, 10)).await?;
    if case.info("without").await?.hashes.is_empty() {
        let verify = ReadOptions::default().verify(true);
        let result = case.read("without", verify.clone()).await;
        fails("`verify` without digests", result, ErrorKind::Unsupported)?;
        fails(
            "its reader",
            case.reader("without", verify).await,
            ErrorKind::Unsupported,
        )?;
    }
    Ok(())
}

async fn hashes_refused(case: &Case) -> Verdict {
    let (bytes, types) = (pattern(1, 10), HashTypes::from(HashType::Sha256));
    for route in ROUTES {
        let options = WriteOptions::default().hashes(types);
        let result = case
            .store(route, "refused", bytes.clone(), options.clone())
            .await;
        fails("keeping a digest", result, ErrorKind::Unsupported)?;
        case.absent("refused").await?;
        let options = options.attributes(storage_core::AttributePolicy::IfSupported);
        let written = case.store(route, "key", bytes.clone(), options).await?;
        equal(
            "the digests reported",
            written.hashes,
            digests(types, &bytes),
        )?;
    }
    let verify = ReadOptions::default().verify(true);
    fails(
        "a read with `verify`",
        case.read("key", verify.clone()).await,
        ErrorKind::Unsupported,
    )?;
    fails(
        "its reader",
        case.reader("key", verify).await,
        ErrorKind::Unsupported,
    )?;
    Ok(())
}
