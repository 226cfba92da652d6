use s3s::dto::{
    Bucket, BucketLocationConstraint, GetBucketLocationOutput, HeadBucketOutput, ListBucketsOutput,
    Owner,
};
use s3s::path::check_bucket_name;
use s3s::{S3Result, s3_error};
use storage_core::{
    BackendExt, Error, ListOptions, ObjectPath, Operation, Payload, Prefix, Result, RmdirOptions,
    WriteMode, WriteOptions,
};

use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::{HIDDEN, hidden};
use crate::object::http_time;

/// The empty object that says that a bucket exists, also where the backend has no empty directories.
fn marker(bucket: &str) -> S3Result<ObjectPath> {
    hidden(&format!("buckets/{bucket}"))
}

impl Gateway {
    pub(crate) async fn create_configured_buckets(&self) -> Result<()> {
        for bucket in &self.options.buckets {
            let path = ObjectPath::new(format!("{HIDDEN}/buckets/{bucket}"))?;
            if !check_bucket_name(bucket) {
                let error = Error::config(format!("{bucket:?} is no name of a bucket"));
                return Err(error.on(Operation::Open, self.backend.name()));
            }
            if !self.backend.exists(&path).await? {
                let options = WriteOptions::default();
                self.backend
                    .write(&path, Payload::default(), options)
                    .await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn require_bucket(&self, bucket: &str) -> S3Result<()> {
        let exists = self.backend.exists(&marker(bucket)?).await;
        if exists.map_err(from_storage)? {
            return Ok(());
        }
        Err(s3_error!(NoSuchBucket, "there is no bucket {bucket:?}"))
    }

    pub(crate) async fn create_bucket(&self, bucket: &str) -> S3Result<()> {
        let options = if self.features.create_new {
            WriteOptions::from(WriteMode::CreateNew)
        } else {
            WriteOptions::default()
        };
        let path = marker(bucket)?;
        match self.backend.write(&path, Payload::default(), options).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_already_exists() => Err(s3_error!(BucketAlreadyOwnedByYou)),
            Err(error) => Err(from_storage(error)),
        }
    }

    pub(crate) async fn head_bucket(&self, bucket: &str) -> S3Result<HeadBucketOutput> {
        self.require_bucket(bucket).await?;
        Ok(HeadBucketOutput {
            bucket_region: Some(self.options.region.clone()),
            ..HeadBucketOutput::default()
        })
    }

    pub(crate) async fn bucket_location(&self, bucket: &str) -> S3Result<GetBucketLocationOutput> {
        self.require_bucket(bucket).await?;
        // The first region has no name here, by an old rule of AWS.
        let region = Some(self.options.region.clone()).filter(|region| region != "us-east-1");
        Ok(GetBucketLocationOutput {
            location_constraint: region.map(BucketLocationConstraint::from),
        })
    }

    pub(crate) async fn delete_bucket(&self, bucket: &str) -> S3Result<()> {
        self.require_bucket(bucket).await?;
        let prefix = Prefix::new(bucket).map_err(from_storage)?;
        let options = ListOptions::default().recursive(true).limit(1);
        let page = self.backend.list(&prefix, options).await;
        if !page.map_err(from_storage)?.entries.is_empty() {
            return Err(s3_error!(BucketNotEmpty));
        }
        self.remove_below(&format!("{HIDDEN}/uploads/{bucket}"))
            .await?;
        self.remove_below(bucket).await?;
        let removed = self.backend.delete(&marker(bucket)?).await;
        removed.map(drop).map_err(from_storage)
    }

    pub(crate) async fn list_buckets(&self) -> S3Result<ListBucketsOutput> {
        let prefix = Prefix::new(format!("{HIDDEN}/buckets")).map_err(from_storage)?;
        let options = ListOptions::default();
        let markers = self.backend.entries(prefix, options).collect().await;
        let bucket = |info: storage_core::ObjectInfo| Bucket {
            bucket_region: Some(self.options.region.clone()),
            creation_date: http_time(info.modified),
            name: Some(info.path.file_name().to_owned()),
        };
        Ok(ListBucketsOutput {
            buckets: Some(
                markers
                    .map_err(from_storage)?
                    .into_iter()
                    .map(bucket)
                    .collect(),
            ),
            owner: Some(self.owner()),
            ..ListBucketsOutput::default()
        })
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner {
            display_name: Some(self.options.access_key_id.clone()),
            id: Some(self.options.access_key_id.clone()),
        }
    }

    /// Removes everything below a folder, and the folder.
    pub(crate) async fn remove_below(&self, folder: &str) -> S3Result<()> {
        let path = ObjectPath::new(folder).map_err(from_storage)?;
        if self.features.directories && self.features.purge {
            let options = RmdirOptions::default().recursive(true);
            let extended = self.extended().map_err(from_storage)?;
            return match extended.rmdir(&path, options).await {
                Err(error) if !error.is_not_found() => Err(from_storage(error)),
                _ => Ok(()),
            };
        }
        let removed = self.backend.delete_prefix(folder).await;
        removed.map(drop).map_err(from_storage)
    }
}
