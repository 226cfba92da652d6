//! Reads: one object, in requests pinned to its generation.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use google_cloud_storage::model::Object;
use google_cloud_storage::model_ext::ReadRange;
use google_cloud_storage::read_object::ReadObjectResponse;
use storage_core::{
    ByteRange, Error, ErrorKind, HashType, HashTypes, Hashes, ObjectInfo, ObjectPath, ReadOptions,
    ReadParts, Reader, Result, Version,
};
use storage_hash::{Hasher, verified};

use crate::client::{Client, Shared};
use crate::failure::Reason;
use crate::info::{self, generation, of_checksums, version};
use crate::pinned::{Opened, Pinned, open};

/// How many requests a read may make of its own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// Several, in parallel: fast, and lost when the object is replaced meanwhile.
    Parts,
    /// One, which goes on with what it began with.
    One,
}

/// What is to be read, and what of it is on its way.
struct Found {
    info: ObjectInfo,
    generation: i64,
    range: Range<u64>,
    body: Option<ReadObjectResponse>,
}

/// Opens a reader that tells everything of the object, which takes a second request beside the first.
pub(crate) async fn reader(client: &Shared, path: &ObjectPath, parts: ReadParts) -> Result<Reader> {
    let name = client.name(path)?;
    let verify = admit(&parts)?;
    let conditional = parts.if_version.is_some() || parts.if_changed_from.is_some();
    let found = if conditional || is_empty(parts.range) {
        let object = client.object(&name).await?;
        check(&object, parts.if_version, parts.if_changed_from)?;
        of_object(path, &object, parts.range)?
    } else {
        beside(client, path, &name, parts.range).await?
    };
    into_reader(client, name, found, verify, Width::Parts)
}

/// Opens a reader for the bytes alone.
pub(crate) async fn content(
    client: &Shared,
    path: &ObjectPath,
    parts: ReadParts,
    width: Width,
) -> Result<Reader> {
    let plain = parts.if_version.is_none() && parts.if_changed_from.is_none() && !parts.verify;
    if !plain || is_empty(parts.range) {
        return reader(client, path, parts).await;
    }
    let name = client.name(path)?;
    admit(&parts)?;
    let found = match open(client, &name, first_range(client, parts.range, width), None).await {
        Ok(opened) => of_highlights(path, opened, parts.range)?,
        Err(failure) if failure.reason == Reason::Range => {
            of_object(path, &client.object(&name).await?, parts.range)?
        }
        Err(failure) => return Err(failure.into()),
    };
    into_reader(client, name, found, false, width)
}

/// How often a read begins anew when its object is replaced.
const READS: u32 = 4;

/// All the bytes. Where no version is asked for, an object that is replaced while it is read is read
/// anew.
pub(crate) async fn bytes(
    client: &Shared,
    path: &ObjectPath,
    options: ReadOptions,
) -> Result<Bytes> {
    let any = options.clone().into_parts().if_version.is_none();
    let mut width = Width::Parts;
    for _ in 1..READS {
        let parts = options.clone().into_parts();
        let read = async { content(client, path, parts, width).await?.bytes().await };
        match read.await {
            Err(error) if any && error.is_precondition_failed() => width = Width::One,
            read => return read,
        }
    }
    let reader = content(client, path, options.into_parts(), width).await?;
    reader.bytes().await
}

/// Refuses what cannot be done whatever the object is; gives whether to verify.
fn admit(parts: &ReadParts) -> Result<bool> {
    parts.range.resolve(0)?;
    if parts.verify && parts.range != ByteRange::Full {
        return Err(Error::unsupported("verifying a part of an object"));
    }
    Ok(parts.verify)
}

/// Larger than any object.
const ENDLESS: u64 = 1 << 53;

/// Whether the range has no bytes of any object, so that there is nothing to ask for.
const fn is_empty(range: ByteRange) -> bool {
    match range {
        ByteRange::Bounded(start, end) => start >= end || start >= ENDLESS,
        ByteRange::From(start) => start >= ENDLESS,
        ByteRange::Suffix(count) => count == 0,
        ByteRange::Full => false,
    }
}

fn check(object: &Object, wanted: Option<Version>, known: Option<Version>) -> Result<()> {
    let actual = version(object.generation);
    if wanted.as_ref().is_some_and(|wanted| *wanted != actual) {
        return Err(Error::precondition_failed(wanted, Some(actual)));
    }
    if known.is_some_and(|known| known == actual) {
        return Err(Error::new(ErrorKind::NotModified, ""));
    }
    Ok(())
}

