//! Plans that are saved and applied later.

use storage_core::{BackendExt, ErrorKind, Location};
use storage_sync::{Command, Comparison, Options, SavedPlan, Summary, SyncError, TrackRenames};

use crate::trees::{
    Store, contents, failures, fill, job, masked, memory, objects, put, run, times, tree,
};

async fn lines(command: Command, from: &Store, to: &Store, options: Options) -> Vec<String> {
    let mut plan = job(command, from, to, options)
        .plan_lines("from", "to")
        .unwrap();
    let mut lines = Vec::new();
    while let Some(line) = plan.next().await {
        lines.push(line.unwrap());
    }
    lines
}

async fn open(text: &str) -> Result<SavedPlan, SyncError> {
    let store = memory();
    store.put("plan", text.to_owned()).await.unwrap();
    SavedPlan::open(Location::new(store, "plan".parse().unwrap())).await
}

async fn apply(lines: &[String], from: &Store, to: &Store, options: Options) -> Summary {
    let plan = open(&lines.join("\n")).await.unwrap();
    let job = plan.into_job(tree(from, "src"), tree(to, "dst"), options);
    match job.unwrap().run().summary().await {
        Ok(summary) => summary,
        Err(SyncError::Incomplete(summary)) => *summary,
        Err(error) => panic!("{error}"),
    }
}

/// Trees that differ in every way.
async fn trees() -> (Store, Store) {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    put(&from, "src/b0", "content of b0", 77).await;
    put(&from, "src/moved/here", "the content that moved", 5).await;
    put(&to, "dst/a", "another content", 0).await;
    put(&to, "dst/b0", "content of b0", 5).await;
    put(&to, "dst/was/there", "the content that moved", 5).await;
    put(&to, "dst/extra/deep", "x", 5).await;
    (from, to)
}

#[tokio::test]
async fn a_saved_plan_does_what_a_run_does() {
    let tracking = Options::default().track_renames(TrackRenames::HASH);
    for (command, options) in [
        (Command::Sync, Options::default()),
        (Command::Sync, tracking),
        (Command::Copy, Options::default().create_empty_dirs(true)),
        (
            Command::Move,
            Options::default().delete_empty_source_dirs(true),
        ),
    ] {
        let (from, to) = trees().await;
        let saved = lines(command, &from, &to, options.clone()).await;
        let summary = apply(&saved, &from, &to, Options::default()).await;
        assert_eq!(summary.errors, 0, "{command}: {:?}", summary.failures);
        let (other_from, other_to) = trees().await;
        run(command, &other_from, &other_to, options).await.unwrap();
        for (store, other, prefix) in [(&from, &other_from, "src"), (&to, &other_to, "dst")] {
            let (found, expected) = (contents(store, prefix).await, contents(other, prefix).await);
            assert_eq!(found, expected, "{command} {prefix}");
        }
        assert_eq!(times(&to, "dst").await, times(&other_to, "dst").await);
    }
}

#[tokio::test]
async fn a_plan_reads_as_documented() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "12", 1).await;
    put(&from, "src/b", "new", 2).await;
    put(&to, "dst/a", "1", 1).await;
    put(&to, "dst/0/extra", "x", 1).await;
    let saved = lines(Command::Sync, &from, &to, Options::default()).await;
    let without_versions: Vec<_> = saved
        .iter()
        .map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            for side in ["source", "destination"] {
                if let Some(seen) = value[side].as_object_mut() {
                    assert!(seen.remove("version").is_some(), "{line}");
                }
            }
            let empty = |key: &str| value[key].is_null();
            let absent: Vec<_> = ["source", "destination"]
                .into_iter()
                .filter(|k| empty(k))
                .collect();
            for key in absent {
                value.as_object_mut().unwrap().remove(key);
            }
            value.to_string()
        })
        .collect();
    let time = |second: u8| format!("2023-11-14T22:13:2{second}.123456789Z");
    let expected = [
        r#"{"command":"sync","destination":"to","plan":1,"source":"from"}"#.to_owned(),
        r#"{"action":"rmdir","path":"0"}"#.to_owned(),
        format!(
            r#"{{"action":"update","destination":{{"modified":"{0}","size":1}},"path":"a","reason":"size","source":{{"modified":"{0}","size":2}}}}"#,
            time(1)
        ),
        format!(
            r#"{{"action":"create","path":"b","source":{{"modified":"{}","size":3}}}}"#,
            time(2)
        ),
        format!(
            r#"{{"action":"delete","destination":{{"modified":"{}","size":1}},"path":"0/extra"}}"#,
            time(1)
        ),
        r#"{"end":4}"#.to_owned(),
    ];
    assert_eq!(without_versions, expected);
}

