use std::fmt::Debug;
use std::future::Future;
use std::sync::LazyLock;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::interceptors::context::Input;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin as _;
use aws_smithy_types::config_bag::FrozenLayer;

/// A request that can be sent without the SDK's orchestration, and with it.
pub(crate) trait Request: Send + Sized {
    type Output: Debug + Send + Sync + 'static;
    type Error: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static;

    /// The SDK's serializer and deserializer.
    fn codec() -> Option<&'static FrozenLayer>;

    fn input(self) -> Result<Input, BuildError>;

    fn send_with(
        self,
        client: &Client,
    ) -> impl Future<Output = Result<Self::Output, SdkError<Self::Error, HttpResponse>>> + Send;
}

macro_rules! requests {
    ($($module:ident: $operation:ident, $builder:ident, $output:ident, $error:ident;)*) => {$(
        impl Request for aws_sdk_s3::operation::$module::builders::$builder {
            type Output = aws_sdk_s3::operation::$module::$output;
            type Error = aws_sdk_s3::operation::$module::$error;

            fn codec() -> Option<&'static FrozenLayer> {
                static CODEC: LazyLock<Option<FrozenLayer>> =
                    LazyLock::new(|| aws_sdk_s3::operation::$module::$operation::new().config());
                CODEC.as_ref()
            }

            fn input(self) -> Result<Input, BuildError> {
                self.build().map(Input::erase)
            }

            async fn send_with(
                self,
                client: &Client,
            ) -> Result<Self::Output, SdkError<Self::Error, HttpResponse>> {
                // The method of the builder, not this one.
                Self::send_with(self, client).await
            }
        }
    )*};
}

requests! {
    delete_object: DeleteObject, DeleteObjectInputBuilder, DeleteObjectOutput, DeleteObjectError;
    get_object: GetObject, GetObjectInputBuilder, GetObjectOutput, GetObjectError;
    head_object: HeadObject, HeadObjectInputBuilder, HeadObjectOutput, HeadObjectError;
    list_objects_v2: ListObjectsV2, ListObjectsV2InputBuilder, ListObjectsV2Output, ListObjectsV2Error;
    put_object: PutObject, PutObjectInputBuilder, PutObjectOutput, PutObjectError;
    upload_part: UploadPart, UploadPartInputBuilder, UploadPartOutput, UploadPartError;
}
