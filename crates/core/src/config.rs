use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{Error, Result};

/// The settings that a backend is opened with: text by key, taken out one by one.
///
/// A backend takes what it knows and calls [`finish`](Self::finish), which refuses whatever is left:
/// a misspelt key is an error and not a default. [`Debug`](fmt::Debug) shows no secret.
///
/// ```
/// use storage_core::Config;
///
/// let mut config = Config::from_iter([("root", "/data"), ("fsnyc", "none")]);
/// let root = config.take_string("root")?;
/// let fsync = config.take_string("fsync")?;
/// assert_eq!((root.as_deref(), fsync), (Some("/data"), None));
/// let error = config.finish().unwrap_err();
/// assert!(error.to_string().contains(r#"unknown key "fsnyc"; known are "fsync", "root""#));
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config {
    values: BTreeMap<String, String>,
    known: BTreeSet<&'static str>,
}

impl Config {
    /// No settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            values: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// The environment variables that start with `prefix`, their names cut and in lower case:
    /// with prefix `STORAGE_`, `STORAGE_ROOT=/data` gives `root`. Values that are not UTF-8 are left out.
    #[must_use]
    pub fn from_env(prefix: &str) -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| {
                let name = name
                    .into_string()
                    .ok()?
                    .strip_prefix(prefix)?
                    .to_ascii_lowercase();
                Some((name, value.into_string().ok()?))
            })
            .collect()
    }

    /// Sets a key, replacing what it had.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.values.insert(key.into(), value.into());
        self
    }

    /// As [`set`](Self::set), for chains.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Looks at a value without taking it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// All keys with their values, secret ones as `[redacted]`.
    pub fn redacted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| {
            let shown = if is_secret(key) { "[redacted]" } else { value };
            (key.as_str(), shown)
        })
    }

    /// Takes text.
    ///
    /// # Errors
    /// None; the form is that of the other `take_` methods.
    pub fn take_string(&mut self, key: &'static str) -> Result<Option<String>> {
        self.known.insert(key);
        Ok(self.values.remove(key))
    }

    /// Takes text that must be there.
    ///
    /// # Errors
    /// `Config`, naming the key, when it is missing or empty.
    pub fn require_string(&mut self, key: &'static str) -> Result<String> {
        self.take_string(key)?
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Error::config(format!("the key {key:?} is required")))
    }

    /// Takes a number, or anything else that parses; `expected` says what in the error.
    ///
    /// # Errors
    /// `Config`, naming the key and what was expected.
    pub fn take_parsed<T: FromStr>(
        &mut self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>> {
        let Some(text) = self.take_string(key)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| wrong(key, &text, expected))
    }

    /// Takes one of the named values.
    ///
    /// # Errors
    /// `Config`, naming the key and the choices.
    pub fn take_choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>> {
        let Some(text) = self.take_string(key)? else {
            return Ok(None);
        };
        let found = choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value);
        found.map(Some).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            wrong(key, &text, &format!("one of {}", names.join(", ")))
        })
    }

    /// Takes `true` or `false` (also `1`, `0`, `yes`, `no`, `on`, `off`).
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub fn take_bool(&mut self, key: &'static str) -> Result<Option<bool>> {
        let Some(text) = self.take_string(key)? else {
            return Ok(None);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(wrong(key, &text, "true or false")),
        }
    }

    /// Takes a whole number from 0.
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub fn take_u64(&mut self, key: &'static str) -> Result<Option<u64>> {
        self.take_parsed(key, "a whole number from 0")
    }

    /// Takes a size in bytes: a number, optionally with `k`, `M`, `G`, `T` and `i`, `B` (`64Ki`,
    /// `8MiB`). As in rclone, `k` without `i` also means 1024.
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub fn take_size(&mut self, key: &'static str) -> Result<Option<u64>> {
        let Some(text) = self.take_string(key)? else {
            return Ok(None);
        };
        parse_size(&text)
            .map(Some)
            .ok_or_else(|| wrong(key, &text, "a size such as 8MiB"))
    }

    /// Takes a duration: a number with `ms`, `s`, `m`, `h` or `d` (`30s`).
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub fn take_duration(&mut self, key: &'static str) -> Result<Option<Duration>> {
        let Some(text) = self.take_string(key)? else {
            return Ok(None);
        };
        parse_duration(&text)
            .map(Some)
            .ok_or_else(|| wrong(key, &text, "a duration such as 30s"))
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// `Config`, naming a key that nobody took and all that could be.
    pub fn finish(self) -> Result<()> {
        let Some(unknown) = self.values.keys().next() else {
            return Ok(());
        };
        let known: Vec<_> = self.known.iter().map(|key| format!("{key:?}")).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        Err(Error::config(format!(
            "unknown key {unknown:?}; known are {known}"
        )))
    }
}

fn wrong(key: &str, text: &str, expected: &str) -> Error {
    let shown = if is_secret(key) { "the value" } else { text };
    Error::config(format!("the key {key:?} needs {expected}, not {shown:?}"))
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let shift = match unit.strip_suffix('i').unwrap_or(unit) {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "secret",
        "password",
        "passwd",
        "token",
        "credential",
        "signature",
        "access_key",
        "api_key",
    ]
    .iter()
    .any(|word| key.contains(word))
        || matches!(key.as_str(), "key" | "sas" | "headers" | "authorization")
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.redacted()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut config = Self::new();
        for (key, value) in pairs {
            config.set(key, value);
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_typed_values_and_names_the_key_in_errors() {
        let mut config = Config::from_iter([
            ("size", "8MiB"),
            ("wait", "1.5m"),
            ("on", "yes"),
            ("count", "-1"),
            ("secret_key", "hush"),
        ]);
        assert_eq!(config.take_size("size").unwrap(), Some(8 << 20));
        assert_eq!(
            config.take_duration("wait").unwrap(),
            Some(Duration::from_secs(90))
        );
        assert_eq!(config.take_bool("on").unwrap(), Some(true));
        assert!(
            config
                .take_u64("count")
                .unwrap_err()
                .to_string()
                .contains("\"count\"")
        );
        assert!(!format!("{config:?}").contains("hush"));
        let mut secret = config.clone();
        assert!(
            !secret
                .take_u64("secret_key")
                .unwrap_err()
                .to_string()
                .contains("hush")
        );
        assert!(config.finish().is_err());
    }

    #[test]
    fn sizes_and_durations_that_make_no_sense_are_refused() {
        for text in ["", "x", "1x", "99999999999T", "1.5k"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        for text in ["", "s", "1 fortnight", "1..2s", "-1s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
