//! Named remotes: backends with their settings, in a TOML file with a table for each.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::hint::Advice;
use omnistorage::{Error, ErrorKind, Result};
use toml_edit::{DocumentMut, Item, Table, Value};

const UNKNOWN: &str =
    "`omni config create` adds a remote; a local file whose name has a colon is written ./name:…";

/// The file that `--config` names.
static CHOSEN: OnceLock<PathBuf> = OnceLock::new();

/// Makes this the file of the remotes, for the whole process.
pub(crate) fn choose(file: PathBuf) {
    // Called once, when the arguments are parsed.
    let _ = CHOSEN.set(file);
}

/// The file of the remotes: the chosen one, else `omni/config.toml` where the system keeps
/// configuration.
pub(crate) fn file() -> Result<PathBuf> {
    if let Some(file) = CHOSEN.get() {
        return Ok(file.clone());
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = if cfg!(windows) {
        set("APPDATA").map(PathBuf::from)
    } else {
        let home = || Some(PathBuf::from(set("HOME")?).join(".config"));
        set("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home)
    };
    folder
        .map(|folder| folder.join("omni").join("config.toml"))
        .ok_or_else(|| {
            Error::config(
                "there is no home directory to find the configuration in; set OMNI_CONFIG",
            )
        })
}

/// `name:path` as name and path. A text with a scheme, or with `/` before the first colon, is none.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    let (name, path) = text.split_once(':')?;
    let is_drive = cfg!(windows) && name.len() == 1;
    let is_remote = is_name(name) && !path.starts_with("//") && !is_drive;
    is_remote.then_some((name, path))
}

/// Whether a remote may be called so.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || "_-.+@ ".contains(c);
    !name.is_empty() && name.chars().all(good) && !name.starts_with(['-', ' ', '.'])
}

/// The remotes of one file.
#[derive(Debug)]
pub(crate) struct Remotes {
    file: PathBuf,
    document: DocumentMut,
}

