//! Order, pages and filters of listings of a store that stands still.

use storage_core::{Glob, ListOptions, ObjectInfo};

use crate::case::Case;
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        list_sorted_one_level,
        Listing,
        [],
        "One level gives objects and directories in byte order of the full key, where a directory sorts as `name/`."
    ),
    rule!(
        list_sorted_recursive,
        Listing,
        [],
        "A recursive listing gives every object in byte order of the full key."
    ),
    rule!(
        list_byte_order,
        Listing,
        [],
        "The order is that of bytes: capitals before small letters, U+FFFD before U+1F980."
    ),
    rule!(
        list_pages_agree,
        Listing,
        [],
        "Pages of every size give the same entries in the same order as one page."
    ),
    rule!(
        list_limit_zero,
        Listing,
        [],
        "A limit of 0 gives an empty last page."
    ),
    rule!(
        list_groups_once,
        Listing,
        [],
        "A directory is one entry of its level, however many objects lie below it and wherever the pages end."
    ),
    rule!(
        list_directories_on_request,
        Listing,
        [On("directories")],
        "A recursive listing includes directories if and only if asked to."
    ),
    rule!(
        list_no_directories_to_include,
        Listing,
        [Off("directories")],
        "A store without directories has none to include in a recursive listing."
    ),
    rule!(
        list_default_pages,
        Listing,
        [],
        "A walk in pages of the backend's own size gives every object once."
    ),
    rule!(
        list_tells_size,
        Listing,
        [],
        "An entry tells the object's path and size, `None` for directories."
    ),
    rule!(
        list_agrees_with_stat,
        Listing,
        [],
        "What else an entry tells of modified time and version is what `stat` tells."
    ),
];

/// Keys whose order differs between bytes, words and path segments.
pub(super) const TREE: [&str; 11] = [
    "a!", "a-b", "a.b", "a/1", "a/b.c/2", "a/b/1", "a/b/3", "a/b0", "a0", "b/c/d", "c",
];

pub(super) const LEVEL: [&str; 7] = ["a!", "a-b", "a.b", "a/", "a0", "b/", "c"];

pub(super) async fn plant(case: &Case) -> Verdict {
    // Neither sorted nor reversed, so that no order comes about by itself.
    for step in 0..TREE.len() {
        case.put(TREE[(step * 7 + 3) % TREE.len()], "x").await?;
    }
    Ok(())
}

pub(super) fn owned<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    keys.into_iter().map(str::to_owned).collect()
}

pub(super) fn recursive() -> ListOptions {
    ListOptions::default().recursive(true)
}

async fn list_sorted_one_level(case: &Case) -> Verdict {
    plant(case).await?;
    let entries = case.walk("", ListOptions::default()).await?;
    let keys: Vec<String> = entries.iter().map(ObjectInfo::listing_key).collect();
    equal("the top level", keys, owned(LEVEL))?;
    let below = case.keys("a", ListOptions::default()).await?;
    equal(
        "the level of `a`",
        below,
        owned(["a/1", "a/b.c/", "a/b/", "a/b0"]),
    )
}

async fn list_sorted_recursive(case: &Case) -> Verdict {
    plant(case).await?;
    equal(
        "all objects",
        case.keys("", recursive()).await?,
        owned(TREE),
    )?;
    let below = owned(TREE.into_iter().filter(|key| key.starts_with("a/")));
    equal(
        "all objects below `a`",
        case.keys("a", recursive()).await?,
        below,
    )
}

async fn list_byte_order(case: &Case) -> Verdict {
    let sorted = ["A", "Z", "_", "a", "z", "~", "é", "\u{fffd}", "🦀"];
    for step in 0..sorted.len() {
        case.put(sorted[(step * 5 + 2) % sorted.len()], "x").await?;
    }
    equal("the keys", case.objects().await?, owned(sorted))
}

async fn list_pages_agree(case: &Case) -> Verdict {
    plant(case).await?;
    for (prefix, options) in [
        ("", ListOptions::default()),
        ("", recursive()),
        ("", recursive().directories(true)),
        ("a", ListOptions::default()),
        ("a/b", recursive()),
    ] {
        let whole = case.keys(prefix, options.clone()).await?;
        for limit in 1..=whole.len() + 1 {
            let pages = case.keys(prefix, options.clone().limit(limit)).await?;
            equal(
                &format!("pages of {limit} below {prefix:?}"),
                pages,
                whole.clone(),
            )?;
        }
    }
    Ok(())
}