#[tokio::test]
async fn what_is_no_longer_as_it_was_planned_is_left_alone() {
    for (change, action, side) in [
        ("src/a", "update", "source"),
        ("dst/a", "update", "destination"),
        ("src/empty", "create", "source"),
        ("dst/empty", "create", "destination"),
        ("dst/extra/deep", "delete", "destination"),
        ("src/b0", "set-modified", "source"),
    ] {
        let (from, to) = trees().await;
        let saved = lines(Command::Sync, &from, &to, Options::default()).await;
        let store = if side == "source" { &from } else { &to };
        put(store, change, "changed meanwhile", 90).await;
        let options = Options::default().ignore_errors(true).tries(1);
        let summary = apply(&saved, &from, &to, options).await;
        assert_eq!(summary.errors, 1, "{change}: {:?}", summary.failures);
        let error = &summary.failures[0].error;
        assert_eq!(
            error.kind(),
            ErrorKind::PreconditionFailed,
            "{change} {action}"
        );
        assert!(error.to_string().contains(side), "{change}: {error}");
        let kept = store.get(change).await.unwrap();
        assert_eq!(kept, "changed meanwhile");
    }
}

#[tokio::test]
async fn a_failure_withholds_the_deletions_of_a_plan() {
    let (from, to) = trees().await;
    let saved = lines(Command::Sync, &from, &to, Options::default()).await;
    from.remove("src/big").await.unwrap();
    let summary = apply(&saved, &from, &to, Options::default()).await;
    assert_eq!((summary.errors, summary.deleted), (1, 0));
    assert!(to.has("dst/extra/deep").await.unwrap());
    assert!(summary.deletions_withheld >= 2, "{summary:?}");
}

#[tokio::test]
async fn applying_again_goes_on_and_repeats_nothing() {
    let (from, to) = trees().await;
    let saved = lines(Command::Sync, &from, &to, Options::default()).await;
    let part = Options::default()
        .max_transfer(100)
        .cutoff(storage_sync::Cutoff::Cautious);
    let first = apply(&saved, &from, &to, part).await;
    let second = apply(&saved, &from, &to, Options::default()).await;
    assert_eq!(second.errors, 0, "{:?}", second.failures);
    assert!(first.created > 0 && second.skipped >= first.created);
    assert_eq!(objects(&to, "dst").await, objects(&from, "src").await);
    let third = apply(&saved, &from, &to, Options::default()).await;
    let changes = third.created + third.updated + third.deleted + third.errors;
    assert_eq!(changes, 0, "{third:?}");
}

