use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use storage_core::{
    Error, ErrorKind, Hashes, ListOptions, ListPage, ObjectInfo, ObjectPath, Prefix, Result,
};
use url::Url;

use crate::address::shown;
use crate::client::{Ask, Client};
use crate::index::{document, rfc3339};

/// The document that says what there is.
pub(crate) struct Manifest {
    url: Url,
    read: Mutex<Option<Arc<Content>>>,
}

/// A manifest as it was read, in the order of keys.
struct Content {
    tag: Option<HeaderValue>,
    entries: Vec<Entry>,
}

struct Entry {
    path: ObjectPath,
    size: Option<u64>,
    modified: Option<SystemTime>,
    etag: Option<Arc<str>>,
    hashes: Hashes,
}

/// One object of the document: as `omni ls --json` writes it, or `rclone lsjson`.
#[derive(Deserialize)]
struct Line {
    event: Option<String>,
    #[serde(alias = "Path")]
    path: Option<String>,
    #[serde(default, alias = "IsDir")]
    is_dir: bool,
    /// rclone says -1 for what it does not know.
    #[serde(alias = "Size")]
    size: Option<i64>,
    #[serde(alias = "ModTime")]
    modified: Option<String>,
    etag: Option<String>,
    #[serde(default, alias = "Hashes")]
    hashes: BTreeMap<String, String>,
}

impl Manifest {
    pub(crate) const fn new(url: Url) -> Self {
        Self {
            url,
            read: Mutex::new(None),
        }
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    /// Forgets what was read.
    pub(crate) fn clear(&self) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A page of what the manifest lists. The first page of a listing looks whether it has changed;
    /// those that follow are of the manifest that was read last.
    pub(crate) async fn page(
        &self,
        client: &Client,
        prefix: &Prefix,
        options: ListOptions,
    ) -> Result<ListPage> {
        let parts = options.clone().into_parts();
        let known = self
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let content = match known {
            Some(content) if parts.cursor.is_some() => content,
            known => self.refreshed(client, known).await?,
        };
        let cursor = parts.cursor.as_ref().map(|cursor| cursor.as_str());
        let from = cursor
            .max(parts.start_after.as_deref())
            .max(Some(prefix.as_str()));
        let from = from.unwrap_or_default();
        let first = content
            .entries
            .partition_point(|entry| entry.path.as_str() < from);
        let below = content.entries.iter().skip(first);
        let below = below.take_while(|entry| entry.path.starts_with(prefix.as_str()));
        Ok(ListPage::of_sorted(prefix, options, below.map(Entry::info)))
    }

    async fn refreshed(
        &self,
        client: &Client,
        known: Option<Arc<Content>>,
    ) -> Result<Arc<Content>> {
        let mut ask = Ask::new(Method::GET, self.url.clone());
        let tag = known.as_ref().and_then(|content| content.tag.clone());
        if let Some(tag) = tag {
            ask.headers.insert(IF_NONE_MATCH, tag);
        }
        let reply = client.send(&ask).await?;
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (reply.status, known) {
            return Ok(known);
        }
        if reply.status != StatusCode::OK {
            let error = reply.into_error().await;
            let message = format!("the manifest {}: {}", shown(&self.url), error.message());
            return Err(Error::new(error.kind(), message).with_transient(error.is_transient()));
        }
        let tag = reply.headers.get(ETAG).cloned();
        let text = document(client, reply).await?;
        let entries = parse(&text).map_err(|what| {
            Error::new(
                ErrorKind::Corrupt,
                format!("the manifest {}: {what}", shown(&self.url)),
            )
        })?;
        let content = Arc::new(Content { tag, entries });
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read = Some(Arc::clone(&content));
        Ok(content)
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("url", &format_args!("{}", shown(&self.url)))
            .finish_non_exhaustive()
    }
}

impl Entry {
    fn info(&self) -> ObjectInfo {
        let mut info = ObjectInfo::new(self.path.clone());
        info.size = self.size;
        info.modified = self.modified;
        info.etag.clone_from(&self.etag);
        info.hashes = self.hashes.clone();
        info
    }
}

/// The objects of a document in lines of JSON, or one array of it; of two with one path the last.
fn parse(text: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    if text.trim_ascii_start().starts_with(b"[") {
        let all: Vec<Line> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        for (index, line) in all.into_iter().enumerate() {
            let entry = line
                .entry()
                .map_err(|what| format!("entry {}: {what}", index + 1))?;
            entries.extend(entry);
        }
    } else {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let place = |what: String| format!("line {}: {what}", index + 1);
            let line: Line =
                serde_json::from_slice(line).map_err(|error| place(error.to_string()))?;
            entries.extend(line.entry().map_err(place)?);
        }
    }
    entries.reverse();
    entries.sort_by(|a: &Entry, b| a.path.cmp(&b.path));
    entries.dedup_by(|next, first| next.path == first.path);
    Ok(entries)
}

