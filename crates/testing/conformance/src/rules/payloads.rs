//! What a write does with its payload, its announced size and the digests it must have.

use std::fs::File;
use std::io::{Seek, Write};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{
    ByteStream, Error, ErrorKind, HashType, HashTypes, Hashes, Payload, PayloadSource, Result,
    WriteOptions,
};

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{Need::On, Rule, rule};
use crate::violation::{Verdict, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        payload_streamed,
        Write,
        [],
        "A payload that is streamed is stored whole, whatever its chunks."
    ),
    rule!(
        payload_from_a_file,
        Write,
        [],
        "A payload in a file is stored as the range of the file it names."
    ),
    rule!(
        payload_that_fails,
        Write,
        [On("atomic_write")],
        "A payload that fails half-way fails the write and publishes nothing."
    ),
    rule!(
        payload_of_wrong_length,
        Write,
        [On("atomic_write")],
        "A payload that gives fewer or more bytes than it said is `Corrupt` and publishes nothing."
    ),
    rule!(
        size_mismatch,
        Write,
        [On("atomic_write")],
        "Another number of bytes than announced with `size` is `Corrupt` and publishes nothing."
    ),
    rule!(
        size_match,
        Write,
        [],
        "The announced number of bytes is accepted, also 0."
    ),
    rule!(
        expected_mismatch,
        Hashes,
        [On("atomic_write")],
        "Bytes without the expected digests are `Corrupt` and publish nothing."
    ),
    rule!(
        expected_match,
        Hashes,
        [],
        "Bytes with the expected digests, of any number of types, are accepted."
    ),
    rule!(
        verify_reports_digests,
        Hashes,
        [],
        "The digests asked for with `verify` are reported, and are right, for every type."
    ),
];

/// Gives `chunks`, whatever it says its length is.
struct Script {
    len: u64,
    chunks: Vec<Result<Bytes, &'static str>>,
}

struct Played(std::vec::IntoIter<Result<Bytes, &'static str>>);

impl Stream for Played {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = self.0.next();
        Poll::Ready(chunk.map(|chunk| chunk.map_err(|why| Error::new(ErrorKind::Other, why))))
    }
}

impl PayloadSource for Script {
    fn len(&self) -> u64 {
        self.len
    }

    fn stream(&self) -> ByteStream {
        Box::pin(Played(self.chunks.clone().into_iter()))
    }
}

fn script(len: usize, chunks: impl IntoIterator<Item = Result<Bytes, &'static str>>) -> Payload {
    Payload::from_source(Arc::new(Script {
        len: len as u64,
        chunks: chunks.into_iter().collect(),
    }))
}

/// A part of a file that is offered as such.
struct InFile(File, Range<u64>, Bytes);

impl PayloadSource for InFile {
    fn len(&self) -> u64 {
        self.1.end - self.1.start
    }

    fn stream(&self) -> ByteStream {
        Payload::from(self.2.clone()).stream()
    }

    fn file(&self) -> Option<(&File, Range<u64>)> {
        Some((&self.0, self.1.clone()))
    }
}

async fn payload_streamed(case: &Case) -> Verdict {
    let bytes = pattern(1, 900_000);
    for size in [1, 4096, 300_000, 900_000] {
        let step = size.max(1000);
        let chunks: Vec<_> = bytes[..size * (900_000 / size).min(300)]
            .chunks(step)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        let len = chunks.iter().flatten().map(Bytes::len).sum();
        let written = case
            .write("object", script(len, chunks), WriteOptions::default())
            .await?;
        equal("the size told", written.size, len as u64)?;
        case.holds("object", &bytes[..len]).await?;
    }
    case.write("object", script(0, []), WriteOptions::default())
        .await?;
    case.holds("object", b"").await
}

async fn payload_from_a_file(case: &Case) -> Verdict {
    let bytes = pattern(1, 500_000);
    let mut file = tempfile::tempfile()?;
    file.write_all(&bytes)?;
    for range in [
        0..500_000,
        1..499_999,
        4096..8192,
        70_000..70_000,
        499_999..500_000,
    ] {
        // Where the file's own position stands must not matter.
        file.seek(std::io::SeekFrom::Start(13))?;
        let expected = bytes.slice(range.start as usize..range.end as usize);
        let source = InFile(file.try_clone()?, range.clone(), expected.clone());
        let payload = Payload::from_source(Arc::new(source));
        let written = case
            .write("object", payload, WriteOptions::default())
            .await?;
        equal(
            &format!("the size told of {range:?}"),
            written.size,
            expected.len() as u64,
        )?;
        case.holds("object", &expected).await?;
    }
    Ok(())
}

