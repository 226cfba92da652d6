//! Keys that go in and come back as they were given; what a prefix covers.

use storage_core::{ListOptions, ObjectPath, WriteMode, WriteOptions};

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{Need::On, Rule, rule};
use crate::violation::{Verdict, ensure, equal};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        path_literal_names,
        Path,
        [],
        "`a b`, `a%20b`, `a#1`, `a?b`, `..foo`, `a..b`, `a\\b`, `~`, blanks at an end and the like are ordinary names: nothing is trimmed, encoded or decoded."
    ),
    rule!(
        path_unicode_forms,
        Path,
        [],
        "Names are the bytes given: composed and decomposed unicode are two keys, and case counts."
    ),
    rule!(
        path_long_keys,
        Path,
        [],
        "A key of 1 KiB made of segments below 255 bytes round-trips."
    ),
    rule!(
        path_names_in_calls,
        Path,
        [On("copy"), On("rename")],
        "Copy and rename take and make odd names as literally as a write."
    ),
    rule!(
        prefix_is_a_directory,
        Prefix,
        [],
        "`data` and `data/` name the same prefix, which covers neither `database/x` nor `data.txt`."
    ),
    rule!(
        prefix_itself_is_not_listed,
        Prefix,
        [],
        "A listing gives what lies strictly below the prefix, never the prefix itself."
    ),
    rule!(
        prefix_missing_is_an_empty_page,
        Prefix,
        [],
        "Listing an empty store, a missing prefix or below an object gives an empty last page."
    ),
    rule!(
        prefix_is_literal,
        Prefix,
        [],
        "A prefix with `%`, `*`, `?`, `[` or `_` in it is no pattern."
    ),
];

/// Names that something on the way might trim, encode, decode or take for syntax.
const ODD: [&str; 24] = [
    "a b",
    "a%20b",
    "a%2Fb",
    "a+b",
    "a#1",
    "a?b",
    "..foo",
    "a..b",
    "...",
    "a\\b",
    "~",
    " lead",
    "trail ",
    "dot.",
    ".hidden",
    "a&b=c",
    "a:b",
    "'q'",
    "\"d\"",
    "$HOME",
    "*",
    "[x]",
    "-rf",
    "tab\tnew\nline",
];

async fn path_literal_names(case: &Case) -> Verdict {
    let mut keys: Vec<String> = ODD.iter().map(|name| (*name).to_owned()).collect();
    keys.extend(ODD.iter().map(|name| format!("in/{name}/leaf")));
    round_trip(case, keys).await
}

async fn path_unicode_forms(case: &Case) -> Verdict {
    let names = [
        "\u{e9}",
        "e\u{301}",
        "日本/語",
        "🦀",
        "ß",
        "SS",
        "ss",
        "\u{200b}",
        "Readme",
        "README",
    ];
    round_trip(case, names.iter().map(|name| (*name).to_owned()).collect()).await
}

async fn path_long_keys(case: &Case) -> Verdict {
    let segment = "s".repeat(250);
    let key = format!("{segment}/{segment}/{segment}/{segment}/{}", "t".repeat(20));
    round_trip(case, vec![key, "w".repeat(254), "é".repeat(127)]).await
}

/// Writes each key with bytes of its own; they all come back, by that name and in listings.
async fn round_trip(case: &Case, mut keys: Vec<String>) -> Verdict {
    let bytes = |index| pattern(index as u64, 40);
    for (index, key) in keys.iter().enumerate() {
        let (route, mode) = (ROUTES[index % 2], WriteMode::Replace);
        case.store(route, key, bytes(index), mode).await?;
    }
    for (index, key) in keys.iter().enumerate() {
        case.holds(key, &bytes(index)).await?;
        case.restore(key, &bytes(index)).await?;
        let info = case.info(key).await?;
        equal("the path in its info", info.path.as_str(), key.as_str())?;
    }
    keys.sort();
    equal("the keys listed", case.objects().await?, keys.clone())?;
    for key in &keys {
        equal(&format!("delete({key:?})"), case.delete(key).await?, true)?;
    }
    case.has_only(&[]).await
}