#[tokio::test]
async fn a_plan_that_was_cut_or_changed_is_refused_with_its_line() {
    let (from, to) = trees().await;
    let good = lines(Command::Sync, &from, &to, Options::default()).await;
    let count = good.len();
    type Edit = Box<dyn Fn(&mut Vec<String>)>;
    let edits: [(&str, usize, Edit); 8] = [
        ("no end", count - 1, Box::new(|lines| drop(lines.pop()))),
        (
            "a line less",
            count - 1,
            Box::new(|lines| drop(lines.remove(2))),
        ),
        (
            "a line twice",
            count + 1,
            Box::new(|lines| lines.insert(2, lines[2].clone())),
        ),
        ("no heading", 1, Box::new(|lines| drop(lines.remove(0)))),
        ("no JSON", 3, Box::new(|lines| lines[2].truncate(10))),
        (
            "an unknown field",
            2,
            Box::new(|lines| lines[1] = lines[1].replacen('{', r#"{"x":1,"#, 1)),
        ),
        (
            "another format",
            1,
            Box::new(|lines| lines[0] = lines[0].replace(":1", ":2")),
        ),
        (
            "more",
            count + 1,
            Box::new(|lines| lines.push(lines[1].clone())),
        ),
    ];
    for (name, line, edit) in edits {
        let mut lines = good.clone();
        edit(&mut lines);
        match open(&lines.join("\n")).await {
            Err(SyncError::BadPlan { line: found, .. }) => {
                assert_eq!(found, line as u64, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(open(&good.join("\n")).await.unwrap().deletions(), 2);
}

#[tokio::test]
async fn guards_hold_for_a_plan() {
    let (from, to) = trees().await;
    let saved = lines(Command::Sync, &from, &to, Options::default()).await;
    let plan = open(&saved.join("\n")).await.unwrap();
    assert_eq!((plan.source(), plan.destination()), ("from", "to"));
    let options = Options::default().max_delete(1);
    let applied = plan.into_job(tree(&from, "src"), tree(&to, "dst"), options);
    assert!(matches!(
        applied,
        Err(SyncError::TooManyDeletions {
            planned: 2,
            allowed: 1
        })
    ));
    let plan = open(&saved.join("\n")).await.unwrap();
    let options = Options::default().existing(true);
    let applied = plan.into_job(tree(&from, "src"), tree(&to, "dst"), options);
    assert!(matches!(
        applied,
        Err(SyncError::Option { option: "plan", .. })
    ));
    let check = job(Command::Check, &from, &to, Options::default());
    assert!(check.plan_lines("", "").is_err());
}

#[tokio::test]
async fn what_differs_in_content_alone_is_applied_although_size_and_time_are_equal() {
    for comparison in [Comparison::Checksum, Comparison::IgnoreTimes] {
        let (from, to) = (memory(), memory());
        put(&from, "src/a", "new", 1).await;
        put(&to, "dst/a", "old", 1).await;
        let options = Options::default().comparison(comparison);
        let saved = lines(Command::Sync, &from, &to, options).await;
        let first = apply(&saved, &from, &to, Options::default()).await;
        assert_eq!((first.updated, first.errors), (1, 0), "{comparison:?}");
        assert_eq!(to.get("dst/a").await.unwrap(), "new");
        let second = apply(&saved, &from, &to, Options::default()).await;
        assert_eq!((second.updated, second.errors, second.skipped), (0, 0, 1));
    }
}

#[tokio::test]
async fn renames_and_moves_that_were_applied_are_skipped() {
    let tracking = Options::default().track_renames(TrackRenames::HASH);
    for (command, options, within) in [
        (Command::Sync, tracking, false),
        (Command::Move, Options::default(), false),
        (Command::Move, Options::default(), true),
    ] {
        let (from, to) = trees().await;
        let from = if within { to.clone() } else { from };
        if within {
            fill(&to, "src/").await;
        }
        let saved = lines(command, &from, &to, options).await;
        let first = apply(&saved, &from, &to, Options::default()).await;
        assert!(first.is_clean(), "{command}: {:?}", first.failures);
        let again = apply(&saved, &from, &to, Options::default()).await;
        assert_eq!(failures(&again), [""; 0], "{command} {within}");
        let changes = again.created + again.updated + again.renamed + again.removed_from_source;
        assert_eq!(changes, 0, "{again:?}");
    }
}

#[tokio::test]
async fn a_rename_onto_what_came_since_is_left_alone() {
    // With and without a store that refuses it by itself.
    for to in [memory(), masked(&["create_new"])] {
        let from = memory();
        put(&from, "src/new", "content", 1).await;
        put(&to, "dst/old", "content", 1).await;
        let options = Options::default().track_renames(TrackRenames::HASH);
        let saved = lines(Command::Sync, &from, &to, options).await;
        assert!(saved[1].contains("relocate"), "{saved:?}");
        put(&to, "dst/new", "somebody's", 2).await;
        let summary = apply(&saved, &from, &to, Options::default()).await;
        let [failure] = &failures(&summary)[..] else {
            panic!("{summary:?}");
        };
        assert!(failure.contains("there is one now"), "{failure}");
        assert_eq!(to.get("dst/new").await.unwrap(), "somebody's");
        assert_eq!(to.get("dst/old").await.unwrap(), "content");
    }
}
