use std::time::{Duration, SystemTime};

use storage_core::{Error, Operation, Result};

use crate::attributes::time;
use crate::call::Repeat;
use crate::failure::Failure;
use crate::multipart::abort;
use crate::{NAME, S3Backend};

/// An upload in parts that was neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedUpload {
    /// The object that it was to become, below the backend's root.
    pub path: String,
    /// The store's name of the upload.
    pub id: String,
    /// When it was begun, where the store tells.
    pub initiated: Option<SystemTime>,
}

impl S3Backend {
    /// The uploads below the backend's root that were begun at least `min_age` ago and are neither
    /// completed nor aborted: what processes that were killed have left, and what others are still
    /// writing. Their parts are paid for and appear in no listing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn unfinished_uploads(&self, min_age: Duration) -> Result<Vec<UnfinishedUpload>> {
        let store = &self.0;
        store.check(Operation::List)?;
        let root = store.settings.prefix.as_str();
        let latest = SystemTime::now().checked_sub(min_age);
        let (mut found, mut marker) = (Vec::new(), (None::<String>, None::<String>));
        loop {
            let reply = store.call("ListMultipartUploads", Repeat::Freely, |_| {
                let request = store.client.list_multipart_uploads().bucket(&store.bucket);
                let request = request
                    .set_prefix((!root.is_empty()).then(|| root.to_owned()))
                    .set_key_marker(marker.0.clone())
                    .set_upload_id_marker(marker.1.clone());
                async move { request.send().await.map_err(Failure::from) }
            });
            let reply = reply
                .await
                .map_err(|failure| Error::from(failure).on(Operation::List, NAME))?;
            for upload in reply.uploads.unwrap_or_default() {
                let (Some(key), Some(id)) = (upload.key, upload.upload_id) else {
                    continue;
                };
                let initiated = upload.initiated.as_ref().and_then(time);
                let Some(path) = key.strip_prefix(root).map(str::to_owned) else {
                    continue;
                };
                // One whose age is not known is as young as can be.
                if min_age.is_zero()
                    || initiated
                        .zip(latest)
                        .is_some_and(|(begun, latest)| begun <= latest)
                {
                    found.push(UnfinishedUpload {
                        path,
                        id,
                        initiated,
                    });
                }
            }
            marker = (reply.next_key_marker, reply.next_upload_id_marker);
            if !reply.is_truncated.unwrap_or(false) || marker.0.is_none() {
                return Ok(found);
            }
        }
    }

    /// Aborts an upload, so that the store frees its parts. One that is gone already is fine; whoever
    /// still writes it fails.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn abort_upload(&self, upload: &UnfinishedUpload) -> Result<()> {
        let store = &self.0;
        store.check(Operation::Delete)?;
        let key = format!("{}{}", store.settings.prefix, upload.path);
        let aborted = abort(store, &key, &upload.id, false).await;
        aborted.map_err(|failure| {
            Error::from(failure)
                .on(Operation::Delete, NAME)
                .with_path(&upload.path)
        })
    }
}
