use std::os::unix::fs::symlink;

use storage_core::{Backend, BackendExt, Links, ListOptions, ObjectInfo, Prefix, Special};

use crate::attacks::make_fifo;
use crate::fresh;

async fn listed(backend: &storage_file::FileBackend, options: ListOptions) -> Vec<String> {
    let entries = backend
        .entries(Prefix::root(), options)
        .collect()
        .await
        .unwrap();
    entries.iter().map(shown).collect()
}

fn shown(info: &ObjectInfo) -> String {
    let key = info.listing_key();
    match &info.special {
        Some(Special::Link { target }) => format!("{key} -> {}", target.as_deref().unwrap_or("?")),
        Some(_) => format!("{key} (device)"),
        None => key,
    }
}

#[tokio::test]
async fn a_listing_gives_links_as_they_are_or_follows_them() {
    let (dir, backend) = fresh().await;
    let root = dir.path();
    for key in ["d/x", "d/e/y", "d.z", "other/w"] {
        backend.put(key, "x").await.unwrap();
    }
    symlink("d/x", root.join("file")).unwrap();
    symlink("../other", root.join("d/in")).unwrap();
    symlink("..", root.join("d/e/up")).unwrap();
    symlink("nowhere", root.join("broken")).unwrap();
    symlink("/etc", root.join("outside")).unwrap();
    make_fifo(&root.join("fifo"));
    let options = ListOptions::default().recursive(true).directories(true);
    let rest = ["d.z", "d/", "d/e/"];
    assert_eq!(
        listed(&backend, options.clone().links(Links::Show)).await,
        [
            &["broken -> nowhere"],
            &rest[..],
            &[
                "d/e/up -> ..",
                "d/e/y",
                "d/in -> ../other",
                "d/x",
                "fifo (device)"
            ],
            &["file -> d/x", "other/", "other/w", "outside -> /etc"],
        ]
        .concat()
    );
    let followed = [
        &["broken -> nowhere"],
        &rest[..],
        &[
            "d/e/up -> ..",
            "d/e/y",
            "d/in/",
            "d/in/w",
            "d/x",
            "fifo (device)",
        ],
        &["file", "other/", "other/w", "outside -> /etc"],
    ]
    .concat();
    let follow = options.clone().links(Links::Follow);
    assert_eq!(listed(&backend, follow.clone()).await, followed);
    assert_eq!(listed(&backend, follow.limit(1)).await, followed);
    let inside = ListOptions::default().links(Links::Follow);
    let page = backend
        .list(&Prefix::new("d/e").unwrap(), inside)
        .await
        .unwrap();
    let page: Vec<_> = page.entries.iter().map(shown).collect();
    assert_eq!(page, ["d/e/up -> ..", "d/e/y"]);
    let resolved = listed(&backend, options).await;
    assert_eq!(
        resolved,
        [
            "d.z", "d/", "d/e/", "d/e/y", "d/x", "file", "other/", "other/w"
        ]
    );
}
