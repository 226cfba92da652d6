use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use storage_core::{Error, ObjectPath, Prefix, Result};
use url::Url;

/// All but what a URL may hold as it is in every part (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As [`ESCAPED`], for a text whose `/` are separators.
const ESCAPED_PATH: &AsciiSet = &ESCAPED.remove(b'/');

/// `path` with everything escaped that a URL might take for syntax, but `/`.
pub(crate) fn escaped(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED_PATH).to_string()
}

/// A URL as messages and logs may show it: its query and user information can be credentials.
pub(crate) fn shown(url: &Url) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        let host = url.host_str().unwrap_or_default();
        write!(f, "{}://{host}", url.scheme())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    })
}

/// The URL below which all objects lie: http or https, without user information, query and fragment,
/// and with a final `/`.
#[derive(Debug, Clone)]
pub(crate) struct Base(Url);

impl Base {
    /// # Errors
    /// `Config` for anything but an absolute URL as described. The text is not repeated, for it may
    /// hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| Err(Error::config(format!("the key \"endpoint\" {what}")));
        let Ok(mut url) = Url::parse(text) else {
            return wrong("needs a URL such as https://example.com/files/");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return wrong("needs a URL of scheme http or https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("holds credentials: give them as username and password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return wrong("has a query or a fragment, which a folder has not");
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn object(&self, path: &ObjectPath) -> Url {
        self.below(path)
    }

    pub(crate) fn directory(&self, prefix: &Prefix) -> Url {
        self.below(prefix)
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{}", self.0.path(), escaped(path)));
        url
    }

    /// What `reference` names, seen from the base.
    ///
    /// # Errors
    /// `Config` when it is no URL of http or https.
    pub(crate) fn resolve(&self, key: &str, reference: &str) -> Result<Url> {
        self.0
            .join(reference)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or_else(|| {
                Error::config(format!(
                    "the key {key:?} needs a path or URL without credentials"
                ))
            })
    }
}

/// The name of what lies directly in the directory at `index` that `link` leads to, and whether it is
/// a directory itself. `None` for everything else: other servers, parents, what lies deeper,
/// queries and fragments, and names that no path can have.
pub(crate) fn child(index: &Url, link: &str) -> Option<(String, bool)> {
    if link.contains(['?', '#']) {
        return None;
    }
    let target = index.join(link).ok()?;
    if target.origin() != index.origin() {
        return None;
    }
    let rest = target.path().strip_prefix(index.path())?;
    let (name, is_dir) = match rest.strip_suffix('/') {
        Some(name) => (name, true),
        None => (rest, false),
    };
    let name = percent_decode_str(name).decode_utf8().ok()?;
    is_name(&name).then(|| (name.into_owned(), is_dir))
}

/// Whether `name` can be one segment of a path.
pub(crate) fn is_name(name: &str) -> bool {
    !name.contains('/') && ObjectPath::new(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::parse(text).unwrap()
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, expected) in [
            (
                "https://me:hush@host/a%20b?sig=hush#hush",
                "https://host/a%20b",
            ),
            ("http://me@[::1]:81/?hush", "http://[::1]:81/"),
        ] {
            assert_eq!(shown(&Url::parse(url).unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn names_are_escaped_exactly_once() {
        let base = base("http://host:8080/a%20b");
        for (path, expected) in [
            ("x", "http://host:8080/a%20b/x"),
            ("a b/c", "http://host:8080/a%20b/a%20b/c"),
            ("a%20b", "http://host:8080/a%20b/a%2520b"),
            ("a#1?x+y\\z", "http://host:8080/a%20b/a%231%3Fx%2By%5Cz"),
            ("..foo/é", "http://host:8080/a%20b/..foo/%C3%A9"),
        ] {
            let path = ObjectPath::new(path).unwrap();
            assert_eq!(base.object(&path).as_str(), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_comes_back_from_a_link(name in "[^/\0]{1,12}") {
            proptest::prop_assume!(name != "." && name != "..");
            let index = Url::parse("http://host/in%20here/").unwrap();
            let link = format!("{}/", utf8_percent_encode(&name, ESCAPED));
            proptest::prop_assert_eq!(child(&index, &link), Some((name, true)));
        }
    }

    #[test]
    fn links_that_lead_elsewhere_are_no_children() {
        let index = Url::parse("http://host/files/").unwrap();
        for link in [
            "../",
            "..",
            "/",
            ".",
            "./",
            "",
            "/files",
            "/files/",
            "?C=N;O=D",
            "x?y",
            "#top",
            "../files2/x",
            "/other/x",
            "a/b",
            "//evil/files/x",
            "http://evil/files/x",
            "https://host/files/x",
            "http://host:81/files/x",
            "mailto:x@y",
            "javascript:x",
            "..%2fx",
            "a%2fb",
            "%2e%2e/",
            "%2E%2E",
            "x%00",
            "%ff",
            "/files/../etc/passwd",
            "\\\\evil\\x",
        ] {
            assert_eq!(child(&index, link), None, "{link}");
        }
        for (link, name, is_dir) in [
            ("x", "x", false),
            ("./x", "x", false),
            ("/files/x/", "x", true),
            ("http://host/files/a%2520b", "a%20b", false),
            ("../files/x", "x", false),
        ] {
            assert_eq!(
                child(&index, link),
                Some((name.to_owned(), is_dir)),
                "{link}"
            );
        }
    }

    #[test]
    fn an_endpoint_is_a_plain_folder() {
        for text in [
            "",
            "host",
            "ftp://host/",
            "http://u:hush@host/",
            "http://host/?x=hush",
            "http://host/#x",
        ] {
            let error = Base::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("endpoint") && !error.contains("hush"),
                "{error}"
            );
        }
        assert_eq!(base("https://host:443/a").url().as_str(), "https://host/a/");
    }
}
