//! Calls whose future is dropped half-way.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use storage_core::{ListOptions, ObjectPath, Payload, WriteMode, WriteOptions};

use crate::case::{Case, pattern};
use crate::rule::{
    Need::{Lasting, On},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, ensure, equal, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        cancelled_write,
        Write,
        [On("atomic_write")],
        "A `write` dropped at any moment leaves the old object or the new one, and nothing listed beside it."
    ),
    rule!(
        cancelled_finish,
        Write,
        [On("atomic_write")],
        "A `finish` dropped at any moment leaves the old object or the new one, and nothing listed beside it."
    ),
    rule!(
        cancelled_finish_resumes,
        Write,
        [],
        "A `finish` that was dropped and is called again publishes the whole object."
    ),
    rule!(
        cancelled_reads_and_lists,
        Read,
        [Lasting],
        "Reads and listings dropped at any moment disturb nothing."
    ),
    rule!(
        cancelled_delete,
        Delete,
        [],
        "A `delete` dropped at any moment leaves the object whole or gone."
    ),
    rule!(
        cancelled_append,
        Modes,
        [On("append"), On("atomic_write")],
        "An append dropped at any moment adds all of its bytes or none."
    ),
    rule!(
        cancelled_rename,
        Rename,
        [On("rename")],
        "A `rename` dropped at any moment leaves the object, whole, under one of the names."
    ),
];

/// Most polls before a call is left to end by itself.
const MOST_POLLS: usize = 12;

/// Polls `future` so many times and then drops it; whether it came to its end.
struct Polls<F>(F, usize);

impl<F: Future + Unpin> Future for Polls<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.1.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.1 = left;
        match Pin::new(&mut self.0).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Polls a call at most `count` times; `None` when it was dropped before its end.
pub(super) async fn polled<T>(
    call: impl Future<Output = storage_core::Result<T>>,
    count: usize,
) -> storage_core::Result<Option<T>> {
    Polls(pin!(call), count).await.transpose()
}

/// Requires one of two objects at `key`, alone in its directory. Work that a dropped call left behind
/// may still be under way, so it is looked at several times; for the same reason every round has
/// keys of its own.
async fn one_of(case: &Case, key: &str, objects: &[&Bytes]) -> Verdict {
    let path = ObjectPath::new(key)?;
    for _ in 0..4 {
        let found = case.get(key).await?;
        ensure(objects.iter().any(|object| **object == found), || {
            let sizes: Vec<usize> = objects.iter().map(|object| object.len()).collect();
            let found = found.len();
            format!("{key:?}: expected the object of {sizes:?} bytes, found {found} other bytes")
        })?;
        let listed = case.keys(&path.parent(), ListOptions::default()).await?;
        equal("the objects beside it", listed, vec![key.to_owned()])?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn cancelled_write(case: &Case) -> Verdict {
    for (size, count) in rounds() {
        let (old, new) = (pattern(1, size), pattern(2, size + 1));
        let key = format!("{size}/{count}/key");
        case.put(&key, old.clone()).await?;
        let path = ObjectPath::new(&key)?;
        let payload = Payload::from(new.clone());
        let call = case
            .backend()
            .write(&path, payload, WriteOptions::default());
        polled(call, count).await?;
        one_of(case, &key, &[&old, &new]).await?;
    }
    Ok(())
}

/// Sizes, and how often to poll.
fn rounds() -> impl Iterator<Item = (usize, usize)> {
    [1000, 700_000]
        .into_iter()
        .flat_map(|size| (1..=MOST_POLLS).map(move |count| (size, count)))
}

async fn cancelled_finish(case: &Case) -> Verdict {
    for (size, count) in rounds() {
        let (old, new) = (pattern(1, size), pattern(2, size + 1));
        let key = format!("{size}/{count}/key");
        case.put(&key, old.clone()).await?;
        let mut writer = case.writer(&key, WriteMode::Replace).await?;
        writer.write_bytes(new.clone()).await?;
        polled(writer.finish(), count).await?;
        drop(writer);
        one_of(case, &key, &[&old, &new]).await?;
    }
    Ok(())
}

async fn cancelled_finish_resumes(case: &Case) -> Verdict {
    for (size, count) in rounds() {
        let bytes = pattern(count as u64, size);
        let mut writer = case.writer("key", WriteMode::Replace).await?;
        writer.write_bytes(bytes.clone()).await?;
        polled(writer.finish(), count).await?;
        equal(
            "the size told",
            writer.finish().await?.size,
            bytes.len() as u64,
        )?;
        case.holds("key", &bytes).await?;
    }
    Ok(())
}

async fn cancelled_reads_and_lists(case: &Case) -> Verdict {
    let bytes = pattern(1, 700_000);
    case.put("d/key", bytes.clone()).await?;
    for count in 1..=MOST_POLLS {
        polled(case.get("d/key"), count).await?;
        polled(case.list("d", ListOptions::default()), count).await?;
        let mut reader = case.reader("d/key", ..).await?;
        let mut found = Vec::new();
        loop {
            // A dropped `chunk` takes nothing: the next one gives what it would have given.
            let chunk = match polled(async { reader.chunk().await.transpose() }, 1).await? {
                Some(chunk) => chunk,
                None => reader.chunk().await.transpose()?,
            };
            let Some(chunk) = chunk else {
                break;
            };
            found.extend_from_slice(&chunk);
        }
        same_bytes("through dropped calls", &found, &bytes)?;
    }
    one_of(case, "d/key", &[&bytes]).await
}

async fn cancelled_delete(case: &Case) -> Verdict {
    let bytes = pattern(1, 1000);
    for count in 1..=MOST_POLLS {
        let key = format!("{count}/key");
        case.put(&key, bytes.clone()).await?;
        let path = ObjectPath::new(&key)?;
        let ended = polled(case.backend().delete(&path), count).await?;
        match case.get(&key).await {
            Ok(found) => {
                equal("whether delete had ended", ended, None)?;
                same_bytes("the object", &found, &bytes)?;
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn cancelled_append(case: &Case) -> Verdict {
    for (size, count) in rounds() {
        let (old, more) = (pattern(1, 1000), pattern(2, size));
        let key = format!("{size}/{count}/key");
        case.put(&key, old.clone()).await?;
        let path = ObjectPath::new(&key)?;
        let payload = Payload::from(more.clone());
        let call = case
            .backend()
            .write(&path, payload, WriteMode::Append.into());
        polled(call, count).await?;
        let both = Bytes::from([old.clone(), more].concat());
        one_of(case, &key, &[&old, &both]).await?;
    }
    Ok(())
}

async fn cancelled_rename(case: &Case) -> Verdict {
    let bytes = pattern(1, 1000);
    for count in 1..=MOST_POLLS {
        let (from, to) = (format!("{count}/from"), format!("{count}/to/key"));
        case.put(&from, bytes.clone()).await?;
        let (source, target) = (ObjectPath::new(&from)?, ObjectPath::new(&to)?);
        let call = case
            .extended()?
            .rename(&source, &target, WriteOptions::default());
        polled(call, count).await?;
        let mut left = None;
        // Read in the order of the move: an object that moves meanwhile is met at the second name.
        for key in [&from, &to] {
            match case.get(key).await {
                Ok(found) => left = Some(found),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let neither =
            || Violation::new("expected the object under one of its names, found neither");
        same_bytes("the object", &left.ok_or_else(neither)?, &bytes)?;
    }
    Ok(())
}
