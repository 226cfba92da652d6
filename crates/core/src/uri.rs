use std::fmt;

use percent_encoding::percent_decode_str;

use crate::{Config, Error, Result};

/// `scheme://authority/path?key=value`, taken apart and percent-decoded.
///
/// A text without `scheme://` is a plain path of scheme `file`, taken literally.
///
/// ```
/// use storage_core::Uri;
///
/// let uri = Uri::parse("s3://bucket/some%20dir?region=eu-1")?;
/// assert_eq!((uri.scheme(), uri.authority(), uri.path()), ("s3", "bucket", "/some dir"));
/// assert_eq!(Uri::parse("data/50%.txt")?.path(), "data/50%.txt");
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    scheme: String,
    authority: String,
    path: String,
    query: Vec<(String, String)>,
}

impl Uri {
    /// Parses a URI or plain path.
    ///
    /// # Errors
    /// `Config` for an empty text, or escapes that are not UTF-8.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::config("a path or URI is empty"));
        }
        let Some((scheme, rest)) = text.split_once("://").filter(|(s, _)| is_scheme(s)) else {
            return Ok(Self {
                scheme: "file".to_owned(),
                authority: String::new(),
                path: text.to_owned(),
                query: Vec::new(),
            });
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(key)?, decode(value)?))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            authority: decode(authority)?,
            path: decode(path)?,
            query,
        })
    }

    /// The scheme, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What stands between `://` and the next `/`: a host, a bucket; may be empty.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path, with its leading `/` if it has one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query's pairs, in order.
    #[must_use]
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The query as settings.
    ///
    /// # Errors
    /// `Config` when a key is given twice.
    pub fn to_config(&self) -> Result<Config> {
        let mut config = Config::new();
        for (key, value) in &self.query {
            if config.get(key).is_some() {
                return Err(Error::config(format!("the key {key:?} is given twice")));
            }
            config.set(key, value);
        }
        Ok(config)
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn decode(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded
        .map_err(|_| Error::config(format!("{text:?} is not UTF-8 once percent-decoded")))?;
    Ok(decoded.into_owned())
}

impl fmt::Debug for Uri {
    /// Shows no user information and no query values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.authority.rsplit('@').next().unwrap_or("");
        f.debug_struct("Uri")
            .field("scheme", &self.scheme)
            .field("authority", &host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
