//! Directories, and how they and objects exclude each other.

use std::sync::Arc;

use storage_core::{
    Backend, BackendExt, ErrorKind, ListOptions, ObjectPath, Result, RmdirOptions, WriteMode,
};

use crate::case::{Case, owned, race};
use crate::rule::{
    Need::{Extended, Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        mkdir_creates,
        Directories,
        [On("directories")],
        "`mkdir` creates a directory and its parents, which exist although they are empty; an existing one is fine."
    ),
    rule!(
        mkdir_on_an_object,
        Directories,
        [On("directories")],
        "`mkdir` on an object is `AlreadyExists`, below one `NotDirectory`."
    ),
    rule!(
        mkdir_race,
        Directories,
        [On("directories")],
        "Racing `mkdir`s of one path and of its parents all succeed."
    ),
    rule!(
        directory_of_an_object,
        Directories,
        [On("directories")],
        "The parents of an object are directories for `stat` and `exists`."
    ),
    rule!(
        directory_is_no_object,
        Directories,
        [On("directories")],
        "Reading a directory is `IsDirectory`, it does not exist as an object, and its size is unknown."
    ),
    rule!(
        rmdir_removes,
        Directories,
        [On("directories")],
        "`rmdir` removes an empty directory and nothing else."
    ),
    rule!(
        rmdir_not_empty,
        Directories,
        [On("directories")],
        "`rmdir` of a directory with anything in it is `NotEmpty` and leaves it."
    ),
    rule!(
        rmdir_of_missing,
        Directories,
        [On("directories")],
        "`rmdir` of a missing directory is `NotFound`, of an object `NotDirectory`, recursive or not."
    ),
    rule!(
        rmdir_spares_a_concurrent_write,
        Directories,
        [On("directories")],
        "A write that finished beside an `rmdir` of its directory is there, or its failure was told."
    ),
    rule!(
        purge_removes_all_below,
        Directories,
        [On("purge")],
        "`rmdir` with `recursive` removes everything below the directory and nothing beside it; a missing one is `NotFound`."
    ),
    rule!(
        purge_refused,
        Directories,
        [Extended, Off("purge")],
        "Without `purge`, `rmdir` with `recursive` is `Unsupported` and removes nothing."
    ),
    rule!(
        directories_refused,
        Directories,
        [Extended, Off("directories")],
        "Without `directories`, `mkdir` and `rmdir` are `Unsupported`."
    ),
    rule!(
        keys_without_directories,
        Directories,
        [Extended, Off("directories")],
        "Without `directories`, a key and keys below it are objects side by side."
    ),
];

async fn mkdir(case: &Case, key: &str) -> Result<()> {
    case.extended()?.mkdir(&ObjectPath::new(key)?).await
}

async fn rmdir(case: &Case, key: &str, recursive: bool) -> Result<()> {
    let options = RmdirOptions::default().recursive(recursive);
    case.extended()?
        .rmdir(&ObjectPath::new(key)?, options)
        .await
}

async fn is_directory(case: &Case, key: &str) -> Verdict {
    let info = case.extended()?.stat(&ObjectPath::new(key)?).await?;
    equal(
        &format!("whether {key:?} is a directory"),
        info.is_dir,
        true,
    )?;
    equal(
        &format!("the size of the directory {key:?}"),
        info.size,
        None,
    )?;
    equal("the path told", info.path.as_str(), key)?;
    equal(
        &format!("exists({key:?})"),
        case.backend().has(key).await?,
        false,
    )
}

/// Everything in the store.
async fn everything(case: &Case) -> Verdict<Vec<String>> {
    case.keys("", ListOptions::default().recursive(true).directories(true))
        .await
}

async fn mkdir_creates(case: &Case) -> Verdict {
    for key in ["d", "a/b/c", "a/b", "d"] {
        mkdir(case, key).await?;
        is_directory(case, key).await?;
        let below = case.keys(key, ListOptions::default()).await?;
        ensure(key == "a/b" || below.is_empty(), || {
            format!("below {key:?}: expected nothing, found {below:?}")
        })?;
    }
    equal(
        "the store",
        everything(case).await?,
        owned(&["a/", "a/b/", "a/b/c/", "d/"]),
    )?;
    case.put("d/x", "x").await?;
    mkdir(case, "d").await?;
    case.holds("d/x", b"x").await
}