/// Requires that a write fails with one of `kinds`, over an old object and where there was none.
async fn publishes_nothing(
    case: &Case,
    what: &str,
    payload: &Payload,
    options: &WriteOptions,
    kinds: &[ErrorKind],
) -> Verdict {
    case.put("old", "old").await?;
    for key in ["old", "new"] {
        let result = case.write(key, payload.clone(), options.clone()).await;
        fails_with(what, result, kinds)?;
    }
    case.holds("old", b"old").await?;
    equal(
        &format!("the objects after {what}"),
        case.objects().await?,
        vec!["old".to_owned()],
    )
}

async fn payload_that_fails(case: &Case) -> Verdict {
    for size in [1, 300_000, 2_000_000] {
        let chunks = [
            Ok(pattern(1, size)),
            Err("the source broke"),
            Ok(pattern(1, 7)),
        ];
        let payload = script(size + 7, chunks);
        publishes_nothing(
            case,
            "a failing payload",
            &payload,
            &WriteOptions::default(),
            &[ErrorKind::Other],
        )
        .await?;
    }
    Ok(())
}

async fn payload_of_wrong_length(case: &Case) -> Verdict {
    for (said, given) in [
        (10, 9),
        (10, 11),
        (300_000, 1),
        (1, 300_000),
        (0, 1),
        (1, 0),
    ] {
        let what = format!("a payload of {given} bytes that said {said}");
        let payload = script(said, [Ok(pattern(1, given))]);
        publishes_nothing(
            case,
            &what,
            &payload,
            &WriteOptions::default(),
            &[ErrorKind::Corrupt],
        )
        .await?;
    }
    Ok(())
}

async fn size_mismatch(case: &Case) -> Verdict {
    case.put("old", "old").await?;
    let sizes = [
        (10, 9),
        (10, 11),
        (0, 1),
        (1, 0),
        (300_000, 299_999),
        (299_999, 300_000),
    ];
    for (announced, given) in sizes {
        let what = format!("{given} bytes where {announced} were announced");
        for key in ["old", "new"] {
            for route in ROUTES {
                let options = WriteOptions::default().size(announced);
                let result = case.store(route, key, pattern(1, given), options).await;
                fails(&what, result, ErrorKind::Corrupt)?;
                let objects = case.objects().await?;
                equal(
                    &format!("the objects after {what}"),
                    objects,
                    vec!["old".to_owned()],
                )?;
            }
        }
    }
    case.holds("old", b"old").await
}

async fn size_match(case: &Case) -> Verdict {
    for route in ROUTES {
        for size in [0, 1, 300_000] {
            let options = WriteOptions::default().size(size as u64);
            let written = case
                .store(route, "object", pattern(1, size), options)
                .await?;
            equal("the size told", written.size, size as u64)?;
            case.holds("object", &pattern(1, size)).await?;
        }
    }
    Ok(())
}

/// The digests of `bytes` of these types.
fn digests(types: impl Into<HashTypes>, bytes: &[u8]) -> Hashes {
    storage_hash::hash(types.into(), bytes)
}

async fn expected_mismatch(case: &Case) -> Verdict {
    case.put("old", "old").await?;
    let bytes = pattern(1, 300_000);
    for hash in HashType::ALL {
        let mut wrong = digests(HashTypes::from_iter(HashType::ALL), &bytes);
        wrong.insert(hash, vec![7; hash.digest_len()])?;
        for key in ["old", "new"] {
            for route in ROUTES {
                let options = WriteOptions::default().expected(wrong.clone());
                let result = case.store(route, key, bytes.clone(), options).await;
                let what = format!("another {hash} than expected");
                fails(&what, result, ErrorKind::Corrupt)?;
            }
        }
    }
    case.holds("old", b"old").await?;
    equal("the objects", case.objects().await?, vec!["old".to_owned()])
}

async fn expected_match(case: &Case) -> Verdict {
    for size in [0, 10, 300_000] {
        let bytes = pattern(1, size);
        let all = HashTypes::from_iter(HashType::ALL);
        let each = HashType::ALL.map(HashTypes::from);
        for types in each.into_iter().chain([all, HashTypes::NONE]) {
            for route in ROUTES {
                let options = WriteOptions::default().expected(digests(types, &bytes));
                case.store(route, "object", bytes.clone(), options).await?;
                case.holds("object", &bytes).await?;
            }
        }
    }
    Ok(())
}

async fn verify_reports_digests(case: &Case) -> Verdict {
    for size in [0, 10, 300_000] {
        let bytes = pattern(1, size);
        let all = HashTypes::from_iter(HashType::ALL);
        let each = HashType::ALL.map(HashTypes::from);
        for types in each.into_iter().chain([all, HashTypes::NONE]) {
            for route in ROUTES {
                let options = WriteOptions::default().verify(types);
                let written = case.store(route, "object", bytes.clone(), options).await?;
                equal(
                    "the digests reported",
                    written.hashes,
                    digests(types, &bytes),
                )?;
            }
        }
    }
    Ok(())
}
