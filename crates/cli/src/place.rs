//! Arguments that name places: a path, a URI or `remote:path` becomes a backend, and a path on it.

use std::path::{Component, Path};
use std::sync::{Arc, OnceLock};

use omnistorage::{
    Backend, BackendExt, Config, Error, ErrorKind, ObjectPath, Operation, Prefix, Registry, Result,
    Uri, registry,
};

use crate::args::FilesArgs;
use crate::hint::Advice;
use crate::remotes::{self, Remotes};

use crate::{sharing, stdio, wrapped};

/// A backend, and a place on it.
#[derive(Debug, Clone)]
pub(crate) struct Place<P> {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) path: P,
}

/// Whether a directory that is not there is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Create,
    Fail,
}

/// Opens the tree that `text` names: everything below it.
pub(crate) async fn tree(text: &str, missing: Missing) -> Result<Place<Prefix>> {
    if let Some((name, path)) = remotes::split(text) {
        let place = tree_on_remote(name, path, missing).await?;
        if let (Missing::Fail, Some(path)) = (missing, place.path.as_path()) {
            require_directory(&*place.backend, &path)
                .await
                .map_err(|error| error.with_path(text))?;
        }
        return Ok(place);
    }
    let (backend, path) = open(text, missing).await?;
    Ok(Place { backend, path })
}

/// Opens the tree that `text` names without creating anything: a directory that is not there is a
/// prefix below the nearest one that is.
pub(crate) async fn tree_to_be(text: &str) -> Result<Place<Prefix>> {
    let (opened, root, below) = match remotes::split(text) {
        Some((name, path)) => {
            let opened = tree_on_remote(name, path, Missing::Fail).await;
            (opened, local_root(name)?, path.trim_start_matches('/'))
        }
        None => {
            let uri = Uri::parse(text)?;
            let root = (uri.scheme() == "file").then(|| uri.path().to_owned());
            (tree(text, Missing::Fail).await, root, "")
        }
    };
    match (opened, root) {
        (Err(error), Some(root)) if error.is_not_found() => {
            nearest(&Path::new(&root).join(below), error).await
        }
        (opened, _) => opened,
    }
}

/// The tree of a path that is not there, as a prefix below the nearest directory that is.
async fn nearest(path: &Path, missing: Error) -> Result<Place<Prefix>> {
    let path = std::path::absolute(path)?;
    let existing = path.ancestors().find(|ancestor| ancestor.is_dir());
    let Some(ancestor) = existing else {
        return Err(missing);
    };
    let below = path.strip_prefix(ancestor).unwrap_or(&path);
    // What is above a directory that is not there nobody can say.
    if below.components().any(|c| c == Component::ParentDir) {
        return Err(missing);
    }
    match (ancestor.to_str(), below.to_str()) {
        (Some(ancestor), Some(below)) => {
            let (backend, _) = open(ancestor, Missing::Fail).await?;
            let path = Prefix::new(below)?;
            Ok(Place { backend, path })
        }
        _ => Err(missing),
    }
}

/// The directory that a remote is, if it is one.
fn local_root(name: &str) -> Result<Option<String>> {
    let mut remote = Remotes::read()?.get(name)?;
    let (backend, root) = match remote.place {
        remotes::Place::Backend(backend) => (backend, remote.settings.remove("root")),
        remotes::Place::Uri(uri) => {
            let (backend, config) = registry()?.resolve(&uri)?;
            (backend.to_owned(), config.get("root").map(str::to_owned))
        }
    };
    Ok(root.filter(|_| backend == "file"))
}

/// Whether a place is a local directory, which costs nothing to open twice.
pub(crate) fn is_local(text: &str) -> bool {
    match remotes::split(text) {
        Some((name, _)) => matches!(local_root(name), Ok(Some(_))),
        None => true,
    }
}

/// As [`entry`], without creating anything: the path on the nearest directory that is there.
pub(crate) async fn entry_to_be(text: &str) -> Result<Place<ObjectPath>> {
    match entry(text, Missing::Fail).await {
        Err(error) if error.is_not_found() => {
            let place = tree_to_be(text).await?;
            let path = place.path.as_path().ok_or_else(|| nameless(text))?;
            Ok(Place {
                backend: place.backend,
                path,
            })
        }
        other => other,
    }
}