async fn mkdir_on_an_object(case: &Case) -> Verdict {
    case.put("d/object", "x").await?;
    fails(
        "mkdir on an object",
        mkdir(case, "d/object").await,
        ErrorKind::AlreadyExists,
    )?;
    for key in ["d/object/below", "d/object/further/below"] {
        fails(
            &format!("mkdir({key:?})"),
            mkdir(case, key).await,
            ErrorKind::NotDirectory,
        )?;
    }
    equal(
        "the store",
        everything(case).await?,
        owned(&["d/", "d/object"]),
    )?;
    case.holds("d/object", b"x").await
}

async fn mkdir_race(case: &Case) -> Verdict {
    for round in 0..case.effort().rounds.div_ceil(4) {
        let results = race(16, |index| {
            let backend = Arc::clone(case.backend());
            async move {
                let depth = ["", "/x", "/x/y", "/x/y/z"][index % 4];
                let path = ObjectPath::new(format!("{round}{depth}"))?;
                backend.extended()?.mkdir(&path).await
            }
        })
        .await?;
        for result in results {
            result?;
        }
        is_directory(case, &format!("{round}/x/y/z")).await?;
    }
    Ok(())
}

async fn directory_of_an_object(case: &Case) -> Verdict {
    case.put("a/b/c/object", "x").await?;
    for key in ["a", "a/b", "a/b/c"] {
        is_directory(case, key).await?;
    }
    let info = case
        .extended()?
        .stat(&ObjectPath::new("a/b/c/object")?)
        .await?;
    equal("whether the object is a directory", info.is_dir, false)?;
    for entry in case.walk("a", ListOptions::default()).await? {
        equal("whether the entry is a directory", entry.is_dir, true)?;
        equal("the path of the entry", entry.path.as_str(), "a/b")?;
    }
    Ok(())
}

async fn directory_is_no_object(case: &Case) -> Verdict {
    mkdir(case, "empty").await?;
    case.put("d/e/x", "x").await?;
    for key in ["empty", "d", "d/e"] {
        fails(
            &format!("read({key:?})"),
            case.get(key).await,
            ErrorKind::IsDirectory,
        )?;
        fails(
            &format!("reader({key:?})"),
            case.reader(key, ..).await,
            ErrorKind::IsDirectory,
        )?;
        is_directory(case, key).await?;
    }
    Ok(())
}

async fn rmdir_removes(case: &Case) -> Verdict {
    mkdir(case, "a/b/c").await?;
    mkdir(case, "a2").await?;
    rmdir(case, "a/b/c", false).await?;
    equal(
        "the store",
        everything(case).await?,
        owned(&["a/", "a/b/", "a2/"]),
    )?;
    let stat = case.extended()?.stat(&ObjectPath::new("a/b/c")?).await;
    fails("stat of a removed directory", stat, ErrorKind::NotFound)?;
    rmdir(case, "a/b", false).await?;
    rmdir(case, "a", false).await?;
    case.put("a", "an object now").await?;
    equal("the store", everything(case).await?, owned(&["a", "a2/"]))
}

async fn rmdir_not_empty(case: &Case) -> Verdict {
    case.put("d/object", "x").await?;
    mkdir(case, "e/empty").await?;
    let before = everything(case).await?;
    for key in ["d", "e"] {
        fails(
            &format!("rmdir({key:?})"),
            rmdir(case, key, false).await,
            ErrorKind::NotEmpty,
        )?;
    }
    equal("the store", everything(case).await?, before)?;
    case.holds("d/object", b"x").await
}

