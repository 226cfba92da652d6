use std::cmp::Ordering;

use storage_core::ObjectInfo;

use crate::SyncError;
use crate::walk::Walk;

/// Two sorted walks as one sorted walk of pairs.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) source: Walk,
    pub(crate) destination: Walk,
}

/// What the two sides have under one key.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a pair is looked at at once; a box would be an allocation an object"
)]
pub(crate) enum Pair {
    Source(ObjectInfo),
    Destination(ObjectInfo),
    Both(ObjectInfo, ObjectInfo),
}

impl Merge {
    /// The next pair, `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Pair>, SyncError> {
        self.source.fill().await?;
        self.destination.fill().await?;
        let (source, destination) = (&mut self.source, &mut self.destination);
        let order = match (source.head(), destination.head()) {
            (Some(a), Some(b)) => cmp_keys(
                source.relative(a),
                a.is_dir,
                destination.relative(b),
                b.is_dir,
            ),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        Ok(match order {
            Ordering::Less => source.take().map(Pair::Source),
            Ordering::Greater => destination.take().map(Pair::Destination),
            Ordering::Equal => match (source.take(), destination.take()) {
                (Some(a), Some(b)) => Some(Pair::Both(a, b)),
                _ => None,
            },
        })
    }
}

/// The order of listings: byte order, where a directory's key ends with `/`. Builds no key.
pub(crate) fn cmp_keys(a: &str, a_is_dir: bool, b: &str, b_is_dir: bool) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let common = a.len().min(b.len());
    a[..common].cmp(&b[..common]).then_with(|| {
        let tail = |key: &[u8], is_dir: bool| match key.get(common) {
            Some(byte) => Some(*byte),
            None => is_dir.then_some(b'/'),
        };
        // Where both go on with `/`, one is the directory and the other lies in it.
        tail(a, a_is_dir)
            .cmp(&tail(b, b_is_dir))
            .then(a.len().cmp(&b.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_the_keys_written_out() {
        let keys = [
            "a", "a.b", "a/", "a/1", "a/1/", "a0", "b/", "b/c/", "é", "é/",
        ];
        for (i, a) in keys.iter().enumerate() {
            for (j, b) in keys.iter().enumerate() {
                let split = |key: &'static str| match key.strip_suffix('/') {
                    Some(dir) => (dir, true),
                    None => (key, false),
                };
                let ((x, x_dir), (y, y_dir)) = (split(a), split(b));
                assert_eq!(cmp_keys(x, x_dir, y, y_dir), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
