//! The suite passes on a backend with the required methods alone and no extended part: it is held to
//! `atomic_write` and `range_read`, and to refusing the rest.

use storage_conformance::{Need, Outcome, Suite};
use storage_core::{
    Backend, Features, ListOptions, ListPage, ObjectPath, Prefix, ReadOptions, Reader, Result,
    WriteOptions, Writer, async_trait,
};
use storage_faults::{Intercept, Intercepted, Masked};
use storage_memory::MemoryBackend;

#[derive(Debug)]
struct Basic(Intercepted<MemoryBackend, Masked>);

impl Basic {
    fn new() -> Self {
        let memory = MemoryBackend::builder().directories(false).build();
        let rest = Features::ALL
            .with_atomic_write(false)
            .with_range_read(false);
        Self(Masked::new(rest).over(memory))
    }
}

#[async_trait]
impl Backend for Basic {
    fn name(&self) -> &'static str {
        "basic"
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.0.reader(path, options).await
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.0.writer(path, options).await
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.0.delete(path).await
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.0.list(prefix, options).await
    }

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}

storage_conformance::conformance!(async { Ok(Basic::new()) });

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rules_about_the_extended_part_do_not_apply() {
    let suite = Suite::new(async || Ok(Basic::new()));
    let report = suite.large(1 << 20).many(50).rounds(4).run().await;
    report.assert_conforming();
    for rule in report.rules() {
        if rule.rule().needs().contains(&Need::Extended) {
            assert!(
                matches!(rule.outcome(), Outcome::NotApplicable(_)),
                "{rule}"
            );
        }
    }
    let passed = |rule: &&storage_conformance::RuleReport| *rule.outcome() == Outcome::Passed;
    assert!(
        report.rules().iter().filter(passed).count() > 60,
        "{report}"
    );
}
