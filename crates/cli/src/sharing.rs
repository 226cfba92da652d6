//! One backend for all places of a command that lie in one bucket, or on one remote: then the store
//! itself copies from one to the other, and nothing comes here and goes back.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use omnistorage::{Backend, Config, Prefix, Registry, Result};
use tokio::sync::{Mutex, OnceCell};

use crate::remotes;

/// Backends whose places are a bucket and a prefix.
const BUCKETS: &[&str] = &["gcs", "s3"];

/// Places of one bucket.
struct Shared {
    backend: String,
    /// All settings but the prefix.
    config: Config,
    /// What the prefixes of all places start with.
    root: Prefix,
    places: usize,
    opened: OnceCell<Arc<dyn Backend>>,
}

static SHARED: OnceLock<Vec<Shared>> = OnceLock::new();

/// Names the places of the command that runs, before any of them is opened.
pub(crate) fn declare<'a>(registry: &Registry, places: impl IntoIterator<Item = &'a str>) {
    let mut all: Vec<Shared> = Vec::new();
    for text in places {
        if remotes::split(text).is_some() {
            continue;
        }
        // What is wrong with it is said where it is opened.
        let Some((backend, config, prefix)) = bucket(registry, text) else {
            continue;
        };
        let same = |shared: &&mut Shared| shared.backend == backend && shared.config == config;
        match all.iter_mut().find(same) {
            Some(shared) => {
                shared.root = common(&shared.root, &prefix);
                shared.places += 1;
            }
            None => all.push(Shared {
                backend,
                config,
                root: prefix,
                places: 1,
                opened: OnceCell::new(),
            }),
        }
    }
    all.retain(|shared| shared.places > 1);
    // Called once, by the command that runs.
    let _ = SHARED.set(all);
}

/// The backend that was declared to hold the place, opened, and the place on it.
pub(crate) async fn open(
    registry: &Registry,
    text: &str,
) -> Result<Option<(Arc<dyn Backend>, Prefix)>> {
    let declared = SHARED.get().map(Vec::as_slice).unwrap_or_default();
    if declared.is_empty() {
        return Ok(None);
    }
    let Some((backend, config, prefix)) = bucket(registry, text) else {
        return Ok(None);
    };
    let holds = |shared: &&Shared| shared.backend == backend && shared.config == config;
    let Some(shared) = declared.iter().find(holds) else {
        return Ok(None);
    };
    let Some(below) = prefix.strip_prefix(shared.root.as_str()) else {
        return Ok(None);
    };
    let opening = || {
        let config = shared.config.clone();
        let config = config.with("prefix", shared.root.as_str().trim_end_matches('/'));
        registry.open(&shared.backend, config)
    };
    match shared.opened.get_or_try_init(opening).await {
        Ok(backend) => Ok(Some((Arc::clone(backend), Prefix::new(below)?))),
        // What may be done below each place may be forbidden above them.
        Err(error) if error.is_permission_denied() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The backend that `text` is a URI of, its settings without the prefix, and the prefix.
fn bucket(registry: &Registry, text: &str) -> Option<(String, Config, Prefix)> {
    let (backend, mut config) = registry.resolve(text).ok()?;
    if !BUCKETS.contains(&backend) {
        return None;
    }
    let prefix = config.take_string("prefix").ok()?.unwrap_or_default();
    Some((backend.to_owned(), config, Prefix::new(prefix).ok()?))
}

/// The segments that both start with.
fn common(a: &Prefix, b: &Prefix) -> Prefix {
    let pairs = a.split_inclusive('/').zip(b.split_inclusive('/'));
    let length = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len());
    let length = length.sum();
    Prefix::new(a.get(..length).unwrap_or("")).unwrap_or_else(|_| Prefix::root())
}

/// Remotes that are open.
static REMOTES: Mutex<BTreeMap<String, Arc<dyn Backend>>> = Mutex::const_new(BTreeMap::new());

/// The remote, which is opened once.
pub(crate) async fn remote(
    name: &str,
    opening: impl Future<Output = Result<Arc<dyn Backend>>>,
) -> Result<Arc<dyn Backend>> {
    if let Some(backend) = REMOTES.lock().await.get(name) {
        return Ok(Arc::clone(backend));
    }
    let backend = opening.await?;
    // Files are opened in more than one way, as their root may have to be created.
    if backend.name() != "file" {
        let mut remotes = REMOTES.lock().await;
        remotes.insert(name.to_owned(), Arc::clone(&backend));
    }
    Ok(backend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_whole_segments_in_common() {
        for (a, b, expected) in [
            ("x/one", "x/two", "x/"),
            ("x", "x/y", "x/"),
            ("xa", "xb", ""),
            ("", "x", ""),
            ("a/b/c", "a/b/c", "a/b/c/"),
        ] {
            let prefix = |text| Prefix::new(text).unwrap();
            assert_eq!(common(&prefix(a), &prefix(b)).as_str(), expected, "{a} {b}");
        }
    }
}