/// Opens the parent of the object or directory that `text` names, and gives its path there.
pub(crate) async fn entry(text: &str, missing: Missing) -> Result<Place<ObjectPath>> {
    if let Some((name, path)) = remotes::split(text) {
        let path = path.trim_start_matches('/');
        if path.is_empty() || path.ends_with('/') {
            return Err(nameless(text));
        }
        return Ok(Place {
            backend: open_remote(name, missing).await?,
            path: ObjectPath::new(path)?,
        });
    }
    let (parent, name) = split(text)?;
    let (backend, below) = open(&parent, missing).await?;
    Ok(Place {
        backend,
        path: below.join(name)?,
    })
}

/// As [`entry`]; `-` is standard input or output.
pub(crate) async fn entry_or_stdio(text: &str, missing: Missing) -> Result<Place<ObjectPath>> {
    match text == stdio::NAME {
        true => stdio::place(),
        false => entry(text, missing).await,
    }
}

/// The name of the object that `text` names; `-` is one.
pub(crate) fn name(text: &str) -> Result<String> {
    match remotes::split(text) {
        Some((_, path)) => Ok(path.rsplit('/').next().unwrap_or(path).to_owned()),
        None => Ok(split(text)?.1),
    }
}

/// The backend of a path or URI, and the place on it: its root, but where it is shared.
async fn open(text: &str, missing: Missing) -> Result<(Arc<dyn Backend>, Prefix)> {
    let registry = registry()?;
    let opening = async {
        if let Some(shared) = sharing::open(&registry, text).await? {
            return Ok(shared);
        }
        let (name, config) = registry.resolve(text)?;
        let backend = registry
            .open(name, for_files(name, config, missing))
            .await?;
        Ok((backend, Prefix::root()))
    };
    opening
        .await
        .map_err(|error: Error| error.with_path(shown(text)))
}

/// Names the places of the command that runs, so that those of one store are opened as one.
pub(crate) fn declare<'a>(places: impl IntoIterator<Item = &'a String>) {
    if let Ok(registry) = registry() {
        sharing::declare(&registry, places.into_iter().map(String::as_str));
    }
}

/// What local files are to this process.
static FILES: OnceLock<FilesArgs> = OnceLock::new();

/// Decides what local files are, before any place is opened.
pub(crate) fn choose_files(files: FilesArgs) {
    // Called once, by the command that runs.
    let _ = FILES.set(files);
}

/// Files are the one backend whose root may have to be created, and that is more than objects.
fn for_files(backend: &str, mut config: Config, missing: Missing) -> Config {
    if backend != "file" {
        return config;
    }
    if config.get("create").is_none() {
        config.set("create", (missing == Missing::Create).to_string());
    }
    let files = FILES.get().copied().unwrap_or_default();
    if files.links && config.get("links").is_none() {
        config.set("links", "objects");
    }
    if files.metadata && config.get("metadata").is_none() {
        config.set("metadata", "system");
    }
    config
}

async fn tree_on_remote(name: &str, path: &str, missing: Missing) -> Result<Place<Prefix>> {
    Ok(Place {
        backend: open_remote(name, missing).await?,
        path: Prefix::new(path.trim_matches('/'))?,
    })
}

async fn open_remote(name: &str, missing: Missing) -> Result<Arc<dyn Backend>> {
    let remotes = Remotes::read()?;
    let remote = remotes.get(name)?;
    let registry = registry()?;
    remotes.check_chain(name)?;
    let opening = async {
        let (backend, config) = settings(&registry, remote)?;
        if wrapped::KINDS.contains(&backend.as_str()) {
            return wrapped::open(backend, config, missing).await;
        }
        let config = for_files(&backend, config, missing);
        registry.open(&backend, config).await
    };
    let opened = sharing::remote(name, opening).await;
    opened.map_err(|error| match error.kind() {
        ErrorKind::Config | ErrorKind::UnknownBackend => error
            .with_path(format!("{name}: in {}", remotes.file().display()))
            .with_source(Advice(
                "`omni config update` changes the settings of a remote",
            )),
        _ => error.with_path(format!("{name}:")),
    })
}

