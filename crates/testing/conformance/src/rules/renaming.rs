//! Renames within the backend.

use std::sync::Arc;

use storage_core::{
    AttributePolicy, ErrorKind, HashType, ListOptions, Metadata, ObjectPath, Result, WriteMode,
    WriteOptions,
};

use super::conditions::version;
use crate::case::{Case, pattern, race};
use crate::rule::{
    Need::{Extended, Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        rename_moves,
        Rename,
        [On("rename")],
        "A rename moves the bytes: nothing is left under the old name; it overwrites by default and creates parents."
    ),
    rule!(
        rename_keeps_attributes,
        Rename,
        [On("rename")],
        "A rename keeps all attributes, and nothing of an object it replaces."
    ),
    rule!(
        rename_of_missing,
        Rename,
        [On("rename")],
        "Renaming what is not there is `NotFound` and leaves the target."
    ),
    rule!(
        rename_onto_itself,
        Rename,
        [On("rename")],
        "Renaming onto itself changes nothing."
    ),
    rule!(
        rename_honours_create_new,
        Rename,
        [On("rename"), On("create_new")],
        "A rename with `CreateNew` onto an existing object is `AlreadyExists` and leaves both."
    ),
    rule!(
        rename_honours_if_version,
        Rename,
        [On("rename"), On("if_version")],
        "A rename with `IfVersion` replaces that version and no other."
    ),
    rule!(
        rename_refuses_other_options,
        Rename,
        [On("rename")],
        "A rename refuses every option but the mode as `Unsupported` and moves nothing."
    ),
    rule!(
        rename_race,
        Rename,
        [On("rename"), On("create_new")],
        "Of renames racing with `CreateNew` onto one name exactly one wins, and no source is lost."
    ),
    rule!(
        rename_a_directory,
        Rename,
        [On("rename"), On("directories")],
        "Renaming a directory moves all that is below it, with empty directories."
    ),
    rule!(
        rename_into_itself,
        Rename,
        [On("rename"), On("directories")],
        "Renaming a directory into itself fails and loses nothing."
    ),
    rule!(
        rename_onto_a_filled_directory,
        Rename,
        [On("rename"), On("directories")],
        "Renaming a directory onto one that is not empty is `NotEmpty` or `AlreadyExists` and loses nothing."
    ),
    rule!(
        rename_between_kinds,
        Rename,
        [On("rename"), On("directories")],
        "Renaming an object onto a directory, or a directory onto an object, fails and loses nothing."
    ),
    rule!(
        rename_refused,
        Rename,
        [Extended, Off("rename")],
        "Without `rename`, the call is `Unsupported` and moves nothing."
    ),
];

async fn rename(case: &Case, from: &str, to: &str, options: impl Into<WriteOptions>) -> Result<()> {
    let (from, to) = (ObjectPath::new(from)?, ObjectPath::new(to)?);
    case.extended()?.rename(&from, &to, options.into()).await
}

fn plain() -> WriteOptions {
    WriteOptions::default()
}

async fn rename_moves(case: &Case) -> Verdict {
    case.put("to", "something to replace").await?;
    for size in [0, 10, 300_000] {
        for to in ["to", "new/parents/to", "d/to", "to"] {
            case.put("d/from", pattern(1, size)).await?;
            rename(case, "d/from", to, plain()).await?;
            case.holds(to, &pattern(1, size)).await?;
            case.absent("d/from").await?;
        }
    }
    let all = ["d/to", "new/parents/to", "to"].map(str::to_owned).to_vec();
    equal("the objects", case.objects().await?, all)
}

/// Every attribute, left out where the backend cannot keep it.
fn attributes(author: &str) -> WriteOptions {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    plain()
        .attributes(AttributePolicy::IfSupported)
        .content_type(format!("text/{author}"))
        .metadata(Metadata::from([("author".to_owned(), author.to_owned())]))
        .hashes(HashType::Sha256)
        .modified(time)
}

