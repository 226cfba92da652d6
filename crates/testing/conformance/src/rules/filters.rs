//! What narrows a listing.

use storage_core::{Glob, ListOptions};

use super::listing::{LEVEL, TREE, owned, plant, recursive};
use crate::case::Case;
use crate::rule::{Rule, rule};
use crate::violation::{Verdict, equal};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        list_limit_counts_after_filters,
        Listing,
        [],
        "The limit counts entries that passed the filters: walks under a filter lose nothing at any limit."
    ),
    rule!(
        list_start_after,
        Listing,
        [],
        "`start_after` gives the entries that sort after the key, whether or not it exists."
    ),
    rule!(
        list_start_after_one_level,
        Listing,
        [],
        "On one level `start_after` compares a directory as `name/`."
    ),
    rule!(
        list_name_starts_with,
        Listing,
        [],
        "`name_starts_with` gives the entries whose key goes on with these characters right after the prefix."
    ),
    rule!(
        list_glob,
        Listing,
        [],
        "A glob gives the entries whose last segment matches, at any depth."
    ),
    rule!(
        list_filters_combine,
        Listing,
        [],
        "Filters given together all hold."
    ),
];

async fn list_limit_counts_after_filters(case: &Case) -> Verdict {
    plant(case).await?;
    for (options, expected) in [
        (
            ListOptions::default().glob(Glob::new("[bc]")?),
            vec!["b/", "c"],
        ),
        (
            recursive().glob(Glob::new("[123]")?),
            vec!["a/1", "a/b.c/2", "a/b/1", "a/b/3"],
        ),
        (recursive().name_starts_with("b"), vec!["b/c/d"]),
        (recursive().start_after("a0"), vec!["b/c/d", "c"]),
    ] {
        for limit in 1..=3 {
            let found = case.keys("", options.clone().limit(limit)).await?;
            equal(
                &format!("pages of {limit} under a filter"),
                found,
                owned(expected.clone()),
            )?;
        }
    }
    Ok(())
}

async fn list_start_after(case: &Case) -> Verdict {
    plant(case).await?;
    for after in [
        "", "A", "a", "a.b", "a.c", "a/", "a/b", "a/b/1", "a/b/2", "a/zzz", "c", "d",
    ] {
        let expected = owned(TREE.into_iter().filter(|key| *key > after));
        for limit in [1, 4, 100] {
            let found = case
                .keys("", recursive().start_after(after).limit(limit))
                .await?;
            equal(
                &format!("after {after:?} in pages of {limit}"),
                found,
                expected.clone(),
            )?;
        }
        let below = owned(
            TREE.into_iter()
                .filter(|key| *key > after && key.starts_with("a/b/")),
        );
        let found = case.keys("a/b", recursive().start_after(after)).await?;
        equal(&format!("below `a/b` after {after:?}"), found, below)?;
    }
    Ok(())
}

async fn list_start_after_one_level(case: &Case) -> Verdict {
    plant(case).await?;
    for after in [
        "", "a", "a.b", "a/", "a/1", "a/zzz", "a0", "b", "b/c/d", "z",
    ] {
        let expected = owned(LEVEL.into_iter().filter(|key| *key > after));
        for limit in [1, 100] {
            let options = ListOptions::default().start_after(after).limit(limit);
            let found = case.keys("", options).await?;
            equal(
                &format!("the level after {after:?}"),
                found,
                expected.clone(),
            )?;
        }
    }
    Ok(())
}

async fn list_name_starts_with(case: &Case) -> Verdict {
    plant(case).await?;
    for start in ["", "a", "a.", "a/", "a/b", "a/b/", "b/c/d", "x", "A", "%"] {
        let expected = owned(TREE.into_iter().filter(|key| key.starts_with(start)));
        let found = case.keys("", recursive().name_starts_with(start)).await?;
        let what = format!("objects that start with {start:?}");
        equal(&what, found, expected)?;
    }
    let level = ["a/b.c/", "a/b/", "a/b0"];
    let starts = [
        ("b", &level[..]),
        ("b.", &level[..1]),
        ("c", &[]),
        // What is below a directory is not on its level.
        ("b/", &[]),
        ("b/1", &[]),
    ];
    for (start, expected) in starts {
        let options = ListOptions::default().name_starts_with(start);
        let found = case.keys("a", options).await?;
        let what = format!("the level of `a` that starts with {start:?}");
        equal(&what, found, owned(expected.iter().copied()))?;
    }
    Ok(())
}

async fn list_glob(case: &Case) -> Verdict {
    plant(case).await?;
    for (pattern, level, all) in [
        ("*", LEVEL.to_vec(), TREE.to_vec()),
        (
            "?",
            vec!["a/", "b/", "c"],
            vec!["a/1", "a/b.c/2", "a/b/1", "a/b/3", "b/c/d", "c"],
        ),
        (
            "a*",
            vec!["a!", "a-b", "a.b", "a/", "a0"],
            vec!["a!", "a-b", "a.b", "a0"],
        ),
        (
            "[!a-b]",
            vec!["c"],
            vec!["a/1", "a/b.c/2", "a/b/1", "a/b/3", "b/c/d", "c"],
        ),
        ("b0", vec![], vec!["a/b0"]),
        ("\\*", vec![], vec![]),
    ] {
        let found = case
            .keys("", ListOptions::default().glob(Glob::new(pattern)?))
            .await?;
        equal(&format!("the level under {pattern:?}"), found, owned(level))?;
        let found = case.keys("", recursive().glob(Glob::new(pattern)?)).await?;
        equal(&format!("all objects under {pattern:?}"), found, owned(all))?;
    }
    Ok(())
}

async fn list_filters_combine(case: &Case) -> Verdict {
    plant(case).await?;
    // Each filter alone keeps out something that the others let pass.
    case.put("a/c/3", "x").await?;
    for limit in [1, 2, 50] {
        let options = recursive()
            .name_starts_with("b")
            .glob(Glob::new("[13]")?)
            .start_after("a/b/1")
            .limit(limit);
        let found = case.keys("a", options).await?;
        equal("under all filters", found, owned(["a/b/3"]))?;
    }
    Ok(())
}
