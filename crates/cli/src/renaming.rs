//! New names for the files of a tree on their way, in rclone's language of `--name-transform`.

use omnistorage::sync::Transform;
use omnistorage::{ObjectPath, Result};
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// One step: what becomes of which parts of a path.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    tag: Tag,
    change: Change,
}

/// The parts of a path that a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    File,
    Directories,
    All,
}

#[derive(Debug, Clone)]
enum Change {
    None,
    Prefix(String),
    Suffix(String),
    SuffixKeepExtension(String),
    TrimPrefix(String),
    TrimSuffix(String),
    Replace(String, String),
    Regex(Regex, String),
    /// Letters at most.
    Truncate(usize),
    TruncateKeepExtension(usize),
    Lower,
    Upper,
    Ascii,
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Step {
    /// Reads `[TAG,]CHANGE[=VALUE]`.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let (tag, rest) = match text.split_once(',') {
            Some(("file", rest)) => (Tag::File, rest),
            Some(("dir", rest)) => (Tag::Directories, rest),
            Some(("all", rest)) => (Tag::All, rest),
            _ => (Tag::File, text),
        };
        let change = match rest.split_once('=') {
            Some((name, value)) => Change::with_value(name, value)?,
            None => Change::plain(rest)?,
        };
        Ok(Self { tag, change })
    }

    fn apply(&self, path: &str) -> String {
        let mut segments: Vec<_> = path.split('/').map(str::to_owned).collect();
        let above = segments.len() - 1;
        let chosen = match self.tag {
            Tag::File => above..segments.len(),
            Tag::Directories => 0..above,
            Tag::All => 0..segments.len(),
        };
        for segment in segments.get_mut(chosen).unwrap_or_default() {
            *segment = self.change.apply(segment);
        }
        segments.join("/")
    }
}

impl Change {
    fn plain(name: &str) -> std::result::Result<Self, String> {
        Ok(match name {
            "none" => Self::None,
            "lowercase" => Self::Lower,
            "uppercase" => Self::Upper,
            "ascii" => Self::Ascii,
            "nfc" => Self::Nfc,
            "nfd" => Self::Nfd,
            "nfkc" => Self::Nfkc,
            "nfkd" => Self::Nfkd,
            _ => return Err(unknown(name)),
        })
    }

    fn with_value(name: &str, value: &str) -> std::result::Result<Self, String> {
        let text = || match value.contains('/') {
            true => Err("a name has no /".to_owned()),
            false => Ok(value.to_owned()),
        };
        let letters = || match value.parse() {
            Ok(0) | Err(_) => Err(format!("{value:?} is no number of letters, at least 1")),
            Ok(letters) => Ok(letters),
        };
        Ok(match name {
            "prefix" => Self::Prefix(text()?),
            "suffix" => Self::Suffix(text()?),
            "suffix_keep_extension" => Self::SuffixKeepExtension(text()?),
            "trimprefix" => Self::TrimPrefix(text()?),
            "trimsuffix" => Self::TrimSuffix(text()?),
            "truncate" => Self::Truncate(letters()?),
            "truncate_keep_extension" => Self::TruncateKeepExtension(letters()?),
            "replace" => {
                let text = text()?;
                let both = text.split_once(':').filter(|(old, _)| !old.is_empty());
                let (old, new) = both.ok_or("write replace=OLD:NEW")?;
                Self::Replace(old.to_owned(), new.to_owned())
            }
            "regex" => {
                let both = value.split_once('/').filter(|(_, new)| !new.contains('/'));
                let (pattern, new) = both.ok_or("write regex=PATTERN/REPLACEMENT")?;
                let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
                Self::Regex(pattern, new.to_owned())
            }
            _ => return Err(unknown(name)),
        })
    }

