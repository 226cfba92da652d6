use storage_channel::{ChannelBackend, Mode};
use storage_core::{BackendExt, ListOptions, ObjectInfo, Prefix};

use crate::{path, reader, ready, streams, writer};

fn keys(backend: &ChannelBackend, prefix: &str, options: ListOptions) -> Vec<String> {
    let entries = ready(
        backend
            .entries(Prefix::new(prefix).unwrap(), options)
            .collect(),
    );
    entries
        .unwrap()
        .iter()
        .map(ObjectInfo::listing_key)
        .collect()
}

#[test]
fn streams_that_exist_are_listed_in_order() {
    let backend = ChannelBackend::new();
    let _open = writer(&backend, "b/2");
    for name in ["c", "b/1", "b.x", "a", "b/2/x", "database/x"] {
        ready(backend.put(name, "x")).unwrap();
    }
    let recursive = || ListOptions::default().recursive(true);
    let all = ["a", "b.x", "b/1", "b/2", "b/2/x", "c", "database/x"];
    assert_eq!(keys(&backend, "", recursive()), all);
    assert_eq!(
        keys(&backend, "", recursive().limit(2)),
        all,
        "page after page"
    );
    assert_eq!(
        keys(&backend, "", ListOptions::default()),
        ["a", "b.x", "b/", "c", "database/"]
    );
    assert_eq!(
        keys(&backend, "b", ListOptions::default()),
        ["b/1", "b/2", "b/2/"]
    );
    assert_eq!(keys(&backend, "data", recursive()), Vec::<String>::new());
    assert_eq!(
        keys(&backend, "", recursive().start_after("b/2")),
        ["b/2/x", "c", "database/x"]
    );
    assert_eq!(
        keys(&backend, "", recursive().name_starts_with("b/")),
        ["b/1", "b/2", "b/2/x"]
    );
}

#[test]
fn what_nobody_writes_and_what_was_read_is_not_there() {
    let backend = streams(Mode::Queue, 10);
    let _waiting = reader(&backend, "waiting");
    ready(backend.put("read", "x")).unwrap();
    ready(backend.get("read")).unwrap();
    ready(backend.put("unread", "x")).unwrap();
    assert_eq!(keys(&backend, "", ListOptions::default()), ["unread"]);
    for (name, there) in [("waiting", false), ("read", false), ("unread", true)] {
        assert_eq!(ready(backend.has(name)).unwrap(), there, "{name}");
        let info = ready(backend.try_stat(name)).unwrap();
        assert_eq!(info, there.then(|| ObjectInfo::new(path(name))), "{name}");
    }
}
