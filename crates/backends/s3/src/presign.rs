use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use storage_core::{Error, ErrorKind, ObjectPath, PresignOptions, PresignedMethod, Result};

use crate::failure::Failure;
use crate::store::Store;

/// Longest that a URL may be valid.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Store {
    /// A URL for one method on one object. Makes no request.
    pub(crate) async fn signed_url(
        &self,
        path: &ObjectPath,
        options: PresignOptions,
    ) -> Result<String> {
        if !self.is_signed() {
            return Err(Error::unsupported("an anonymous client signs nothing"));
        }
        let expires = options.expires_in;
        if expires < Duration::from_secs(1) || expires > LONGEST {
            return Err(Error::config("a URL is valid for 1 second to 7 days"));
        }
        let config = PresigningConfig::expires_in(expires)
            .map_err(|error| Error::config(error.to_string()))?;
        let key = self.key(path);
        let signed = match options.method {
            PresignedMethod::Get => {
                let request = self.client.get_object().bucket(&self.bucket).key(key);
                request.presigned(config).await.map_err(Failure::from)
            }
            PresignedMethod::Put => {
                let request = self.client.put_object().bucket(&self.bucket).key(key);
                request.presigned(config).await.map_err(Failure::from)
            }
            other => {
                let message = format!("a URL for {other:?}");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        Ok(signed?.uri().to_owned())
    }
}