async fn list_limit_zero(case: &Case) -> Verdict {
    plant(case).await?;
    for options in [ListOptions::default(), recursive()] {
        let page = case.list("", options.limit(0)).await?;
        ensure(page.entries.is_empty() && page.next.is_none(), || {
            format!("limit 0: expected an empty last page, found {page:?}")
        })?;
    }
    Ok(())
}

async fn list_groups_once(case: &Case) -> Verdict {
    for directory in ["d", "e"] {
        for index in 0..12 {
            case.put(&format!("{directory}/{index}/x"), "x").await?;
        }
    }
    case.put("d.x", "x").await?;
    for limit in [1, 2, 3, 100] {
        let options = ListOptions::default().limit(limit);
        let found = case.keys("", options).await?;
        equal(
            &format!("the level in pages of {limit}"),
            found,
            owned(["d.x", "d/", "e/"]),
        )?;
    }
    Ok(())
}

async fn list_directories_on_request(case: &Case) -> Verdict {
    plant(case).await?;
    let path = storage_core::ObjectPath::new("empty/deep")?;
    case.extended()?.mkdir(&path).await?;
    equal(
        "objects alone",
        case.keys("", recursive()).await?,
        owned(TREE),
    )?;
    let directories = [
        "a/",
        "a/b.c/",
        "a/b/",
        "b/",
        "b/c/",
        "empty/",
        "empty/deep/",
    ];
    let mut all: Vec<&str> = TREE.into_iter().chain(directories).collect();
    all.sort_unstable();
    for limit in [1, 2, 50] {
        let options = recursive().directories(true).limit(limit);
        let found = case.keys("", options).await?;
        equal(
            &format!("with directories, in pages of {limit}"),
            found,
            owned(all.clone()),
        )?;
    }
    Ok(())
}

async fn list_no_directories_to_include(case: &Case) -> Verdict {
    plant(case).await?;
    let found = case.keys("", recursive().directories(true)).await?;
    equal("with directories", found, owned(TREE))
}

async fn list_default_pages(case: &Case) -> Verdict {
    let count = case.effort().many;
    let mut expected: Vec<String> = (0..count).map(|index| format!("many/{index:06}")).collect();
    for key in expected.iter().rev() {
        case.put(key, "x").await?;
    }
    let found = case.keys("many", ListOptions::default()).await?;
    let first = found
        .iter()
        .zip(&expected)
        .position(|(found, expected)| found != expected);
    ensure(found == expected, || {
        format!(
            "expected {count} keys in order, found {} (first wrong: {first:?})",
            found.len()
        )
    })?;
    expected.retain(|key| key.ends_with('7'));
    let options = recursive().glob(Glob::new("*7")?);
    let found = case.keys("", options).await?;
    equal("keys that end with 7", found.len(), expected.len())
}

async fn list_tells_size(case: &Case) -> Verdict {
    for (key, size) in [("empty", 0), ("one", 1), ("d/two", 2)] {
        case.put(key, vec![b'x'; size]).await?;
    }
    let known = case.info("one").await?.size.is_some();
    for options in [ListOptions::default(), recursive()] {
        for entry in case.walk("", options).await? {
            let expected = match entry.path.as_str() {
                "empty" => Some(0),
                "one" => Some(1),
                "d/two" => Some(2),
                _ => None,
            };
            let what = format!("the size of {:?} (directory: {})", entry.path, entry.is_dir);
            equal(&what, entry.size, expected.filter(|_| known))?;
        }
    }
    Ok(())
}

async fn list_agrees_with_stat(case: &Case) -> Verdict {
    plant(case).await?;
    for entry in case.walk("", recursive()).await? {
        let info = case.info(&entry.path).await?;
        if entry.modified.is_some() {
            equal(
                &format!("the modified time of {:?}", entry.path),
                entry.modified,
                info.modified,
            )?;
        }
        if entry.version.is_some() {
            equal(
                &format!("the version of {:?}", entry.path),
                entry.version,
                info.version,
            )?;
        }
    }
    Ok(())
}
