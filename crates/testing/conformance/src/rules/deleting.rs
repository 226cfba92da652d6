//! Deleting objects.

use storage_core::{BackendExt, ErrorKind, ListOptions, ObjectPath};

use crate::case::{Case, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, equal, fails};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        delete_tells_whether_it_was_there,
        Delete,
        [],
        "Deleting an object is `true`, and it is gone for every call; deleting it again is `false`."
    ),
    rule!(
        delete_missing,
        Delete,
        [],
        "Deleting what is not there is `false`, also below a missing parent and below an object."
    ),
    rule!(
        delete_leaves_others,
        Delete,
        [],
        "Deleting a key leaves keys that begin alike."
    ),
    rule!(
        delete_a_directory,
        Delete,
        [On("directories")],
        "Deleting a directory is `IsDirectory` and leaves it."
    ),
    rule!(
        delete_where_no_directories_are,
        Delete,
        [Off("directories")],
        "Without directories the name above an object is no object: reading it is `NotFound`, deleting it `false`."
    ),
    rule!(
        delete_prefix_deletes_all_below,
        Delete,
        [],
        "Deleting what a prefix lists deletes every object below it and no other."
    ),
];

async fn delete_tells_whether_it_was_there(case: &Case) -> Verdict {
    for key in ["key", "d/e/key"] {
        for size in [0, 10, 300_000] {
            case.put(key, pattern(1, size)).await?;
            equal("the first delete", case.delete(key).await?, true)?;
            case.absent(key).await?;
            equal("the second delete", case.delete(key).await?, false)?;
        }
    }
    Ok(())
}

async fn delete_missing(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    for key in [
        "missing",
        "missing/parent/key",
        "object/below",
        "object/below/that",
    ] {
        equal(&format!("delete({key:?})"), case.delete(key).await?, false)?;
    }
    case.holds("object", b"x").await
}

async fn delete_leaves_others(case: &Case) -> Verdict {
    let others = ["ke", "key2", "key.txt", "d/key", "d/key2", "KEY"];
    for key in others {
        case.put(key, "x").await?;
    }
    case.put("key", "x").await?;
    equal("delete", case.delete("key").await?, true)?;
    for key in others {
        case.holds(key, b"x").await?;
    }
    Ok(())
}

async fn delete_a_directory(case: &Case) -> Verdict {
    case.put("d/e/key", "x").await?;
    case.extended()?.mkdir(&ObjectPath::new("empty")?).await?;
    for key in ["d", "d/e", "empty"] {
        fails(
            &format!("delete({key:?})"),
            case.delete(key).await,
            ErrorKind::IsDirectory,
        )?;
    }
    case.holds("d/e/key", b"x").await?;
    let level = case.keys("", ListOptions::default()).await?;
    equal(
        "the directories",
        level,
        vec!["d/".to_owned(), "empty/".to_owned()],
    )
}

async fn delete_where_no_directories_are(case: &Case) -> Verdict {
    case.put("d/e/key", "x").await?;
    for key in ["d", "d/e"] {
        fails(
            &format!("read({key:?})"),
            case.get(key).await,
            ErrorKind::NotFound,
        )?;
        equal(
            &format!("exists({key:?})"),
            case.backend().has(key).await?,
            false,
        )?;
        equal(&format!("delete({key:?})"), case.delete(key).await?, false)?;
    }
    case.holds("d/e/key", b"x").await
}

async fn delete_prefix_deletes_all_below(case: &Case) -> Verdict {
    for index in 0..30 {
        case.put(&format!("d/{}/{index}", index % 4), "x").await?;
    }
    for key in ["d.txt", "d2/x", "e"] {
        case.put(key, "x").await?;
    }
    equal(
        "the number deleted",
        case.backend().delete_prefix("d").await?,
        30,
    )?;
    let left = ["d.txt", "d2/x", "e"].map(str::to_owned).to_vec();
    equal("the objects left", case.objects().await?, left)?;
    equal(
        "the number deleted again",
        case.backend().delete_prefix("d").await?,
        0,
    )
}
