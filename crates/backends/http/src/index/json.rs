use serde::Deserialize;

use super::{Child, rfc3339};
use crate::address::is_name;

/// One entry as nginx (`autoindex_format json`) and Caddy (`browse`) give it.
#[derive(Deserialize)]
struct Entry {
    name: String,
    /// nginx: `file`, `directory` or `other`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Caddy.
    is_dir: Option<bool>,
    size: Option<u64>,
    /// nginx: an HTTP date.
    mtime: Option<String>,
    /// Caddy: RFC 3339.
    mod_time: Option<String>,
}

/// With `is_lossy` a replacement character stands for bytes that were no text.
pub(super) fn parse(page: &str, is_lossy: bool) -> Option<Vec<Child>> {
    let entries: Vec<Entry> = serde_json::from_str(page).ok()?;
    // An array of other things is data, not an index.
    let is_index = |entry: &Entry| entry.kind.is_some() || entry.is_dir.is_some();
    if !entries.iter().all(is_index) {
        return None;
    }
    let children = entries.into_iter().filter_map(child);
    Some(
        children
            .filter(|child| !(is_lossy && child.name.contains('\u{fffd}')))
            .collect(),
    )
}

fn child(entry: Entry) -> Option<Child> {
    let is_dir = match (entry.kind.as_deref(), entry.is_dir) {
        (Some("directory"), _) => true,
        (Some("file"), _) => false,
        (Some(_), _) | (None, None) => return None,
        (None, Some(is_dir)) => is_dir,
    };
    let name = entry.name.strip_suffix('/').unwrap_or(&entry.name);
    if !is_name(name) {
        tracing::debug!(name, "an entry of an index is no path");
        return None;
    }
    let mut child = Child::new(name.to_owned(), is_dir);
    if !is_dir {
        child.size = entry.size;
        child.modified = entry
            .mtime
            .and_then(|time| httpdate::parse_http_date(&time).ok())
            .or_else(|| rfc3339(&entry.mod_time?));
    }
    Some(child)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn both_kinds_of_servers_are_understood() {
        let nginx = r#"[
            { "name":"sub", "type":"directory", "mtime":"Thu, 01 Jan 1970 00:00:07 GMT" },
            { "name":"a\"b", "type":"file", "mtime":"Thu, 01 Jan 1970 00:00:07 GMT", "size":3 },
            { "name":"pipe", "type":"other", "mtime":"Thu, 01 Jan 1970 00:00:07 GMT" }
        ]"#;
        let caddy = r#"[{"name":"sub/","size":4096,"url":"./sub/","mod_time":"1970-01-01T00:00:07.5Z","mode":1,"is_dir":true,"is_symlink":false},
            {"name":"a\"b","size":3,"url":"./a%22b","mod_time":"1970-01-01T00:00:07.9Z","mode":1,"is_dir":false}]"#;
        let mut file = Child::new("a\"b".to_owned(), false);
        file.size = Some(3);
        file.modified = Some(UNIX_EPOCH + Duration::from_secs(7));
        let expected = vec![Child::new("sub".to_owned(), true), file];
        assert_eq!(parse(nginx, false), Some(expected.clone()));
        assert_eq!(parse(caddy, false), Some(expected));
        assert_eq!(parse("[]", false), Some(Vec::new()));
    }

    #[test]
    fn data_is_no_index_and_odd_names_are_left_out() {
        for page in [
            "{}",
            "[1]",
            "[{}]",
            r#"[{"name":"x"}]"#,
            "[",
            r#"[{"name":1,"type":"file"}]"#,
        ] {
            assert_eq!(parse(page, false), None, "{page}");
        }
        for name in [
            "..",
            ".",
            "",
            "a/b",
            "../x",
            "/etc/passwd",
            "x\\u0000",
            "\u{fffd}",
        ] {
            let page = format!(r#"[{{"name":"{name}","type":"file"}}]"#);
            assert_eq!(parse(&page, true), Some(Vec::new()), "{page}");
        }
    }
}
