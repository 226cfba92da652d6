use std::collections::BTreeMap;
use std::ops::Bound;

use storage_core::{
    Backend, Error, ErrorKind, ExtendedBackend, Features, HashType, Hashes, ListFilter,
    ListOptions, ListPage, ObjectInfo, ObjectPath, Operation, Prefix, ReadOptions, Reader, Result,
    WriteOptions, Writer, async_trait,
};

/// The digests of a tree, as a checksum file has them: what [`Job::verify`](crate::Job::verify)
/// compares a tree with. Held in memory.
///
/// ```
/// use storage_core::HashType;
/// use storage_sync::Sums;
///
/// let sums = Sums::parse("acbd18db4cc2f85cedef654fccc4a4d8  dir/foo\n", None)?;
/// assert_eq!((sums.len(), sums.hash_type()), (1, Some(HashType::Md5)));
/// let error = Sums::parse("acbd18  foo\n", None).unwrap_err();
/// assert!(error.to_string().contains("line 1"));
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sums {
    hash: Option<HashType>,
    digests: BTreeMap<ObjectPath, Hashes>,
}

impl Sums {
    /// Reads a checksum file as `md5sum`, `sha256sum` or `b3sum` write it, plain or with `--tag`, or
    /// with `--zero`, which ends lines with NUL and escapes nothing. Empty lines and lines that start
    /// with `#` are left out.
    ///
    /// Without `hash` the first digest's length decides, 64 digits meaning SHA-256; a tag says by
    /// itself.
    ///
    /// # Errors
    /// `Corrupt`, naming the line, for a line of another form, a digest of another length or
    /// algorithm than the first, a name that is no path below the tree, and two digests of one name.
    pub fn parse(text: &str, hash: Option<HashType>) -> Result<Self> {
        let mut sums = Self {
            hash,
            digests: BTreeMap::new(),
        };
        let is_zero = text.contains('\0');
        let end = if is_zero { '\0' } else { '\n' };
        for (number, line) in text.split_terminator(end).enumerate() {
            let line = match is_zero {
                true => line,
                false => line.strip_suffix('\r').unwrap_or(line),
            };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            sums.add_line(line, !is_zero).map_err(|what| {
                Error::new(ErrorKind::Corrupt, format!("line {}: {what}", number + 1))
            })?;
        }
        Ok(sums)
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// The algorithm; `None` when neither the caller nor a line said which.
    #[must_use]
    pub const fn hash_type(&self) -> Option<HashType> {
        self.hash
    }

    fn add_line(&mut self, line: &str, may_escape: bool) -> Result<(), String> {
        let entry = Entry::parse(line, may_escape).ok_or("it is not a digest and a name")?;
        let known = self.hash.or(entry.tag).or_else(|| of_len(entry.digest));
        let hash = known.ok_or_else(|| format!("no hash has {} digits", entry.digest.len()))?;
        if entry.tag.is_some_and(|tag| tag != hash) {
            return Err(format!("it is not a digest of {hash}"));
        }
        let mut hashes = Hashes::new();
        hashes
            .insert_hex(hash, entry.digest)
            .map_err(|error| error.message().to_owned())?;
        let name = entry.name.strip_prefix("./").unwrap_or(&entry.name);
        let path = ObjectPath::new(name).map_err(|error| error.to_string())?;
        self.hash = Some(hash);
        match self.digests.insert(path, hashes.clone()) {
            Some(before) if before != hashes => Err(format!("{name:?} has another digest above")),
            _ => Ok(()),
        }
    }
}

/// One line of a checksum file.
struct Entry<'a> {
    digest: &'a str,
    name: String,
    tag: Option<HashType>,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str, may_escape: bool) -> Option<Self> {
        let (line, is_escaped) = match line.strip_prefix('\\') {
            Some(rest) if may_escape => (rest, true),
            _ => (line, false),
        };
        let (digest, name, tag) = match tagged(line) {
            Some((tag, name, digest)) => (digest, name, Some(tag)),
            None => {
                let (digest, name) = line.split_once(' ')?;
                // The second character says text or binary, which is the same.
                (digest, name.strip_prefix([' ', '*'])?, None)
            }
        };
        let name = if is_escaped {
            unescape(name)?
        } else {
            name.to_owned()
        };
        Some(Self { digest, name, tag })
    }
}

/// `SHA256 (name) = digest`.
fn tagged(line: &str) -> Option<(HashType, &str, &str)> {
    let (tag, rest) = line.split_once(" (")?;
    let (name, digest) = rest.rsplit_once(") = ")?;
    let tag = HashType::ALL
        .into_iter()
        .find(|hash| hash.as_str().eq_ignore_ascii_case(tag))?;
    Some((tag, name, digest))
}

