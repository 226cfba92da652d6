use omnistorage::{BackendExt, HashType, ObjectInfo, Prefix, Result};
use serde_json::{Map, Value, json};

use crate::args::PathsArgs;
use crate::output::{Counts, Exit, Output, size};
use crate::place::{self, Missing};
use crate::time::rfc3339;

/// Shows everything known of objects and directories.
pub(crate) async fn run(args: PathsArgs, output: &Output) -> Result<Exit> {
    let (mut exit, mut counts) = (Exit::Done, Counts::default());
    for text in &args.paths {
        if let Err(error) = stat(text, output).await {
            exit = output.fail_at(text, &error);
            counts.errors += 1;
        }
    }
    output.summary("stat", counts);
    Ok(exit)
}

async fn stat(text: &str, output: &Output) -> Result<()> {
    let place = match place::entry(text, Missing::Fail).await {
        // A root has no name to ask for: it is there if it opens.
        Err(error) if error.is_invalid_path() => {
            let tree = place::tree(text, Missing::Fail).await?;
            tree.backend
                .list(&Prefix::root(), Default::default())
                .await?;
            output.line(
                || format!("{text}\n  directory"),
                || json!({"event": "entry", "path": text, "is_dir": true}),
            );
            return Ok(());
        }
        other => other?,
    };
    let info = match place.backend.as_extended() {
        Some(extended) => extended.stat(&place.path).await?,
        None => place.backend.open(&place.path).await?.info().clone(),
    };
    output.line(|| text_of(text, &info), || json_of(text, &info));
    Ok(())
}

fn text_of(path: &str, info: &ObjectInfo) -> String {
    let mut lines = vec![path.to_owned()];
    let mut add = |name: &str, value: String| lines.push(format!("  {name:<14} {value}"));
    add(
        "kind",
        if info.is_dir { "directory" } else { "object" }.to_owned(),
    );
    if let Some(bytes) = info.size {
        add(
            "size",
            if bytes < 1024 {
                size(bytes)
            } else {
                format!("{bytes} B, {}", size(bytes))
            },
        );
    }
    if let Some(modified) = info.modified {
        add("modified", rfc3339(modified));
    }
    if let Some(version) = &info.version {
        add("version", version.to_string());
    }
    for (name, value) in [
        ("etag", &info.etag),
        ("content type", &info.content_type),
        ("cache control", &info.cache_control),
    ] {
        if let Some(value) = value {
            add(name, value.to_string());
        }
    }
    for hash in HashType::ALL {
        if let Some(hex) = info.hashes.get_hex(hash) {
            add(hash.as_str(), hex);
        }
    }
    for (key, value) in &info.metadata {
        add("metadata", format!("{key} = {value}"));
    }
    lines.join("\n")
}

/// An entry as one object; what is not known is left out.
pub(crate) fn json_of(path: &str, info: &ObjectInfo) -> Value {
    let mut object = Map::new();
    object.insert("event".into(), "entry".into());
    object.insert("path".into(), path.into());
    object.insert("is_dir".into(), info.is_dir.into());
    if let Some(size) = info.size {
        object.insert("size".into(), size.into());
    }
    if let Some(modified) = info.modified {
        object.insert("modified".into(), rfc3339(modified).into());
    }
    let version = info.version.as_ref().map(|version| version.as_str());
    for (name, value) in [
        ("version", version),
        ("etag", info.etag.as_deref()),
        ("content_type", info.content_type.as_deref()),
        ("cache_control", info.cache_control.as_deref()),
    ] {
        if let Some(value) = value {
            object.insert(name.into(), value.into());
        }
    }
    if !info.metadata.is_empty() {
        object.insert("metadata".into(), json!(info.metadata));
    }
    if !info.hashes.is_empty() {
        let hashes: Map<_, _> = HashType::ALL
            .iter()
            .filter_map(|hash| Some((hash.to_string(), info.hashes.get_hex(*hash)?.into())))
            .collect();
        object.insert("hashes".into(), hashes.into());
    }
    Value::Object(object)
}