    fn apply(&self, name: &str) -> String {
        let letters = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        match self {
            Self::None => name.to_owned(),
            Self::Prefix(text) => format!("{text}{name}"),
            Self::Suffix(text) => format!("{name}{text}"),
            Self::SuffixKeepExtension(text) => {
                let (base, extension) = split_extension(name);
                format!("{base}{text}{extension}")
            }
            Self::TrimPrefix(text) => name.strip_prefix(text.as_str()).unwrap_or(name).to_owned(),
            Self::TrimSuffix(text) => name.strip_suffix(text.as_str()).unwrap_or(name).to_owned(),
            Self::Replace(old, new) => name.replace(old.as_str(), new),
            Self::Regex(pattern, new) => pattern.replace_all(name, new.as_str()).into_owned(),
            Self::Truncate(most) => letters(name, *most),
            Self::TruncateKeepExtension(most) => {
                let (base, extension) = split_extension(name);
                let rest = most.saturating_sub(extension.chars().count());
                format!("{}{extension}", letters(base, rest))
            }
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::Ascii => name.chars().filter(char::is_ascii).collect(),
            Self::Nfc => name.nfc().collect(),
            Self::Nfd => name.nfd().collect(),
            Self::Nfkc => name.nfkc().collect(),
            Self::Nfkd => name.nfkd().collect(),
        }
    }
}

fn unknown(name: &str) -> String {
    format!(
        "{name:?} is not known or lacks its value; known are prefix=, suffix=, \
         suffix_keep_extension=, trimprefix=, trimsuffix=, replace=OLD:NEW, \
         regex=PATTERN/REPLACEMENT, truncate=, truncate_keep_extension=, lowercase, uppercase, \
         ascii, nfc, nfd, nfkc, nfkd and none, after file, dir or all with a comma"
    )
}

/// The extension with its dot, `.tar` before it included, and what is before it.
fn split_extension(name: &str) -> (&str, &str) {
    let Some(last) = name.rfind('.') else {
        return (name, "");
    };
    let (base, _) = name.split_at(last);
    let base = base.strip_suffix(".tar").unwrap_or(base);
    name.split_at(base.len())
}

/// Steps in the order in which they were given.
#[derive(Debug)]
pub(crate) struct Renaming(pub(crate) Vec<Step>);

impl Transform for Renaming {
    fn rename(&self, path: &ObjectPath) -> Result<ObjectPath> {
        let first = path.as_str().to_owned();
        let renamed = self.0.iter().fold(first, |path, step| step.apply(&path));
        ObjectPath::new(renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(path: &str, steps: &[&str]) -> String {
        let steps = steps.iter().map(|step| Step::parse(step).unwrap());
        let path = ObjectPath::new(path).unwrap();
        Renaming(steps.collect()).rename(&path).unwrap().to_string()
    }

    #[test]
    fn names_change_as_rclone_changes_them() {
        let path = "stories/The Quick Brown Fox!.txt";
        for (steps, expected) in [
            (&["all,uppercase"][..], "STORIES/THE QUICK BROWN FOX!.TXT"),
            (
                &["all,replace=Fox:Turtle", "all,replace=Quick:Slow"],
                "stories/The Slow Brown Turtle!.txt",
            ),
            (&["trimsuffix=.txt"], "stories/The Quick Brown Fox!"),
            (
                &["all,prefix=OLD_"],
                "OLD_stories/OLD_The Quick Brown Fox!.txt",
            ),
            (&["dir,suffix=s"], "storiess/The Quick Brown Fox!.txt"),
            (
                &["suffix_keep_extension=-1"],
                "stories/The Quick Brown Fox!-1.txt",
            ),
            (&["truncate_keep_extension=13"], "stories/The Quick.txt"),
            (&["truncate=9"], "stories/The Quick"),
            (&["regex=(\\w)ox/b$1"], "stories/The Quick Brown bF!.txt"),
            (&["none", "trimprefix=The "], "stories/Quick Brown Fox!.txt"),
        ] {
            assert_eq!(renamed(path, steps), expected, "{steps:?}");
        }
        assert_eq!(
            renamed("d\u{e9}/\u{e9}", &["all,nfd"]),
            "de\u{301}/e\u{301}"
        );
        assert_eq!(renamed("d\u{e9}/\u{e9}x", &["ascii"]), "d\u{e9}/x");
        assert_eq!(
            renamed("a.tar.gz", &["suffix_keep_extension=1"]),
            "a1.tar.gz"
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "",
            "base64encode",
            "prefix",
            "lowercase=1",
            "files,lowercase",
            "prefix=a/b",
            "replace=a",
            "replace=:b",
            "regex=(",
            "regex=a",
            "truncate=0",
            "date=x",
            "command=sh",
        ] {
            assert!(Step::parse(text).is_err(), "{text}");
        }
    }
}