/// The name behind the escapes of GNU coreutils.
fn unescape(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(letter) = rest.next() {
        plain.push(match letter {
            '\\' => match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(plain)
}

fn of_len(digest: &str) -> Option<HashType> {
    let by_length = [
        HashType::Sha256,
        HashType::Sha1,
        HashType::Md5,
        HashType::Crc32c,
    ];
    let is_as_long = |hash: &HashType| hash.digest_len() * 2 == digest.len();
    by_length.into_iter().find(is_as_long)
}

/// A listing of digests without the objects: the source of a verification, and without any digest
/// the source of a deletion.
#[async_trait]
impl Backend for Sums {
    fn name(&self) -> &'static str {
        "sums"
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let filter = ListFilter::new(prefix, &options.clone().into_parts());
        let after = filter.after().map(|after| after.trim_end_matches('/'));
        let start = after.and_then(|after| ObjectPath::new(after).ok());
        let start = start.map_or(Bound::Unbounded, Bound::Excluded);
        let entries = self.digests.range((start, Bound::Unbounded));
        let infos = entries.map(|(path, hashes)| {
            let mut info = ObjectInfo::new(path.clone());
            info.hashes.clone_from(hashes);
            info
        });
        Ok(ListPage::of_sorted(prefix, options, infos))
    }

    async fn reader(&self, path: &ObjectPath, _: ReadOptions) -> Result<Reader> {
        Err(no_content().at(Operation::Read, self.name(), path))
    }

    async fn writer(&self, path: &ObjectPath, _: WriteOptions) -> Result<Writer> {
        Err(no_content().at(Operation::Write, self.name(), path))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        Err(no_content().at(Operation::Delete, self.name(), path))
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

#[async_trait]
impl ExtendedBackend for Sums {
    fn features(&self) -> Features {
        Features::NONE
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        let Some(hashes) = self.digests.get(path) else {
            let error = Error::not_found("no such line");
            return Err(error.at(Operation::Stat, self.name(), path));
        };
        let mut info = ObjectInfo::new(path.clone());
        info.hashes.clone_from(hashes);
        Ok(info)
    }
}

fn no_content() -> Error {
    Error::unsupported("a checksum file holds digests alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "acbd18db4cc2f85cedef654fccc4a4d8";
    const LONG: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn names(text: &str, hash: Option<HashType>) -> Vec<String> {
        let sums = Sums::parse(text, hash).unwrap();
        sums.digests.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn takes_what_md5sum_and_b3sum_write() {
        let text = format!("# made by hand\n{MD5}  ./b c\r\n{MD5} *a\n\n\\{MD5}  new\\\\line\n");
        assert_eq!(
            names(&text.replace('\r', ""), None),
            ["a", "b c", "new\\line"]
        );
        assert_eq!(names(&text, None), ["a", "b c", "new\\line"]);
        let tagged = format!("BLAKE3 (dir/a (1)) = {LONG}\n");
        assert_eq!(names(&tagged, None), ["dir/a (1)"]);
        let plain = format!("{LONG}  x\n");
        let of = |hash| Sums::parse(&plain, hash).unwrap().hash_type();
        assert_eq!(of(None), Some(HashType::Sha256));
        assert_eq!(of(Some(HashType::Blake3)), Some(HashType::Blake3));
    }

    #[test]
    fn an_unknown_length_is_no_hash() {
        let error = Sums::parse("abc  name", None).unwrap_err();
        assert!(
            error.to_string().contains("no hash has 3 digits"),
            "{error}"
        );
    }

    #[test]
    fn refuses_other_lines_and_names_them() {
        for (line, why) in [
            ("nonsense", "not a digest and a name"),
            ("abc  name", "is not a md5 digest"),
            (&*format!("{LONG}  name"), "digest has 16 bytes"),
            (&*format!("SHA256 (a) = {LONG}"), "not a digest of md5"),
            (&*format!("{MD5}  ../a"), "../a"),
            (&*format!("{MD5}  /a"), "/a"),
            (&*format!("\\{MD5}  a\\tb"), "not a digest and a name"),
            (
                &*format!("{}  first", MD5.replace('a', "b")),
                "another digest above",
            ),
            (
                &*format!("{}  name", MD5.replace('a', "z")),
                "not a md5 digest",
            ),
        ] {
            let error = Sums::parse(&format!("{MD5}  first\n{line}\n"), None).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("line 2: ") && text.contains(why),
                "{line}: {text}"
            );
        }
    }
}
