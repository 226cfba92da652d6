use omnistorage::sync::{Command, Job, Options};
use omnistorage::{HashType, Hashes, Result};

use super::job::{self, source};
use super::report::Report;
use super::target::Target;
use crate::args::HashArgs;
use crate::filter;
use crate::output::{Exit, Output};

/// Prints the digest of each object.
pub(crate) async fn run(args: HashArgs, output: &Output) -> Exit {
    let mut options = Options::default()
        .checkers(usize::from(args.checkers))
        .download(args.download);
    let digests = match Digests::open(&args) {
        Ok(digests) => digests,
        Err(error) => {
            output.fail(&error);
            return Exit::Usage;
        }
    };
    let command = Command::HashSum(args.hash);
    let mut report = Report::new(command, false, output).with_digests(digests);
    let job = async {
        options.filter = filter::load(&args.filter).await?;
        Job::hash_sum(source(&args.path).await?, args.hash, options)
    };
    let summary = job::run(job.await, &mut report, output).await;
    summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary))
}

/// Where the lines of a checksum file go.
#[derive(Debug)]
pub(super) struct Digests {
    hash: HashType,
    tag: bool,
    target: Target,
}

impl Digests {
    fn open(args: &HashArgs) -> Result<Self> {
        Ok(Self {
            hash: args.hash,
            tag: args.tag,
            target: Target::open(args.output_file.as_deref().unwrap_or("-"))?,
        })
    }

    pub(super) const fn hash(&self) -> HashType {
        self.hash
    }

    pub(super) fn add(&mut self, path: &str, digest: &Hashes, output: &Output) {
        let hex = digest.get_hex(self.hash).unwrap_or_default();
        self.target
            .line(&line(self.hash, path, &hex, self.tag), output);
    }

    pub(super) fn finish(self) -> Result<()> {
        self.target.finish()
    }
}

/// A line as md5sum and b3sum write it: a name with a backslash or line break is escaped, which a
/// backslash before the line tells.
fn line(hash: HashType, path: &str, hex: &str, tag: bool) -> String {
    let is_odd = path.contains(['\\', '\n', '\r']);
    let name = if is_odd {
        let name = path.replace('\\', "\\\\");
        &name.replace('\n', "\\n").replace('\r', "\\r")
    } else {
        path
    };
    let mark = if is_odd { "\\" } else { "" };
    if tag {
        let tag = hash.as_str().to_uppercase();
        return format!("{mark}{tag} ({name}) = {hex}");
    }
    format!("{mark}{hex}  {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_escaped_as_coreutils_does() {
        let plain = |path| line(HashType::Md5, path, "00", false);
        assert_eq!(plain("a b"), "00  a b");
        assert_eq!(plain("a\nb\\c"), "\\00  a\\nb\\\\c");
        assert_eq!(line(HashType::Blake3, "a", "00", true), "BLAKE3 (a) = 00");
    }
}