async fn rename_keeps_attributes(case: &Case) -> Verdict {
    case.write("to", pattern(2, 10), attributes("bob")).await?;
    for to in ["to", "d/new"] {
        case.write("from", pattern(1, 10), attributes("ada"))
            .await?;
        let mut before = case.info("from").await?;
        rename(case, "from", to, plain()).await?;
        let after = case.info(to).await?;
        // The version is that of another key now; the path is another one too.
        before.path.clone_from(&after.path);
        (before.version, before.etag) = (after.version.clone(), after.etag.clone());
        equal("what is told of the object", after, before)?;
    }
    Ok(())
}

async fn rename_of_missing(case: &Case) -> Verdict {
    case.put("to", "old").await?;
    for from in ["missing", "missing/parent", "to/below"] {
        for to in ["to", "new", "other/new"] {
            let result = rename(case, from, to, plain()).await;
            fails(
                &format!("renaming {from:?} to {to:?}"),
                result,
                ErrorKind::NotFound,
            )?;
        }
    }
    let itself = rename(case, "missing", "missing", plain()).await;
    fails(
        "renaming a missing object onto itself",
        itself,
        ErrorKind::NotFound,
    )?;
    case.holds("to", b"old").await?;
    equal("the objects", case.objects().await?, vec!["to".to_owned()])
}

async fn rename_onto_itself(case: &Case) -> Verdict {
    case.write("d/key", pattern(1, 10), attributes("ada"))
        .await?;
    let before = case.info("d/key").await?;
    rename(case, "d/key", "d/key", plain()).await?;
    equal(
        "what is told of the object",
        case.info("d/key").await?,
        before,
    )?;
    case.holds("d/key", &pattern(1, 10)).await
}

async fn rename_honours_create_new(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    case.put("to", "old").await?;
    let result = rename(case, "from", "to", WriteMode::CreateNew).await;
    fails(
        "a rename with `CreateNew`",
        result,
        ErrorKind::AlreadyExists,
    )?;
    case.holds("to", b"old").await?;
    case.holds("from", b"from").await?;
    rename(case, "from", "d/new", WriteMode::CreateNew).await?;
    case.holds("d/new", b"from").await?;
    case.absent("from").await
}

async fn rename_honours_if_version(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    case.put("to", "one").await?;
    let old = version(case, "to").await?;
    case.put("to", "two").await?;
    for to in ["to", "new"] {
        let result = rename(case, "from", to, WriteMode::IfVersion(old.clone())).await;
        let what = format!("a rename to {to:?} with `IfVersion`");
        fails(&what, result, ErrorKind::PreconditionFailed)?;
    }
    case.holds("to", b"two").await?;
    case.holds("from", b"from").await?;
    case.absent("new").await?;
    rename(
        case,
        "from",
        "to",
        WriteMode::IfVersion(version(case, "to").await?),
    )
    .await?;
    case.holds("to", b"from").await?;
    case.absent("from").await
}

async fn rename_refuses_other_options(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    let digests = storage_hash::hash(HashType::Sha256.into(), b"from");
    let metadata = Metadata::from([("a".to_owned(), "b".to_owned())]);
    for (what, options) in [
        ("content type", plain().content_type("text/plain")),
        ("cache control", plain().cache_control("no-store")),
        ("metadata", plain().metadata(metadata)),
        ("a modified time", plain().modified(std::time::UNIX_EPOCH)),
        ("hashes", plain().hashes(HashType::Sha256)),
        ("verify", plain().verify(HashType::Sha256)),
        ("expected digests", plain().expected(digests)),
        ("a size", plain().size(4)),
        ("mode append", plain().mode(WriteMode::Append)),
    ] {
        let result = rename(case, "from", "to", options).await;
        fails(
            &format!("a rename with {what}"),
            result,
            ErrorKind::Unsupported,
        )?;
    }
    case.absent("to").await?;
    case.holds("from", b"from").await
}