async fn path_names_in_calls(case: &Case) -> Verdict {
    for (index, name) in ODD.iter().enumerate() {
        let (copy, moved) = (format!("copy/{name}"), format!("moved/{name}"));
        let bytes = pattern(index as u64, 40);
        case.put(name, bytes.clone()).await?;
        let backend = case.extended()?;
        let from = ObjectPath::new(name)?;
        let options = WriteOptions::default;
        backend
            .copy(&from, &ObjectPath::new(&copy)?, options())
            .await?;
        backend
            .rename(&from, &ObjectPath::new(&moved)?, options())
            .await?;
        case.holds(&copy, &bytes).await?;
        case.holds(&moved, &bytes).await?;
        case.absent(name).await?;
    }
    Ok(())
}

async fn prefix_is_a_directory(case: &Case) -> Verdict {
    for key in ["data/x", "database/x", "data.txt", "dat/x", "data0"] {
        case.put(key, "x").await?;
    }
    for prefix in ["data", "data/"] {
        for recursive in [false, true] {
            let options = ListOptions::default().recursive(recursive);
            equal(
                &format!("below {prefix:?}"),
                case.keys(prefix, options).await?,
                vec!["data/x".to_owned()],
            )?;
        }
    }
    Ok(())
}

async fn prefix_itself_is_not_listed(case: &Case) -> Verdict {
    case.put("d/e/x", "x").await?;
    for (prefix, expected) in [("d", ["d/e/", "d/e/x"]), ("d/e", ["d/e/x", "d/e/x"])] {
        for (recursive, expected) in [(false, expected[0]), (true, expected[1])] {
            let options = ListOptions::default().recursive(recursive);
            let found = case.keys(prefix, options).await?;
            equal(
                &format!("below {prefix:?}, recursive {recursive}"),
                found,
                vec![expected.to_owned()],
            )?;
        }
        let options = ListOptions::default().recursive(true).directories(true);
        let found = case.keys(prefix, options).await?;
        let itself = format!("{prefix}/");
        ensure(!found.contains(&itself), || {
            format!("below {prefix:?} with directories: expected no {itself:?}, found {found:?}")
        })?;
    }
    Ok(())
}

async fn prefix_missing_is_an_empty_page(case: &Case) -> Verdict {
    is_empty(case, "").await?;
    case.put("object", "x").await?;
    for prefix in [
        "missing",
        "missing/deeper",
        "object",
        "object/deeper",
        "obj",
    ] {
        is_empty(case, prefix).await?;
    }
    Ok(())
}

async fn is_empty(case: &Case, prefix: &str) -> Verdict {
    for recursive in [false, true] {
        let options = ListOptions::default().recursive(recursive);
        let page = case.list(prefix, options).await?;
        ensure(page.entries.is_empty() && page.next.is_none(), || {
            format!("below {prefix:?}: expected an empty last page, found {page:?}")
        })?;
    }
    Ok(())
}

async fn prefix_is_literal(case: &Case) -> Verdict {
    let names = ["a*", "a%", "a_", "a?", "[a]", "aa", "a"];
    for name in names {
        case.put(&format!("{name}/x"), "x").await?;
    }
    for name in names {
        let found = case.keys(name, ListOptions::default()).await?;
        equal(&format!("below {name:?}"), found, vec![format!("{name}/x")])?;
        let options = ListOptions::default()
            .recursive(true)
            .name_starts_with(name);
        let expected: Vec<String> = sorted(
            names
                .iter()
                .filter(|other| other.starts_with(name))
                .map(|other| format!("{other}/x")),
        );
        equal(
            &format!("keys that start with {name:?}"),
            case.keys("", options).await?,
            expected,
        )?;
    }
    Ok(())
}

fn sorted(keys: impl Iterator<Item = String>) -> Vec<String> {
    let mut keys: Vec<String> = keys.collect();
    keys.sort();
    keys
}