/// The backend of a remote, and all its settings.
fn settings(registry: &Registry, remote: remotes::Remote) -> Result<(String, Config)> {
    Ok(match remote.place {
        remotes::Place::Backend(backend) => (backend, remote.settings.into_iter().collect()),
        remotes::Place::Uri(uri) => {
            let (backend, mut config) = registry.resolve(&uri)?;
            for (key, value) in remote.settings {
                config.set(key, value);
            }
            (backend.to_owned(), config)
        }
    })
}

/// The backend and its settings that `text` names, with the place on an object store as its prefix:
/// for what one kind of backend alone does.
pub(crate) fn resolved(text: &str) -> Result<(String, Config)> {
    let registry = registry()?;
    let Some((name, path)) = remotes::split(text) else {
        let resolved = registry.resolve(text);
        let (backend, config) = resolved.map_err(|error| error.with_path(shown(text)))?;
        return Ok((backend.to_owned(), config));
    };
    let (backend, mut config) = settings(&registry, Remotes::read()?.get(name)?)?;
    let path = path.trim_matches('/');
    if !path.is_empty() {
        let root = Prefix::new(config.get("prefix").unwrap_or(""))?;
        config.set("prefix", format!("{root}{}", Prefix::new(path)?));
    }
    Ok((backend, config))
}

/// Fails where there is no directory, on a store that has directories.
async fn require_directory(backend: &dyn Backend, path: &ObjectPath) -> Result<()> {
    let has_directories = backend
        .as_extended()
        .is_some_and(|store| store.features().directories);
    let error = match backend.try_stat(path).await? {
        Some(info) if !info.is_dir => Error::new(ErrorKind::NotDirectory, ""),
        None if has_directories => Error::not_found("there is no such directory"),
        _ => return Ok(()),
    };
    Err(error.on(Operation::Open, backend.name()))
}

fn nameless(text: &str) -> Error {
    let message = "this names no object: its last segment is missing";
    Error::new(ErrorKind::InvalidPath, message).with_path(shown(text))
}

/// The text without what may be secret: user information and query.
pub(crate) fn shown(text: &str) -> String {
    match text.split_once("://") {
        None => text.to_owned(),
        Some((scheme, rest)) => {
            let rest = rest.split('?').next().unwrap_or("");
            let host_at = rest
                .split('/')
                .next()
                .and_then(|authority| authority.rfind('@'));
            format!("{scheme}://{}", &rest[host_at.map_or(0, |at| at + 1)..])
        }
    }
}

/// Splits off the last segment, decoded; the rest stays a path or URI.
fn split(text: &str) -> Result<(String, String)> {
    let uri = Uri::parse(text)?;
    let nameless = || nameless(text);
    if !text.contains("://") {
        let path = Path::new(text);
        let ends_with_slash = text.ends_with('/') || text.ends_with("/.");
        let name = path
            .file_name()
            .filter(|_| !ends_with_slash)
            .ok_or_else(nameless)?;
        let name = name.to_str().ok_or_else(nameless)?.to_owned();
        let parent = path.parent().and_then(Path::to_str).unwrap_or("");
        return Ok((
            if parent.is_empty() { "." } else { parent }.to_owned(),
            name,
        ));
    }
    let (location, query) = match text.split_once('?') {
        Some((location, query)) => (location, format!("?{query}")),
        None => (text, String::new()),
    };
    let name = uri
        .path()
        .rsplit('/')
        .next()
        .filter(|n| !n.is_empty())
        .ok_or_else(nameless)?;
    let cut = location.rfind('/').ok_or_else(nameless)?;
    Ok((format!("{}{query}", &location[..=cut]), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_the_last_segment_off() {
        for (text, parent, name) in [
            ("a", ".", "a"),
            ("./a b", ".", "a b"),
            ("/a/b%20c", "/a", "b%20c"),
            ("/a", "/", "a"),
            ("file:///a/b%20c?fsync=none", "file:///a/?fsync=none", "b c"),
            ("memory:///x", "memory:///", "x"),
        ] {
            assert_eq!(
                split(text).unwrap(),
                (parent.to_owned(), name.to_owned()),
                "{text}"
            );
        }
        for text in ["/", "..", "a/", "a/.", "a/..", "file:///a/", "s3://bucket"] {
            assert!(split(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shows_no_secrets() {
        assert_eq!(shown("s3://user:pw@host/b?secret=x"), "s3://host/b");
        assert_eq!(shown("/a?b@c"), "/a?b@c");
    }
}
