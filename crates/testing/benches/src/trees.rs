//! Folders that are gone when the benchmark is.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Result;

/// A new folder, removed with all that is in it when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(parent: &Path) -> Result<Self> {
        let path = parent.join(format!("storage-benches-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Creates a folder inside.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("warning: {} is left: {error}", self.0.display());
        }
    }
}

/// The file of a tree of one.
pub(crate) const LARGE: &str = "/large.bin";

/// What a tree is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// So many folders of so many files of so many bytes.
    Folders(usize, usize, usize),
    /// Seven levels of three folders each, with three files of 1 KiB in every folder.
    Deep,
    /// One file of so many bytes, a multiple of 1 MiB.
    Large(u64),
}

impl Shape {
    pub(crate) fn fill(self, root: &Path) -> Result {
        match self {
            Self::Folders(folders, files, size) => fill(root, folders, files, size),
            Self::Deep => deepen(root, 7, &noise(1024)),
            Self::Large(size) => {
                let block = noise(1 << 20);
                let mut file = fs::File::create(root.join(LARGE.trim_start_matches('/')))?;
                (0..size >> 20).try_for_each(|_| file.write_all(&block))?;
                Ok(())
            }
        }
    }
}

fn deepen(root: &Path, levels: u32, bytes: &[u8]) -> Result {
    fs::create_dir_all(root)?;
    for number in 0..3 {
        fs::write(root.join(format!("file-{number}")), bytes)?;
        if levels > 0 {
            deepen(&root.join(format!("folder-{number}")), levels - 1, bytes)?;
        }
    }
    Ok(())
}

/// Fills a folder with `folders` folders of `files` files of `size` bytes each.
pub(crate) fn fill(root: &Path, folders: usize, files: usize, size: usize) -> Result {
    let bytes = noise(size);
    for folder in 0..folders {
        let folder = root.join(format!("folder-{folder:04}"));
        fs::create_dir_all(&folder)?;
        for file in 0..files {
            fs::write(folder.join(format!("file-{file:05}.bin")), &bytes)?;
        }
    }
    Ok(())
}

/// Files and bytes below a folder.
pub(crate) fn measure(root: &Path) -> Result<(u64, u64)> {
    let (mut count, mut sum) = (0, 0);
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                count += 1;
                sum += entry.metadata()?.len();
            }
        }
    }
    Ok((count, sum))
}

/// Bytes that no file system stores as a hole and none compresses; always the same.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_tree_measures_what_was_asked_for_and_goes_away() {
        let scratch = Scratch::new(&std::env::temp_dir()).unwrap();
        let root = scratch.folder("tree").unwrap();
        fill(&root, 3, 4, 10).unwrap();
        assert_eq!(measure(&root).unwrap(), (12, 120));
        drop(scratch);
        assert!(!root.exists());
    }
}
