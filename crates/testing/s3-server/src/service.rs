use std::sync::Arc;

use async_trait::async_trait;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput,
    DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput,
    PutObjectOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::gateway::Gateway;
use crate::refusals::{refuse_bucket, refuse_version};

/// The operations of the wire, each handed to the [`Gateway`].
pub(crate) struct Service(pub(crate) Arc<Gateway>);

/// Operations that need nothing of a request but its fields.
macro_rules! operations {
    ($($operation:ident($input:ident) -> $output:ident = |$gateway:ident, $fields:ident| $call:expr;)+) => {
        #[async_trait]
        impl S3 for Service {
            $(async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                let ($gateway, $fields) = (&self.0, request.input);
                let output: S3Result<$output> = $call;
                output.map(S3Response::new)
            })+

            async fn get_object(
                &self,
                request: S3Request<GetObjectInput>,
            ) -> S3Result<S3Response<GetObjectOutput>> {
                refuse_version(request.input.version_id.as_deref())?;
                self.0.get(request.input).await
            }

            async fn head_object(
                &self,
                request: S3Request<HeadObjectInput>,
            ) -> S3Result<S3Response<HeadObjectOutput>> {
                refuse_version(request.input.version_id.as_deref())?;
                self.0.head(request.input).await
            }

            async fn put_object(
                &self,
                request: S3Request<PutObjectInput>,
            ) -> S3Result<S3Response<PutObjectOutput>> {
                self.0.put(request).await
            }

            async fn copy_object(
                &self,
                request: S3Request<CopyObjectInput>,
            ) -> S3Result<S3Response<CopyObjectOutput>> {
                self.0.copy(request).await.map(S3Response::new)
            }

            async fn upload_part(
                &self,
                request: S3Request<UploadPartInput>,
            ) -> S3Result<S3Response<UploadPartOutput>> {
                self.0.upload_part(request).await
            }
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = |gateway, input| {
        refuse_bucket(&input)?;
        gateway.create_bucket(&input.bucket).await?;
        Ok(CreateBucketOutput {
            location: Some(format!("/{}", input.bucket)),
        })
    };
    head_bucket(HeadBucketInput) -> HeadBucketOutput = |gateway, input| {
        gateway.head_bucket(&input.bucket).await
    };
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = |gateway, input| {
        gateway.delete_bucket(&input.bucket).await?;
        Ok(DeleteBucketOutput::default())
    };
    list_buckets(ListBucketsInput) -> ListBucketsOutput = |gateway, _input| {
        gateway.list_buckets().await
    };
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = |gateway, input| {
        gateway.bucket_location(&input.bucket).await
    };
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = |gateway, input| {
        // No status says that versions never were kept.
        gateway.require_bucket(&input.bucket).await?;
        Ok(GetBucketVersioningOutput::default())
    };
    list_objects(ListObjectsInput) -> ListObjectsOutput = |gateway, input| {
        gateway.list_v1(input).await
    };
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = |gateway, input| {
        gateway.list_v2(input).await
    };
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = |gateway, input| {
        gateway.delete_one(input).await
    };
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = |gateway, input| {
        gateway.delete_many(input).await
    };
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = |gateway, input| {
        gateway.create_upload(input).await
    };
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = |gateway, input| {
        gateway.copy_part(input).await
    };
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = |gateway, input| {
        gateway.complete(input).await
    };
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = |gateway, input| {
        gateway.abort(input).await?;
        Ok(AbortMultipartUploadOutput::default())
    };
    list_parts(ListPartsInput) -> ListPartsOutput = |gateway, input| {
        gateway.list_parts(input).await
    };
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = |gateway, input| {
        gateway.list_uploads(input).await
    };
}
