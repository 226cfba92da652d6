use std::sync::Arc;

use futures_util::{StreamExt, stream};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error, ObjectIdentifier, Timestamp,
};
use s3s::{S3Error, S3Result, s3_error};
use storage_core::{ObjectInfo, ObjectPath, RmdirOptions};

use crate::conditions::matches;
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::located;
use crate::object::{Record, http_time};
use crate::refusals::refuse_version;

/// Most objects of one request to delete many, as on AWS.
const MAX_OBJECTS: usize = 1000;

/// Deletions of one request that are under way at a time.
const CONCURRENCY: usize = 16;

/// What an object must be like to be deleted.
#[derive(Debug, Default)]
struct Expected {
    etag: Option<ETagCondition>,
    size: Option<i64>,
    modified: Option<Timestamp>,
}

impl Expected {
    fn is_any(&self) -> bool {
        self.etag.is_none() && self.size.is_none() && self.modified.is_none()
    }

    fn accepts(&self, info: &ObjectInfo) -> bool {
        let record = Record::of(info);
        let etag = self.etag.as_ref();
        let size = self.size.and_then(|size| u64::try_from(size).ok());
        etag.is_none_or(|etag| matches(etag, &record.etag()))
            && (self.size.is_none() || size == info.size)
            && (self.modified.is_none() || self.modified == http_time(info.modified))
    }
}

impl Gateway {
    pub(crate) async fn delete_one(
        self: &Arc<Self>,
        input: DeleteObjectInput,
    ) -> S3Result<DeleteObjectOutput> {
        refuse_version(input.version_id.as_deref())?;
        self.require_bucket(&input.bucket).await?;
        let expected = Expected {
            etag: input.if_match,
            size: input.if_match_size,
            modified: input.if_match_last_modified_time,
        };
        self.remove(&input.bucket, &input.key, expected).await?;
        Ok(DeleteObjectOutput::default())
    }

    pub(crate) async fn delete_many(
        self: &Arc<Self>,
        input: DeleteObjectsInput,
    ) -> S3Result<DeleteObjectsOutput> {
        self.require_bucket(&input.bucket).await?;
        let objects = input.delete.objects;
        if objects.is_empty() || objects.len() > MAX_OBJECTS {
            return Err(s3_error!(MalformedXML, "1 to {MAX_OBJECTS} objects"));
        }
        let bucket = &input.bucket;
        let results: Vec<_> = stream::iter(objects)
            .map(|object| async move { self.remove_identified(bucket, object).await })
            .buffered(CONCURRENCY)
            .collect()
            .await;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(key) => deleted.push(DeletedObject {
                    key: Some(key),
                    ..DeletedObject::default()
                }),
                Err(error) => errors.push(error),
            }
        }
        let told = input.delete.quiet != Some(true);
        Ok(DeleteObjectsOutput {
            deleted: told.then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..DeleteObjectsOutput::default()
        })
    }

    async fn remove_identified(
        self: &Arc<Self>,
        bucket: &str,
        object: ObjectIdentifier,
    ) -> Result<String, Error> {
        let expected = Expected {
            etag: object.e_tag.map(ETagCondition::ETag),
            size: object.size,
            modified: object.last_modified_time,
        };
        let removed = match refuse_version(object.version_id.as_deref()) {
            Ok(()) => self.remove(bucket, &object.key, expected).await,
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => Ok(object.key),
            Err(error) => Err(Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: error.message().map(str::to_owned),
                version_id: None,
            }),
        }
    }

    /// Deletes an object if it is as expected. What is not there is deleted already, but for a request
    /// that names a tag: as on AWS, `*` tells whether there was an object.
    async fn remove(self: &Arc<Self>, bucket: &str, key: &str, expected: Expected) -> S3Result<()> {
        let Some(path) = located(bucket, key) else {
            return Ok(());
        };
        let (gateway, bucket) = (Arc::clone(self), bucket.to_owned());
        let remove = async move {
            gateway.remove_checked(&path, &expected).await?;
            gateway.prune(&path, &bucket).await
        };
        self.to_the_end(remove).await
    }

    async fn remove_checked(&self, path: &ObjectPath, expected: &Expected) -> S3Result<()> {
        // Nobody else may replace the object between its judgement and its end.
        let _alone = if expected.is_any() {
            None
        } else {
            let lock = self.lock_of(path)?.write().await;
            match self.stat(path).await? {
                None if expected.etag.is_some() => return Err(another()),
                None => return Ok(()),
                Some(info) if !expected.accepts(&info) => {
                    return Err(another());
                }
                Some(_) => Some(lock),
            }
        };
        match self.backend.delete(path).await {
            Err(error) if !error.is_directory() => Err(from_storage(error)),
            _ => Ok(()),
        }
    }

    /// Removes the directories that an object leaves empty, for S3 has none.
    async fn prune(&self, path: &ObjectPath, bucket: &str) -> S3Result<()> {
        if !self.features.directories {
            return Ok(());
        }
        let extended = self.extended().map_err(from_storage)?;
        let mut directory = path.parent().as_path();
        while let Some(path) = directory.filter(|path| path.as_str() != bucket) {
            // One that is not empty, or not there any more, ends the walk; so does any failure.
            if extended
                .rmdir(&path, RmdirOptions::default())
                .await
                .is_err()
            {
                break;
            }
            directory = path.parent().as_path();
        }
        Ok(())
    }
}

fn another() -> S3Error {
    s3_error!(PreconditionFailed, "the object is missing or another one")
}
