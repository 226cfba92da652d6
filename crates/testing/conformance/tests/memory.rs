//! The suite passes on the backend in memory, with directories and without.

use storage_conformance::{Fresh, Suite};
use storage_memory::MemoryBackend;

fn subject(directories: bool) -> Fresh {
    let backend = MemoryBackend::builder().directories(directories).build();
    let (again, beside) = (backend.clone(), backend.clone());
    Fresh::new(backend)
        .reopen(move || std::future::ready(Ok(again.clone())))
        .second(move || std::future::ready(Ok(beside.clone())))
}

mod with_directories {
    storage_conformance::conformance!(async { Ok(super::subject(true)) });
}

mod without_directories {
    storage_conformance::conformance!(async { Ok(super::subject(false)) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_report_tells_every_rule() {
    let report = Suite::new(async || Ok(subject(true))).run().await;
    report.assert_conforming();
    assert_eq!(report.rules().len(), Suite::rules().count());
    println!("{report}");
}
