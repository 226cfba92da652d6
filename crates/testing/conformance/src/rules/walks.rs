//! Walks of a store that changes meanwhile.

use storage_core::{Cursor, ListOptions, ObjectInfo};

use crate::case::Case;
use crate::rule::{Need::On, Rule, rule};
use crate::violation::{Verdict, ensure, equal};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        walk_survives_inserts,
        Listing,
        [],
        "A walk sees every key that is present throughout exactly once while others are inserted."
    ),
    rule!(
        walk_survives_deletes,
        Listing,
        [],
        "A walk goes on when the keys around its cursor are deleted, and sees every key that stays exactly once."
    ),
    rule!(
        walk_survives_replacements,
        Listing,
        [],
        "A walk sees a key that is replaced meanwhile exactly once."
    ),
    rule!(
        walk_of_levels_survives_changes,
        Listing,
        [],
        "A walk of one level sees every directory that stays exactly once while objects come and go in it."
    ),
    rule!(
        walk_survives_a_restart,
        Listing,
        [crate::rule::Need::Reopen],
        "A cursor is valid for the same store after it was opened again."
    ),
    rule!(
        walk_hides_unfinished_writes,
        Listing,
        [On("atomic_write")],
        "A write that is not finished shows nowhere in a listing, under no name."
    ),
];

const COUNT: usize = 30;

fn key(index: usize) -> String {
    format!("k/{index:03}")
}

/// Walks `k` in pages of `limit`, calling `between` with the keys of each page.
async fn step<'a, F>(
    case: &'a Case,
    limit: usize,
    between: impl Fn(Vec<String>) -> F,
) -> Verdict<Vec<String>>
where
    F: Future<Output = Verdict> + 'a,
{
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let options = ListOptions::default().limit(limit).cursor(cursor);
        let page = case.list("k", options).await?;
        let keys: Vec<String> = page.entries.iter().map(ObjectInfo::listing_key).collect();
        seen.extend(keys.iter().cloned());
        ensure(seen.len() < 100 * COUNT, || {
            "expected the walk to end, found no end".to_owned()
        })?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(seen);
        }
        between(keys).await?;
    }
}

fn once_and_sorted(seen: &[String], stable: &[String]) -> Verdict {
    ensure(seen.is_sorted_by(|a, b| a < b), || {
        format!("expected each key once and in order, found {seen:?}")
    })?;
    let found: Vec<&String> = seen.iter().filter(|key| stable.contains(key)).collect();
    equal(
        "the keys present throughout",
        found,
        stable.iter().collect::<Vec<_>>(),
    )
}

async fn plant(case: &Case) -> Verdict<Vec<String>> {
    let keys: Vec<String> = (0..COUNT).map(key).collect();
    for key in &keys {
        case.put(key, "x").await?;
    }
    Ok(keys)
}

async fn walk_survives_inserts(case: &Case) -> Verdict {
    let stable = plant(case).await?;
    for limit in [1, 2, 7] {
        let seen = step(case, limit, |page| async move {
            // Beside what is inserted here nothing is, or the walk would never end.
            if let Some(last) = page.last().filter(|last| last.len() == key(0).len()) {
                let before = &last[..last.len() - 1];
                case.put(&format!("{before}-{limit}"), "x").await?;
                case.put(&format!("{last}+{limit}"), "x").await?;
            }
            case.put(&format!("k/!{limit}"), "x").await?;
            case.put(&format!("k/zzz{limit}"), "x").await?;
            Ok(())
        })
        .await?;
        once_and_sorted(&seen, &stable)?;
    }
    Ok(())
}

async fn walk_survives_deletes(case: &Case) -> Verdict {
    for limit in [1, 2, 7] {
        let all = plant(case).await?;
        let stable: Vec<String> = all.iter().skip(1).step_by(3).cloned().collect();
        let (keep, all) = (&stable, &all);
        let seen = step(case, limit, |page| async move {
            let Some(at) = page
                .last()
                .and_then(|last| all.iter().position(|key| key == last))
            else {
                return Ok(());
            };
            for near in all.iter().take(at + 3).skip(at.saturating_sub(limit)) {
                if !keep.contains(near) {
                    case.delete(near).await?;
                }
            }
            Ok(())
        })
        .await?;
        once_and_sorted(&seen, &stable)?;
    }
    Ok(())
}

async fn walk_survives_replacements(case: &Case) -> Verdict {
    let stable = plant(case).await?;
    let seen = step(case, 4, |page| async move {
        for key in page
            .iter()
            .chain(["k/005".to_owned(), "k/025".to_owned()].iter())
        {
            case.put(key, "replaced").await?;
        }
        Ok(())
    })
    .await?;
    equal("the keys of the walk", seen, stable)
}

async fn walk_of_levels_survives_changes(case: &Case) -> Verdict {
    for index in 0..COUNT {
        case.put(&format!("{}/stays", key(index)), "x").await?;
        case.put(&format!("{}/goes", key(index)), "x").await?;
    }
    let stable: Vec<String> = (0..COUNT).map(|index| format!("{}/", key(index))).collect();
    let seen = step(case, 4, |page| async move {
        for directory in page {
            case.delete(&format!("{directory}goes")).await?;
            case.put(&format!("{directory}zzz"), "x").await?;
        }
        Ok(())
    })
    .await?;
    once_and_sorted(&seen, &stable)
}

async fn walk_survives_a_restart(case: &Case) -> Verdict {
    let stable = plant(case).await?;
    let first = case.list("k", ListOptions::default().limit(7)).await?;
    let again = case.reopened().await?;
    let options = ListOptions::default().cursor(first.next);
    let prefix = storage_core::Prefix::new("k")?;
    let second = again.list(&prefix, options.limit(COUNT)).await?;
    let seen: Vec<String> = [first.entries, second.entries]
        .concat()
        .iter()
        .map(ObjectInfo::listing_key)
        .collect();
    again.close().await?;
    equal("the keys of both pages", seen, stable)
}

async fn walk_hides_unfinished_writes(case: &Case) -> Verdict {
    case.put("d/old", "x").await?;
    let mut writers = Vec::new();
    for key in ["top", "d/new", "d/old"] {
        let mut writer = case.writer(key, storage_core::WriteMode::Replace).await?;
        writer.write_bytes(vec![b'x'; 700_000].into()).await?;
        writer.flush().await?;
        writers.push(writer);
    }
    let options = ListOptions::default();
    equal(
        "all objects",
        case.objects().await?,
        vec!["d/old".to_owned()],
    )?;
    equal(
        "the top level",
        case.keys("", options.clone()).await?,
        vec!["d/".to_owned()],
    )?;
    equal(
        "the level of `d`",
        case.keys("d", options).await?,
        vec!["d/old".to_owned()],
    )?;
    for mut writer in writers {
        writer.finish().await?;
    }
    let all = ["d/new", "d/old", "top"].map(str::to_owned).to_vec();
    equal("all objects after finish", case.objects().await?, all)
}