/// Asks for attributes and content at once, and makes sure that they are of one object.
async fn beside(client: &Shared, path: &ObjectPath, name: &str, range: ByteRange) -> Result<Found> {
    let opening = open(client, name, first_range(client, range, Width::Parts), None);
    let (object, opened) = tokio::join!(client.object(name), opening);
    let object = object?;
    match opened {
        Ok(opened) if opened.object.generation == object.generation => {
            let mut found = of_object(path, &object, range)?;
            found.body = Some(opened.body);
            Ok(found)
        }
        // It was replaced in between: the content is asked for again when it is wanted.
        Ok(_) => of_object(path, &client.object(name).await?, range),
        Err(failure) if failure.reason == Reason::Range => of_object(path, &object, range),
        Err(failure) => Err(failure.into()),
    }
}

fn of_object(path: &ObjectPath, object: &Object, range: ByteRange) -> Result<Found> {
    Ok(Found {
        info: info::info(path.clone(), object),
        generation: object.generation,
        range: range.resolve(info::size(object))?,
        body: None,
    })
}

fn of_highlights(path: &ObjectPath, opened: Opened, range: ByteRange) -> Result<Found> {
    let Opened { body, object } = opened;
    let size = u64::try_from(object.size).unwrap_or(0);
    let mut info = ObjectInfo::new(path.clone()).with_size(size);
    info.version = Some(version(object.generation));
    info.hashes = of_checksums(object.checksums.as_ref());
    Ok(Found {
        info,
        generation: object.generation,
        range: range.resolve(size)?,
        body: Some(body),
    })
}

fn into_reader(
    client: &Shared,
    name: String,
    found: Found,
    verify: bool,
    width: Width,
) -> Result<Reader> {
    let Found {
        info,
        generation,
        range,
        body,
    } = found;
    let pinned = Pinned {
        client: Arc::clone(client),
        name,
        generation,
    };
    let whole = Some(range.end - range.start) == info.size;
    let stream = match width {
        Width::Parts => pinned.stream(range.clone(), body),
        Width::One => pinned.sequence(range.clone(), body),
    };
    let digests = match verify {
        true => info.hashes.clone(),
        // Always, as it costs next to nothing: what came is what the service has.
        false if whole => info::only(&info.hashes, HashType::Crc32c.into()),
        false => Hashes::new(),
    };
    let stream = match digests.is_empty() && !verify {
        true => stream,
        false => verified(stream, digests)?,
    };
    Ok(Reader::from_stream(info, range, stream))
}

/// What to ask for first: all of it, or as much as a part, for the rest is asked for in parallel.
fn first_range(client: &Client, range: ByteRange, width: Width) -> ReadRange {
    let most = match width {
        Width::Parts if client.settings.concurrency > 1 => client.settings.part_size,
        _ => ENDLESS,
    };
    match range {
        ByteRange::Full if most == ENDLESS => ReadRange::all(),
        ByteRange::Full => ReadRange::head(most),
        ByteRange::From(start) => ReadRange::segment(start, most),
        ByteRange::Bounded(start, end) => {
            ReadRange::segment(start, end.saturating_sub(start).min(most))
        }
        ByteRange::Suffix(count) => ReadRange::tail(count.min(ENDLESS)),
    }
}

/// Several ranges of one generation, those after the first in parallel.
pub(crate) async fn ranges(
    client: &Shared,
    path: &ObjectPath,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    let Some((first, others)) = ranges.split_first() else {
        return Ok(Vec::new());
    };
    let parts = ReadOptions::from(first.clone()).into_parts();
    let reader = content(client, path, parts, Width::One).await?;
    let known = reader.info().version.as_ref().and_then(generation);
    let (size, generation) = (reader.info().size.unwrap_or(0), known.unwrap_or(0));
    let mut read = vec![reader.bytes().await?];
    let pinned = Pinned {
        client: Arc::clone(client),
        name: client.name(path)?,
        generation,
    };
    let resolved: Vec<Range<u64>> = others
        .iter()
        .map(|range| ByteRange::from(range.clone()).resolve(size))
        .collect::<Result<_>>()?;
    let rest: Vec<Bytes> = stream::iter(resolved)
        .map(|range| joined(pinned.clone(), range, path))
        .buffered(client.settings.concurrency)
        .try_collect()
        .await?;
    read.extend(rest);
    Ok(read)
}

async fn joined(pinned: Pinned, range: Range<u64>, path: &ObjectPath) -> Result<Bytes> {
    let stream = pinned.sequence(range.clone(), None);
    let info = ObjectInfo::new(path.clone());
    Reader::from_stream(info, range, stream).bytes().await
}

/// Digests of a whole generation, for which it is read.
pub(crate) async fn digests(client: &Shared, object: &Object, types: HashTypes) -> Result<Hashes> {
    let pinned = Pinned {
        client: Arc::clone(client),
        name: object.name.clone(),
        generation: object.generation,
    };
    let mut hasher = Hasher::new(types);
    let mut stream = pinned.stream(0..info::size(object), None);
    while let Some(chunk) = stream.try_next().await? {
        hasher.update(&chunk);
    }
    Ok(hasher.finish())
}