impl Remotes {
    /// Reads the file; one that is not there has no remotes.
    ///
    /// # Errors
    /// `Config` for text that is no TOML, naming line and column.
    pub(crate) fn read() -> Result<Self> {
        let file = file()?;
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|error| in_file(error.into(), &file))?,
        };
        let document = text.parse::<DocumentMut>().map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let message = format!("line {line}, column {column}: {message}");
            in_file(Error::config(message), &file)
        })?;
        Ok(Self { file, document })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.document.iter().map(|(name, _)| name).collect()
    }

    /// The backend's name or URI of a remote, and its other settings.
    ///
    /// # Errors
    /// `Config` when there is no such remote, or its table is not one of plain values with `type`.
    pub(crate) fn get(&self, name: &str) -> Result<Remote> {
        let mut settings = self.settings(name)?;
        let (kind, uri) = (settings.remove("type"), settings.remove("uri"));
        let place = match (kind, uri) {
            (Some(kind), None) => Place::Backend(kind),
            (None, Some(uri)) => Place::Uri(uri),
            _ => {
                let message =
                    format!("the remote {name:?} needs either `type`, a backend's name, or `uri`");
                return Err(in_file(Error::config(message), &self.file));
            }
        };
        Ok(Remote { place, settings })
    }

    /// Follows the remotes that a remote lies over.
    ///
    /// # Errors
    /// `Config` when one lies over itself.
    pub(crate) fn check_chain(&self, name: &str) -> Result<()> {
        let mut seen = vec![name.to_owned()];
        let mut name = name.to_owned();
        while let Some(below) = self.settings(&name)?.get("remote") {
            let Some((next, _)) = split(below) else { break };
            if seen.iter().any(|earlier| earlier == next) {
                let message = format!("the remote {next:?} lies over itself");
                return Err(in_file(Error::config(message), &self.file));
            }
            name = next.to_owned();
            seen.push(name.clone());
        }
        Ok(())
    }

    /// All settings of a remote as text.
    pub(crate) fn settings(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let fail = |message: String| in_file(Error::config(message), &self.file);
        let Some(item) = self.document.get(name) else {
            let known = self.names();
            let known = match known.as_slice() {
                [] => "there are none".to_owned(),
                names => format!("known are {}", names.join(", ")),
            };
            let error = fail(format!("no remote is named {name:?}; {known}"));
            return Err(error.with_source(Advice(UNKNOWN)));
        };
        let table = item
            .as_table_like()
            .ok_or_else(|| fail(format!("{name:?} is not a table")))?;
        let text = |(key, item): (&str, &Item)| match item {
            Item::Value(Value::String(text)) => Ok((key.to_owned(), text.value().clone())),
            Item::Value(Value::Integer(number)) => Ok((key.to_owned(), number.value().to_string())),
            Item::Value(Value::Boolean(flag)) => Ok((key.to_owned(), flag.value().to_string())),
            _ => Err(fail(format!(
                "{name}.{key} is not a text, a whole number, true or false"
            ))),
        };
        table.iter().map(text).collect()
    }

    /// Adds a remote, or with `replace` changes keys of one.
    ///
    /// # Errors
    /// `InvalidPath` for a name that no remote may have, `AlreadyExists` without `replace`.
    pub(crate) fn set(
        &mut self,
        name: &str,
        settings: &[(String, String)],
        replace: bool,
    ) -> Result<()> {
        if !is_name(name) || (cfg!(windows) && name.len() == 1) {
            let message = "a remote's name has letters, digits, spaces and _-.+@, and starts with \
                           a letter, a digit, _, + or @";
            return Err(Error::new(ErrorKind::InvalidPath, message).with_path(name));
        }
        if !replace && self.document.contains_key(name) {
            let message = "there is a remote of this name; `omni config update` changes it";
            return Err(Error::new(ErrorKind::AlreadyExists, message).with_path(name));
        }
        if replace {
            self.settings(name)?;
        }
        let item = self
            .document
            .entry(name)
            .or_insert_with(|| Item::Table(Table::new()));
        if let Some(table) = item.as_table_like_mut() {
            for (key, value) in settings {
                table.insert(key, toml_edit::value(value));
            }
        }
        self.get(name).map(drop)
    }

    /// Removes a remote.
    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        self.settings(name)?;
        self.document.remove(name);
        Ok(())
    }

    /// Replaces the file at once; only its owner may read it, for it may hold secrets.
    pub(crate) fn save(&self) -> Result<()> {
        self.replace()
            .map_err(|error| in_file(error.into(), &self.file))
    }

    fn replace(&self) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let fresh = self
            .file
            .with_extension(format!("toml.{}.tmp", std::process::id()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&fresh).and_then(|mut file| {
            file.write_all(self.document.to_string().as_bytes())?;
            file.sync_all()
        });
        let replaced = written.and_then(|()| fs::rename(&fresh, &self.file));
        if replaced.is_err() {
            // What failed is reported; the rest of it is in nobody's way.
            let _ = fs::remove_file(&fresh);
        }
        replaced
    }
}

/// A backend and how to open it.
pub(crate) struct Remote {
    pub(crate) place: Place,
    pub(crate) settings: BTreeMap<String, String>,
}

pub(crate) enum Place {
    Backend(String),
    Uri(String),
}

fn in_file(error: Error, file: &Path) -> Error {
    error.with_path(file.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_remote_is_a_name_before_a_colon() {
        for (text, remote) in [
            ("nas:", Some(("nas", ""))),
            ("nas:a/b:c", Some(("nas", "a/b:c"))),
            ("my nas.2:/x", Some(("my nas.2", "/x"))),
            ("file:///x", None),
            ("./nas:x", None),
            ("a/b:c", None),
            (":x", None),
            (".nas:x", None),
            ("plain", None),
        ] {
            assert_eq!(split(text), remote, "{text}");
        }
    }
}
