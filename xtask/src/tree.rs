//! The workspace's own files.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::run::root;

/// Lines from which a source file is worth splitting.
const LONG: usize = 500;

/// Every file with this extension, hidden and build folders left out; paths relative to the root, sorted.
pub(crate) fn files(extension: &str) -> Result<Vec<PathBuf>> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            let skipped = name == "target" || name.to_string_lossy().starts_with('.');
            if entry.file_type()?.is_dir() {
                folders.extend((!skipped).then_some(path));
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(&root)?.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file given relative to the root.
pub(crate) fn read(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    std::fs::read_to_string(root().join(path))
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Replaces a file given relative to the root, if its content is another.
pub(crate) fn write(path: impl AsRef<Path>, text: &str) -> Result {
    let path = path.as_ref();
    if std::fs::read_to_string(root().join(path)).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let whole = root().join(path);
    if let Some(folder) = whole.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(whole, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("  wrote {}", path.display());
    Ok(())
}

/// One line for each source file that is too long.
pub(crate) fn long_files() -> Result<Vec<String>> {
    let mut long = Vec::new();
    for path in files("rs")? {
        let lines = read(&path)?.lines().count();
        if lines > LONG {
            long.push(format!("{} has {lines} lines", path.display()));
        }
    }
    Ok(long)
}
