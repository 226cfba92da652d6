//! Reads that expect a version.

use storage_core::{ErrorKind, ReadOptions, Version};

use super::conditions::version;
use crate::case::Case;
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, equal};

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
    let (present, past) = ("the present version", "a past version");
    for (options, expected) in &forms {
        case.gives(present, "object", options.clone(), expected.as_bytes())
            .await?;
    }
    let kind = ErrorKind::PreconditionFailed;
    case.put("object", "new").await?;
    for (options, _) in forms {
        let error = case.unreadable(past, "object", options, kind).await?;
        let told = error.precondition().and_then(|(expected, _)| expected);
        equal("the version expected", told, Some(&old))?;
    }
    let never = ReadOptions::default().if_version(Version::new("no such version"));
    case.unreadable("a made-up version", "object", never, kind)
        .await?;
    let missing = "a version of a missing object";
    case.unreadable(missing, "missing", if_old(), ErrorKind::NotFound)
        .await?;
    Ok(())
}

async fn read_if_changed_from(case: &Case) -> Verdict {
    case.put("object", "old").await?;
    let old = version(case, "object").await?;
    let changed = || ReadOptions::default().if_changed_from(old.clone());
    let same = "what has not changed";
    case.unreadable(same, "object", changed(), ErrorKind::NotModified)
        .await?;
    let never = ReadOptions::default().if_changed_from(Version::new("no such version"));
    case.gives("what never was", "object", never, b"old")
        .await?;
    case.put("object", "new").await?;
    case.gives("what has changed", "object", changed(), b"new")
        .await?;
    let missing = "a missing object";
    case.unreadable(missing, "missing", changed(), ErrorKind::NotFound)
        .await?;
    Ok(())
}

async fn read_conditions_refused(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    let (version, what) = (Version::new("any"), "a version, without `versions`");
    for options in [
        ReadOptions::default().if_version(version.clone()),
        ReadOptions::default().if_changed_from(version.clone()),
    ] {
        case.unreadable(what, "object", options, ErrorKind::Unsupported)
            .await?;
    }
    Ok(())
}
