//! The token that changes on every write.

use storage_core::{
    BackendExt, ErrorKind, ListOptions, ReadOptions, Version, WriteMode, WriteOptions,
};

use super::conditions::{published, version};
use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Off, On, Reopen},
    Rule, rule,
};
use crate::violation::{Verdict, differ, ensure, equal, fails};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        version_told_alike,
        Version,
        [On("versions")],
        "A finished write, `stat` and the reader tell the same version, and tell it again until the next write."
    ),
    rule!(
        version_changes_on_every_write,
        Version,
        [On("versions")],
        "Every write gives a version not seen at its key before, also of the same bytes in quick succession."
    ),
    rule!(
        version_changes_on_append,
        Version,
        [On("versions"), On("append")],
        "Every append gives a version not seen before."
    ),
    rule!(
        version_changes_in_place_of_another,
        Version,
        [On("versions"), On("copy"), On("rename")],
        "A copy or rename onto a key gives it a version not seen at that key before."
    ),
    rule!(
        version_unmoved_by_others,
        Version,
        [On("versions"), On("atomic_write")],
        "Writes of other keys, failed writes, reads and listings leave a version alone."
    ),
    rule!(
        version_survives_a_restart,
        Version,
        [On("versions"), Reopen],
        "A version is the same after the store was opened again, and later ones differ from it."
    ),
    rule!(
        versions_absent,
        Version,
        [Off("versions")],
        "Without `versions` nobody tells one."
    ),
];

async fn version_told_alike(case: &Case) -> Verdict {
    for route in ROUTES {
        for size in [0, 10, 300_000] {
            let written = case
                .store(route, "d/key", pattern(1, size), WriteMode::Replace)
                .await?;
            let told = published(&written)?;
            for _ in 0..2 {
                equal(
                    "the version in stat",
                    version(case, "d/key").await?,
                    told.clone(),
                )?;
                let reader = case.reader("d/key", ReadOptions::default()).await?;
                equal(
                    "the version in the reader",
                    reader.info().version.as_ref(),
                    Some(&told),
                )?;
            }
        }
    }
    Ok(())
}

/// Requires that all versions differ.
fn all_differ(versions: &[Version]) -> Verdict {
    let mut sorted = versions.to_vec();
    sorted.sort();
    sorted.dedup();
    let (count, distinct) = (versions.len(), sorted.len());
    ensure(count == distinct, || {
        format!("expected {count} different versions, found {distinct}: {versions:?}")
    })
}

async fn version_changes_on_every_write(case: &Case) -> Verdict {
    let mut seen = Vec::new();
    for round in 0..case.effort().rounds {
        for route in ROUTES {
            let written = case
                .store(route, "key", pattern(1, 100), WriteMode::Replace)
                .await?;
            seen.push(published(&written)?);
        }
        if round % 5 == 4 {
            case.delete("key").await?;
        }
        if case.features().set_modified {
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
            let options = WriteOptions::default().modified(long_ago);
            seen.push(published(
                &case.write("key", pattern(1, 100), options).await?,
            )?);
        }
    }
    all_differ(&seen)
}

async fn version_changes_on_append(case: &Case) -> Verdict {
    let mut seen = vec![published(&case.put("key", "start").await?)?];
    for round in 0..case.effort().rounds {
        let written = case
            .store(ROUTES[round % 2], "key", pattern(1, 10), WriteMode::Append)
            .await?;
        seen.push(published(&written)?);
        equal(
            "the version in stat",
            Some(&version(case, "key").await?),
            seen.last(),
        )?;
    }
    all_differ(&seen)
}

async fn version_changes_in_place_of_another(case: &Case) -> Verdict {
    let (from, to) = (
        storage_core::ObjectPath::new("from")?,
        storage_core::ObjectPath::new("to")?,
    );
    let mut seen = vec![published(&case.put("to", "same").await?)?];
    for _ in 0..3 {
        case.put("from", "same").await?;
        let copied = case
            .extended()?
            .copy(&from, &to, WriteOptions::default())
            .await?;
        equal(
            "the version that a copy tells",
            copied.version,
            Some(version(case, "to").await?),
        )?;
        seen.push(version(case, "to").await?);
        case.extended()?
            .rename(&from, &to, WriteOptions::default())
            .await?;
        seen.push(version(case, "to").await?);
        seen.push(published(&case.put("to", "same").await?)?);
    }
    all_differ(&seen)
}

async fn version_unmoved_by_others(case: &Case) -> Verdict {
    let before = published(&case.put("d/key", "x").await?)?;
    case.put("d/key2", "x").await?;
    case.put("d/other", "x").await?;
    case.delete("d/other").await?;
    let mismatch = case
        .write("d/key", "y", WriteOptions::default().size(99))
        .await;
    fails(
        "a write of another size than announced",
        mismatch,
        ErrorKind::Corrupt,
    )?;
    drop(case.writer("d/key", WriteMode::Replace).await?);
    case.get("d/key").await?;
    equal(
        "the version afterwards",
        version(case, "d/key").await?,
        before.clone(),
    )?;
    for entry in case.walk("d", ListOptions::default()).await? {
        if entry.path.as_str() == "d/key" {
            let listed = entry.version.unwrap_or_else(|| before.clone());
            equal("the version listed", listed, before.clone())?;
        }
    }
    Ok(())
}

async fn version_survives_a_restart(case: &Case) -> Verdict {
    let before = published(&case.put("d/key", "x").await?)?;
    let again = case.reopened().await?;
    let info = again.try_stat("d/key").await?;
    equal(
        "the version after the restart",
        info.and_then(|info| info.version),
        Some(before.clone()),
    )?;
    let later = published(&again.put("d/key", "x").await?)?;
    differ(
        "the versions before and after a later write",
        &later,
        &before,
    )?;
    Ok(again.close().await?)
}

async fn versions_absent(case: &Case) -> Verdict {
    for route in ROUTES {
        let written = case
            .store(route, "key", pattern(1, 10), WriteMode::Replace)
            .await?;
        equal("the version of a finished write", written.version, None)?;
    }
    equal("the version in stat", case.info("key").await?.version, None)?;
    let reader = case.reader("key", ReadOptions::default()).await?;
    equal("the version in the reader", &reader.info().version, &None)?;
    for entry in case.walk("", ListOptions::default()).await? {
        equal("the version listed", entry.version, None)?;
    }
    Ok(())
}
