use std::time::{Duration, SystemTime};

use storage_filter::{Filter, FilterError, Pattern};

fn rules(text: &str) -> Filter {
    Filter::builder()
        .rules("test", text)
        .unwrap()
        .build()
        .unwrap()
}

fn included<'a>(filter: &Filter, paths: &[&'a str]) -> Vec<&'a str> {
    let all = paths.iter().copied();
    all.filter(|path| filter.includes_all_of(path)).collect()
}

#[test]
fn first_match_wins_and_no_match_includes() {
    let filter = rules("# comment\n; another\n\n+ *.jpg\n- secret*\n- *.png\n");
    let paths = ["secret.jpg", "secret.txt", "a.png", "a.txt", "d/secret.png"];
    assert_eq!(included(&filter, &paths), ["secret.jpg", "a.txt"]);
}

#[test]
fn a_lone_exclamation_mark_forgets_the_rules_before_it() {
    assert_eq!(included(&rules("- *\n!\n- b\n"), &["a", "b"]), ["a"]);
}

#[test]
fn includes_exclude_the_rest() {
    let filter = Filter::builder()
        .include("*.jpg")
        .unwrap()
        .include("/keep/**")
        .unwrap();
    let filter = filter.build().unwrap();
    let paths = ["a.jpg", "d/a.jpg", "a.txt", "keep/a.txt", "d/keep/a.txt"];
    assert_eq!(
        included(&filter, &paths),
        ["a.jpg", "d/a.jpg", "keep/a.txt"]
    );
}

#[test]
fn an_excluded_directory_is_not_entered_whatever_lies_below() {
    let filter = rules("- cache/\n+ cache/keep\n");
    assert!(!filter.enters("cache") && !filter.enters("a/cache") && filter.enters("a"));
    assert_eq!(
        included(&filter, &["cache/keep", "a/cache/x", "cache"]),
        ["cache"]
    );
}

#[test]
fn what_includes_may_lie_in_is_entered_and_nothing_else() {
    let filter = rules("+ /a/*/c.txt\n- *\n");
    assert!(filter.enters("a") && filter.enters("a/b"));
    assert!(!filter.enters("b") && !filter.enters("a/b/c"));
    assert!(filter.prunes());
    assert!(!rules("- *.jpg\n").prunes());
}

#[test]
fn a_list_of_files_is_all_there_is() {
    let filter = Filter::builder()
        .files("# comment\n/a/b.txt\n c \n")
        .build()
        .unwrap();
    assert_eq!(
        included(&filter, &["a/b.txt", "a/c", "c", "# comment"]),
        ["a/b.txt", "c"]
    );
    assert!(filter.enters("a") && !filter.enters("c"));
    let raw = Filter::builder()
        .files_raw(["# comment", " c "])
        .build()
        .unwrap();
    assert_eq!(
        included(&raw, &["# comment", " c ", "c"]),
        ["# comment", " c "]
    );
    let none = Filter::builder().files("").build().unwrap();
    assert_eq!(included(&none, &["a"]), [""; 0]);
    let both = Filter::builder().files("a").exclude("b").unwrap().build();
    assert!(matches!(both, Err(FilterError::Conflict(_))));
}

#[test]
fn depth_counts_from_the_root() {
    let filter = Filter::builder().max_depth(2).build().unwrap();
    assert_eq!(included(&filter, &["a", "a/b", "a/b/c"]), ["a", "a/b"]);
    assert!(filter.enters("a") && !filter.enters("a/b"));
    assert!(filter.includes_directory("a/b") && !filter.includes_directory("a/b/c"));
}

#[test]
fn bounds_include_their_ends() {
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let filter = Filter::builder().min_size(2).max_size(4);
    let filter = filter
        .modified_since(at(10))
        .modified_until(at(20))
        .build()
        .unwrap();
    let good = |size, time| filter.includes_attributes(Some(size), Some(at(time)));
    assert!(good(2, 10) && good(4, 20));
    assert!(!good(1, 15) && !good(5, 15) && !good(3, 9) && !good(3, 21));
    assert!(!filter.includes_attributes(None, Some(at(15))));
    assert!(!filter.includes_attributes(Some(3), None));
    let empty = Filter::builder()
        .modified_since(at(2))
        .modified_until(at(1))
        .build();
    assert!(matches!(empty, Err(FilterError::Conflict(_))));
}

#[test]
fn bad_rules_are_named_with_file_line_and_column() {
    for (text, message) in [
        (
            "- a\n  + b[\n",
            "test:2:6: the `[` is not closed, in \"  + b[\"",
        ),
        (
            "+a\n",
            "test:1:1: a rule is `+ pattern`, `- pattern` or `!`, in \"+a\"",
        ),
        ("\n- é{{(}}\n", "test:2:6: unclosed group, in \"- é{{(}}\""),
        (
            "- [b-a]\n",
            "test:1:4: the range `b-a` runs backwards, in \"- [b-a]\"",
        ),
        (
            "- \\y\n",
            "test:1:3: unrecognized escape sequence, in \"- \\\\y\"",
        ),
    ] {
        let error = Filter::builder().rules("test", text).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = Pattern::new("a***", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pattern:1:2: more than two `*` in a row, in \"a***\""
    );
}

#[test]
fn stars_take_line_breaks() {
    assert!(Pattern::new("/a/**", false).unwrap().matches("a/b\nc"));
    assert!(Pattern::new("/a/*", false).unwrap().matches("a/b\nc"));
}

#[test]
fn the_patterns_of_the_guide_match_as_it_says() {
    for (pattern, path, expected) in [
        ("*.jpg", "d/a.jpg", true),
        ("/*.jpg", "a.jpg", true),
        ("/*.jpg", "d/a.jpg", false),
        ("d/*.jpg", "x/d/a.jpg", true),
        ("d/*.jpg", "d/e/a.jpg", false),
        ("/d/**", "d/e/a", true),
        ("/d/**", "x/d/a", false),
        ("file?.[a-c]", "file1.b", true),
        ("file?.[a-c]", "file/.b", false),
        ("[^.]*", "a", true),
        ("[^.]*", ".hidden", false),
        ("*.{jpg,j{p,}eg}", "a.jpeg", true),
        ("*.{jpg,j{p,}eg}", "a.jeg", true),
        ("{{\\d{4}-\\d\\d}}.log", "2026-11.log", true),
        ("{{\\d{4}-\\d\\d}}.log", "26-11.log", false),
        ("\\*", "*", true),
        ("\\*", "a", false),
    ] {
        let pattern = Pattern::new(pattern, false).unwrap();
        assert_eq!(pattern.matches(path), expected, "{pattern:?} {path}");
    }
}
