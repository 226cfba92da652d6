//! Reads that expect a version.

use storage_core::{ErrorKind, ReadOptions, Version};

use super::conditions::version;
use crate::case::Case;
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, equal, fails, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        read_if_version,
        Read,
        [On("versions")],
        "`if_version` reads that version and no other: any other is `PreconditionFailed`, a missing object `NotFound`."
    ),
    rule!(
        read_if_changed_from,
        Read,
        [On("versions")],
        "`if_changed_from` is `NotModified` for the version the object has, reads any other, and is `NotFound` for a missing object."
    ),
    rule!(
        read_conditions_refused,
        Read,
        [Off("versions")],
        "Without `versions` a conditional read is `Unsupported`."
    ),
];

async fn read_if_version(case: &Case) -> Verdict {
    case.put("object", "old").await?;
    let old = version(case, "object").await?;
    let if_old = || ReadOptions::default().if_version(old.clone());
    let mut forms = vec![(if_old(), "old")];
    if case.features().range_read {
        forms.push((if_old().range(0..1), "o"));
    }
    for (options, expected) in &forms {
        let found = case.read("object", options.clone()).await?;
        same_bytes("if_version of the present", &found, expected.as_bytes())?;
    }
    case.put("object", "new").await?;
    for (options, _) in forms {
        let past = case.read("object", options.clone()).await;
        let error = fails(
            "if_version of the past",
            past,
            ErrorKind::PreconditionFailed,
        )?;
        let told = error.precondition().and_then(|(expected, _)| expected);
        equal("the version expected", told, Some(&old))?;
        let reader = case.reader("object", options).await;
        fails("its reader", reader, ErrorKind::PreconditionFailed)?;
    }
    let never = ReadOptions::default().if_version(Version::new("no such version"));
    let made_up = case.read("object", never).await;
    fails(
        "if_version of a made-up token",
        made_up,
        ErrorKind::PreconditionFailed,
    )?;
    let missing = case.read("missing", if_old()).await;
    fails(
        "if_version of a missing object",
        missing,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn read_if_changed_from(case: &Case) -> Verdict {
    case.put("object", "old").await?;
    let old = version(case, "object").await?;
    let changed = || ReadOptions::default().if_changed_from(old.clone());
    fails(
        "if_changed_from the present",
        case.read("object", changed()).await,
        ErrorKind::NotModified,
    )?;
    fails(
        "its reader",
        case.reader("object", changed()).await,
        ErrorKind::NotModified,
    )?;
    let never = ReadOptions::default().if_changed_from(Version::new("no such version"));
    same_bytes(
        "if_changed_from a made-up token",
        &case.read("object", never).await?,
        b"old",
    )?;
    case.put("object", "new").await?;
    same_bytes(
        "if_changed_from the past",
        &case.read("object", changed()).await?,
        b"new",
    )?;
    fails(
        "if_changed_from of a missing object",
        case.read("missing", changed()).await,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn read_conditions_refused(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    let version = Version::new("any");
    for options in [
        ReadOptions::default().if_version(version.clone()),
        ReadOptions::default().if_changed_from(version.clone()),
    ] {
        let what = "a conditional read without `versions`";
        fails(
            what,
            case.read("object", options.clone()).await,
            ErrorKind::Unsupported,
        )?;
        fails(
            what,
            case.reader("object", options).await,
            ErrorKind::Unsupported,
        )?;
    }
    Ok(())
}
