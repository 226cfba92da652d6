use s3s::{S3Error, S3Result, s3_error};
use storage_core::{ObjectPath, Payload, ReadOptions, Reader, WriteMode, WriteOptions, Written};

use crate::conditions::WriteCondition;
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::object::{RECORD, Record};

/// An object about to be published, but for its content.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) path: ObjectPath,
    pub(crate) condition: WriteCondition,
    pub(crate) metadata: storage_core::Metadata,
    pub(crate) record: Record,
}

/// Where the content comes from.
pub(crate) enum Content {
    /// From memory.
    Payload(Payload),
    /// A temporary object, the whole content of which is meant.
    Object(ObjectPath),
    /// A reader of another object.
    Reader(Box<Reader>),
    /// Objects one after another.
    Parts(Vec<ObjectPath>),
}

impl Gateway {
    /// Publishes an object in one instant, with all that belongs to it, if its condition holds then.
    pub(crate) async fn publish(
        &self,
        publication: Publication,
        content: Content,
    ) -> S3Result<Written> {
        let Publication {
            path,
            condition,
            metadata,
            record,
        } = publication;
        let _lock = self.lock_of(&path)?.read().await;
        let mode = self.mode(&path, &condition).await?;
        let options = self.options_of(mode.clone(), metadata, record)?;
        let written = self.transfer(&path, options, content).await;
        written.map_err(|error| lost_race(&mode, error))
    }

    fn options_of(
        &self,
        mode: WriteMode,
        mut metadata: storage_core::Metadata,
        mut record: Record,
    ) -> S3Result<WriteOptions> {
        let mut options = WriteOptions::from(mode);
        // Where the backend has a place for them, its other users see them there.
        if self.features.content_type {
            if let Some(content_type) = record.headers.content_type.take() {
                options = options.content_type(content_type);
            }
            if let Some(cache_control) = record.headers.cache_control.take() {
                options = options.cache_control(cache_control);
            }
        }
        metadata.insert(RECORD.to_owned(), record.to_entry()?);
        Ok(options.metadata(metadata))
    }

    async fn transfer(
        &self,
        path: &ObjectPath,
        options: WriteOptions,
        content: Content,
    ) -> storage_core::Result<Written> {
        let backend = &self.backend;
        match content {
            Content::Payload(payload) => backend.write(path, payload, options).await,
            Content::Object(from) if self.features.copy => {
                self.extended()?.copy(&from, path, options).await
            }
            Content::Object(from) => {
                let reader = backend.reader(&from, ReadOptions::default()).await?;
                self.pour(path, options, reader).await
            }
            Content::Reader(reader) => self.pour(path, options, *reader).await,
            Content::Parts(parts) => {
                let mut writer = backend.writer(path, options).await?;
                for part in parts {
                    let mut reader = backend.reader(&part, ReadOptions::default()).await?;
                    while let Some(chunk) = reader.chunk().await {
                        writer.write_bytes(chunk?).await?;
                    }
                }
                writer.finish().await
            }
        }
    }

    async fn pour(
        &self,
        path: &ObjectPath,
        options: WriteOptions,
        reader: Reader,
    ) -> storage_core::Result<Written> {
        let mut reader = match reader.into_payload() {
            Ok(payload) => return self.backend.write(path, payload, options).await,
            Err(reader) => reader,
        };
        let mut writer = self.backend.writer(path, options).await?;
        while let Some(chunk) = reader.chunk().await {
            writer.write_bytes(chunk?).await?;
        }
        writer.finish().await
    }
}

/// An object that vanished after its tag was found right is a conflict and no failed condition, as on
/// AWS.
fn lost_race(mode: &WriteMode, error: storage_core::Error) -> S3Error {
    let vanished = matches!(error.precondition(), Some((_, None)));
    match mode {
        WriteMode::IfVersion(_) if error.is_precondition_failed() && vanished => s3_error!(
            ConditionalRequestConflict,
            "the object was deleted during the request"
        ),
        _ => from_storage(error),
    }
}