impl Line {
    /// The object that the line is about, if it is about one.
    fn entry(self) -> Result<Option<Entry>, String> {
        match self.event.as_deref() {
            None | Some("entry") => {}
            Some("error") => return Err("the listing that wrote it failed there".to_owned()),
            Some(_) => return Ok(None),
        }
        let path = self.path.ok_or("it has no \"path\"")?;
        if self.is_dir {
            return Ok(None);
        }
        let path = ObjectPath::new(&path).map_err(|error| error.to_string())?;
        let modified = self.modified.map(|text| {
            rfc3339(&text).ok_or_else(|| format!("{text:?} is not a time as in RFC 3339"))
        });
        let mut hashes = Hashes::new();
        for (name, hex) in self.hashes {
            // Algorithms that are not known here are of no use here.
            if let Ok(hash) = name.to_ascii_lowercase().parse() {
                let inserted = hashes.insert_hex(hash, &hex);
                inserted.map_err(|error| error.message().to_owned())?;
            }
        }
        Ok(Some(Entry {
            path,
            size: self.size.and_then(|size| u64::try_from(size).ok()),
            modified: modified.transpose()?,
            etag: self.etag.map(Into::into),
            hashes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Vec<(String, Option<u64>)>, String> {
        let entries = parse(text.as_bytes())?;
        Ok(entries
            .iter()
            .map(|entry| (entry.path.to_string(), entry.size))
            .collect())
    }

    #[test]
    fn what_omni_and_rclone_write_is_read() {
        let omni = r#"{"event":"entry","is_dir":true,"modified":"2026-11-21T19:32:40.6Z","path":"a"}
            {"event":"entry","is_dir":false,"modified":"2026-11-21T19:32:40.6Z","path":"a/x","size":3,"hashes":{"crc32c":"01020304","new":"0"}}

            {"event":"entry","path":"a b","size":0,"etag":"\"t\""}
            {"bytes":0,"command":"ls","errors":0,"event":"summary"}"#;
        let expected = vec![("a b".to_owned(), Some(0)), ("a/x".to_owned(), Some(3))];
        assert_eq!(keys(omni), Ok(expected.clone()));
        let entries = parse(omni.as_bytes()).unwrap();
        assert_eq!(entries[0].info().etag.as_deref(), Some("\"t\""));
        assert_eq!(entries[1].info().hashes.types().iter().count(), 1);

        let rclone = r#"[
            {"Path":"a/x","Name":"x","Size":3,"MimeType":"","ModTime":"2026-11-21T20:32:40.123456789+01:00","IsDir":false},
            {"Path":"a","Name":"a","Size":-1,"ModTime":"2026-11-21T19:32:40Z","IsDir":true},
            {"Path":"a b","Name":"a b","Size":-1,"ModTime":"2026-11-21T19:32:40Z","IsDir":false}]"#;
        assert_eq!(
            keys(rclone),
            Ok(vec![("a b".to_owned(), None), expected[1].clone()])
        );
        let same = |text| parse(text).unwrap().iter().find_map(|entry| entry.modified);
        assert_eq!(same(rclone.as_bytes()), same(&omni.as_bytes()[91..]));
        assert_eq!(
            keys("{\"path\":\"x\",\"size\":1}\n{\"path\":\"x\",\"size\":2}"),
            Ok(vec![("x".to_owned(), Some(2))])
        );
        assert_eq!(keys(""), Ok(Vec::new()));
    }

    #[test]
    fn a_manifest_with_a_mistake_is_refused_with_its_place() {
        for (text, expected) in [
            ("{\"path\":\"x\"}\nnonsense", "line 2"),
            ("{\"path\":\"x\"}\n{\"path\":\"../x\"}", "line 2"),
            ("{\"path\":\"/etc/passwd\"}", "line 1"),
            ("{\"size\":1}", "no \"path\""),
            ("{\"path\":\"x\",\"modified\":\"yesterday\"}", "yesterday"),
            ("{\"path\":\"x\",\"hashes\":{\"md5\":\"00\"}}", "md5"),
            ("{\"event\":\"error\",\"message\":\"x\"}", "failed"),
            ("[{\"path\":\"x\"},{}]", "entry 2"),
            ("[{]", "line 1"),
        ] {
            let error = keys(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