async fn rename_race(case: &Case) -> Verdict {
    let count = case.effort().racers.min(16);
    for _ in 0..case.effort().rounds.div_ceil(4) {
        for index in 0..count {
            case.put(&format!("from/{index}"), pattern(index as u64, 100))
                .await?;
        }
        let results = race(count, |index| {
            let backend = Arc::clone(case.backend());
            async move {
                use storage_core::BackendExt as _;
                let from = ObjectPath::new(format!("from/{index}"))?;
                let to = ObjectPath::new("to/key")?;
                backend
                    .extended()?
                    .rename(&from, &to, WriteMode::CreateNew.into())
                    .await
            }
        })
        .await?;
        let mut winners = Vec::new();
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Ok(()) => winners.push(index),
                Err(error) => {
                    fails(
                        "a losing rename",
                        Err::<(), _>(error),
                        ErrorKind::AlreadyExists,
                    )?;
                    case.holds(&format!("from/{index}"), &pattern(index as u64, 100))
                        .await?;
                }
            }
        }
        let [winner] = winners[..] else {
            return Err(Violation::new(format!(
                "expected exactly one winner, found {winners:?}"
            )));
        };
        case.holds("to/key", &pattern(winner as u64, 100)).await?;
        case.absent(&format!("from/{winner}")).await?;
        case.delete("to/key").await?;
    }
    Ok(())
}

/// Everything in the store.
async fn everything(case: &Case) -> Verdict<Vec<String>> {
    case.keys("", ListOptions::default().recursive(true).directories(true))
        .await
}

async fn rename_a_directory(case: &Case) -> Verdict {
    for key in ["d/x", "d/e/f/y", "d.txt", "d2/z"] {
        case.put(key, key).await?;
    }
    case.extended()?.mkdir(&ObjectPath::new("d/empty")?).await?;
    rename(case, "d", "new/parents/d", plain()).await?;
    let expected = [
        "d.txt",
        "d2/",
        "d2/z",
        "new/",
        "new/parents/",
        "new/parents/d/",
        "new/parents/d/e/",
        "new/parents/d/e/f/",
        "new/parents/d/e/f/y",
        "new/parents/d/empty/",
        "new/parents/d/x",
    ];
    equal(
        "the store",
        everything(case).await?,
        expected.map(str::to_owned).to_vec(),
    )?;
    case.holds("new/parents/d/e/f/y", b"d/e/f/y").await?;
    case.absent("d/x").await?;
    rename(case, "d2", "d2", plain()).await?;
    case.holds("d2/z", b"d2/z").await
}

async fn rename_into_itself(case: &Case) -> Verdict {
    case.put("d/e/x", "x").await?;
    let before = everything(case).await?;
    for to in ["d/new", "d/e/new", "d/e/f/g"] {
        if rename(case, "d", to, plain()).await.is_ok() {
            let message = format!("renaming \"d\" to {to:?}: expected a failure, found success");
            return Err(Violation::new(message));
        }
        equal(
            "the store afterwards",
            everything(case).await?,
            before.clone(),
        )?;
    }
    case.holds("d/e/x", b"x").await
}

async fn rename_onto_a_filled_directory(case: &Case) -> Verdict {
    case.put("d/x", "from d").await?;
    case.put("e/y", "from e").await?;
    let before = everything(case).await?;
    let kinds = [ErrorKind::NotEmpty, ErrorKind::AlreadyExists];
    let result = rename(case, "d", "e", plain()).await;
    fails_with(
        "renaming onto a directory that is not empty",
        result,
        &kinds,
    )?;
    equal("the store afterwards", everything(case).await?, before)
}

async fn rename_between_kinds(case: &Case) -> Verdict {
    case.put("d/x", "x").await?;
    case.put("object", "object").await?;
    let before = everything(case).await?;
    let onto_directory = rename(case, "object", "d", plain()).await;
    fails(
        "renaming an object onto a directory",
        onto_directory,
        ErrorKind::IsDirectory,
    )?;
    let kinds = [ErrorKind::NotDirectory, ErrorKind::AlreadyExists];
    let onto_object = rename(case, "d", "object", plain()).await;
    fails_with("renaming a directory onto an object", onto_object, &kinds)?;
    for from in ["d", "d/x"] {
        let below = rename(case, from, "object/below", plain()).await;
        fails(
            &format!("renaming {from:?} below an object"),
            below,
            ErrorKind::NotDirectory,
        )?;
    }
    equal("the store afterwards", everything(case).await?, before)?;
    case.holds("d/x", b"x").await?;
    case.holds("object", b"object").await
}

async fn rename_refused(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    fails(
        "rename",
        rename(case, "from", "to", plain()).await,
        ErrorKind::Unsupported,
    )?;
    equal(
        "the objects",
        case.objects().await?,
        vec!["from".to_owned()],
    )
}
