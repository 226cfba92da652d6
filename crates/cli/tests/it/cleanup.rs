//! Uploads to an object store that are killed at work, and what is left of them.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use omnistorage::memory::MemoryBackend;
use omnistorage::s3::S3Backend;
use omnistorage::{BackendExt, ListOptions, Prefix};
use storage_s3_server::{S3Server, ServerOptions};
use tokio::runtime::Runtime;

use crate::run::program;

const KEY: &str = "omnistorage";
const SECRET: &str = "omnistorage-secret";
const SETTINGS: &str = "region=us-east-1&capabilities=all&part_size=5MiB";

/// An S3 server in this process, with the bucket `bucket`.
struct Scene {
    runtime: Runtime,
    store: MemoryBackend,
    server: S3Server,
}

impl Scene {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let store = MemoryBackend::builder().directories(false).build();
        let options = ServerOptions::new(KEY, SECRET).bucket("bucket");
        let server = runtime.block_on(S3Server::start(Arc::new(store.clone()), options));
        Self {
            server: server.unwrap(),
            runtime,
            store,
        }
    }

    fn uri(&self, path: &str) -> String {
        let endpoint = self.server.endpoint();
        format!("s3://bucket{path}?endpoint={endpoint}&{SETTINGS}")
    }

    fn omni(dir: &Path, args: &[&str]) -> Command {
        let mut program = program(dir);
        program
            .args(args)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        program
    }

    fn said(dir: &Path, args: &[&str]) -> String {
        let output = Self::omni(dir, args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Objects of uploads that nobody has finished: their records and parts.
    fn parts(&self) -> usize {
        let below = Prefix::new(".omnistorage-s3").unwrap();
        let options = ListOptions::default().recursive(true);
        let entries = self.store.entries(below, options).collect();
        let entries = self.runtime.block_on(entries).unwrap();
        let uploads = entries.iter().map(|entry| entry.path.as_str());
        uploads.filter(|path| !path.contains("/buckets/")).count()
    }

    fn unfinished(&self) -> Vec<String> {
        let builder = S3Backend::builder("bucket").endpoint(self.server.endpoint());
        let builder = builder.region("us-east-1").credentials(KEY, SECRET, None);
        let uploads = async {
            let backend = builder.capabilities(omnistorage::s3::Capabilities::ALL);
            let backend = backend.open().await?;
            backend.unfinished_uploads(Duration::ZERO).await
        };
        let uploads = self.runtime.block_on(uploads).unwrap();
        uploads.into_iter().map(|upload| upload.path).collect()
    }

    /// Kills the program once it is in the middle of an upload of several parts.
    fn kill(&self, mut child: Child) {
        while self.parts() < 2 {
            assert_eq!(child.try_wait().unwrap(), None, "it ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_killed_upload_shows_nothing_and_is_cleaned_up() {
    let (scene, dir) = (Scene::start(), tempfile::tempdir().unwrap());
    let dir = dir.path();
    // It waits for more when it is killed.
    let to = scene.uri("/put/key");
    let mut put = Scene::omni(dir, &["put", &to]).spawn().unwrap();
    let mut input = put.stdin.take().unwrap();
    input.write_all(&vec![1; 12 << 20]).unwrap();
    scene.kill(put);
    drop(input);
    assert_eq!(scene.unfinished(), ["put/key"]);
    let large = File::create(dir.join("large")).unwrap();
    large.set_len(64 << 20).unwrap();
    let to = scene.uri("/copy");
    let args = ["copy", "--bwlimit", "8M", "large", &to];
    let left = scene.parts();
    let copy = Scene::omni(dir, &args).spawn().unwrap();
    while scene.parts() < left + 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.kill(copy);
    assert_eq!(scene.unfinished(), ["copy/large", "put/key"]);

    let all = scene.uri("");
    assert_eq!(Scene::said(dir, &["ls", "-R", &all]), "");
    // They are younger than a day.
    Scene::said(dir, &["cleanup", &all]);
    let dry = ["cleanup", "--min-age", "0s", "--dry-run", &all];
    let said = Scene::said(dir, &dry);
    assert_eq!(said, "would abort copy/large\nwould abort put/key\n");
    assert_eq!(scene.unfinished().len(), 2);
    let below = scene.uri("/put");
    let said = Scene::said(dir, &["cleanup", "--min-age", "0s", &below]);
    assert_eq!(said, "aborted key\n");
    assert_eq!(scene.unfinished(), ["copy/large"]);
    Scene::said(dir, &["cleanup", "--min-age", "0s", &all]);
    assert_eq!((scene.unfinished().len(), scene.parts()), (0, 0));
}