async fn rmdir_of_missing(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    for recursive in [false, true] {
        if recursive && !case.features().purge {
            continue;
        }
        for key in ["missing", "missing/parent"] {
            fails(
                &format!("rmdir({key:?})"),
                rmdir(case, key, recursive).await,
                ErrorKind::NotFound,
            )?;
        }
        let result = rmdir(case, "object", recursive).await;
        fails("rmdir of an object", result, ErrorKind::NotDirectory)?;
        let result = rmdir(case, "object/below", recursive).await;
        fails_with(
            "rmdir below an object",
            result,
            &[ErrorKind::NotFound, ErrorKind::NotDirectory],
        )?;
    }
    case.holds("object", b"x").await
}

async fn rmdir_spares_a_concurrent_write(case: &Case) -> Verdict {
    for round in 0..case.effort().rounds {
        let directory = format!("d{round}");
        mkdir(case, &directory).await?;
        let results = race(3, |index| {
            let backend = Arc::clone(case.backend());
            remove_or_write(backend, directory.clone(), index)
        })
        .await?;
        for (index, result) in results.into_iter().enumerate() {
            if index == REMOVER {
                let kinds = [ErrorKind::NotEmpty, ErrorKind::NotFound];
                if result.is_err() {
                    fails_with("rmdir", result, &kinds)?;
                }
                continue;
            }
            result?;
            case.holds(&format!("{directory}/{index}"), b"kept").await?;
        }
    }
    Ok(())
}

/// The racer that removes the directory; the others write into it.
const REMOVER: usize = 1;

async fn remove_or_write(backend: Arc<dyn Backend>, directory: String, index: usize) -> Result<()> {
    if index == REMOVER {
        let path = ObjectPath::new(&directory)?;
        return backend
            .extended()?
            .rmdir(&path, RmdirOptions::default())
            .await;
    }
    let path = ObjectPath::new(format!("{directory}/{index}"))?;
    let written = backend
        .write(&path, "kept".into(), WriteMode::Replace.into())
        .await;
    written.map(drop)
}

async fn purge_removes_all_below(case: &Case) -> Verdict {
    for key in ["d/x", "d/e/f/y", "d.txt", "d2/z", "c"] {
        case.put(key, "x").await?;
    }
    if case.features().directories {
        mkdir(case, "d/empty").await?;
    }
    rmdir(case, "d", true).await?;
    let left = case
        .keys("d", ListOptions::default().recursive(true))
        .await?;
    equal("what is left below", left, Vec::<String>::new())?;
    case.has_only(&["c", "d.txt", "d2/z"]).await?;
    let level = case.keys("", ListOptions::default()).await?;
    equal("the top level", level, owned(&["c", "d.txt", "d2/"]))?;
    fails(
        "rmdir again",
        rmdir(case, "d", true).await,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn purge_refused(case: &Case) -> Verdict {
    case.put("d/x", "x").await?;
    fails(
        "rmdir with `recursive`",
        rmdir(case, "d", true).await,
        ErrorKind::Unsupported,
    )?;
    case.holds("d/x", b"x").await
}

async fn directories_refused(case: &Case) -> Verdict {
    fails("mkdir", mkdir(case, "d").await, ErrorKind::Unsupported)?;
    fails(
        "rmdir",
        rmdir(case, "d", false).await,
        ErrorKind::Unsupported,
    )?;
    equal("the store", everything(case).await?, Vec::<String>::new())
}

async fn keys_without_directories(case: &Case) -> Verdict {
    let keys = ["a", "a!", "a.b", "a/b", "a/b/c", "a0"];
    for key in keys.iter().rev() {
        case.put(key, *key).await?;
    }
    for key in keys {
        case.holds(key, key.as_bytes()).await?;
        case.restore(key, key.as_bytes()).await?;
    }
    case.has_only(&keys).await?;
    for limit in [1, 2, 50] {
        let level = case.keys("", ListOptions::default().limit(limit)).await?;
        equal(
            "the top level",
            level,
            owned(&["a", "a!", "a.b", "a/", "a0"]),
        )?;
        let level = case.keys("a", ListOptions::default().limit(limit)).await?;
        equal("the level of `a`", level, owned(&["a/b", "a/b/"]))?;
    }
    equal("delete of the key above", case.delete("a").await?, true)?;
    case.holds("a/b/c", b"a/b/c").await
}
