//! Uploads that nobody finished, as a killed process leaves them.

use std::time::Duration;

use storage_core::{Backend, BackendExt, Prefix};

use crate::bucket::Bucket;

#[test]
fn unfinished_uploads_are_found_and_aborted() {
    for name in ["moto", "rgw"] {
        let Some(address) = storage_conformance::server(name) else {
            continue;
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let bucket = Bucket::create(&address).await.unwrap();
            for key in ["in/left behind", "outside"] {
                let request = bucket.client().create_multipart_upload();
                request.bucket(&bucket.name).key(key).send().await.unwrap();
            }
            let builder = bucket.builder().prefix(Prefix::new("in").unwrap());
            let backend = builder.open().await.unwrap();
            // moto says of every upload that it began in 2010.
            if name != "moto" {
                let hour = Duration::from_secs(3600);
                assert_eq!(backend.unfinished_uploads(hour).await.unwrap(), []);
            }
            let found = backend.unfinished_uploads(Duration::ZERO).await.unwrap();
            let paths: Vec<&str> = found.iter().map(|upload| upload.path.as_str()).collect();
            assert_eq!(paths, ["left behind"], "{name}");
            for upload in &found {
                backend.abort_upload(upload).await.unwrap();
                backend.abort_upload(upload).await.unwrap();
            }
            assert_eq!(
                backend.unfinished_uploads(Duration::ZERO).await.unwrap(),
                []
            );
            let all = bucket.open().await.unwrap();
            assert_eq!(
                all.unfinished_uploads(Duration::ZERO).await.unwrap().len(),
                1
            );
            assert!(
                !backend
                    .exists(&"left behind".try_into().unwrap())
                    .await
                    .unwrap()
            );
        });
    }
}

#[test]
fn markers_of_directories_and_odd_keys_are_no_objects() {
    let Some(address) = storage_conformance::server("rgw") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let bucket = Bucket::create(&address).await.unwrap();
        for key in ["dir/", "dir/a", "empty/", "odd//b", "odd/../c"] {
            let request = bucket.client().put_object().bucket(&bucket.name).key(key);
            request.content_length(0).send().await.unwrap();
        }
        let backend = bucket.open().await.unwrap();
        let keys = async |prefix: &str, recursive: bool| {
            let options = storage_core::ListOptions::default().recursive(recursive);
            let entries = backend.entries(Prefix::new(prefix).unwrap(), options);
            let entries = entries.collect().await.unwrap();
            entries
                .iter()
                .map(|entry| entry.listing_key())
                .collect::<Vec<_>>()
        };
        assert_eq!(keys("", false).await, ["dir/", "empty/", "odd/"]);
        assert_eq!(keys("dir", false).await, ["dir/a"]);
        assert_eq!(keys("", true).await, ["dir/a"]);
    });
}
