use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use google_cloud_storage::builder::storage::SignedUrlBuilder;
use google_cloud_storage::http::Method;
use storage_core::{
    Error, ErrorKind, ExtendedBackend, Features, ObjectInfo, ObjectPath, Operation, PresignOptions,
    PresignedMethod, Result, RmdirOptions, WriteOptions, Written,
};

use crate::GcsBackend;
use crate::backend::NAME;
use crate::copying::copy;
use crate::info::{Attributes, info};
use crate::listing::names_below;

/// Deletions that are under way at once.
const DELETIONS: usize = 16;
/// The longest that a signed URL may be valid.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How often a change of attributes is tried again when others change them meanwhile.
const ROUNDS: usize = 8;

#[async_trait]
impl ExtendedBackend for GcsBackend {
    fn features(&self) -> Features {
        self.features_now()
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.check(Operation::Stat)?;
        let client = self.client();
        let stat = async {
            let object = client.object(&client.name(path)?).await?;
            Ok(info(path.clone(), &object))
        };
        stat.await
            .map_err(|error: Error| error.at(Operation::Stat, NAME, path))
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        self.check(Operation::Mkdir)?;
        Err(self.lacks("directories").at(Operation::Mkdir, NAME, path))
    }

    /// With `recursive` removes every object below the path, many at a time; anything else is
    /// `Unsupported`. Not atomic: a failure leaves what was not deleted yet.
    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.check(Operation::Rmdir)?;
        let removed = match options.recursive {
            true => self.purge(path).await,
            false => Err(self.lacks("directories")),
        };
        removed.map_err(|error| error.at(Operation::Rmdir, NAME, path))
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Copy)?;
        let copied = async {
            let mut parts = options.into_parts();
            parts.restrict_to(self.features_now())?;
            copy(self.client(), from, to, parts).await
        };
        copied
            .await
            .map_err(|error| error.at(Operation::Copy, NAME, from))
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        _to: &ObjectPath,
        _options: WriteOptions,
    ) -> Result<()> {
        self.check(Operation::Rename)?;
        Err(self.lacks("rename").at(Operation::Rename, NAME, from))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.check(Operation::SetModified)?;
        let set = self.set_time(path, modified).await;
        set.map_err(|error| error.at(Operation::SetModified, NAME, path))
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        self.check(Operation::Presign)?;
        let signed = self.sign(path, options).await;
        signed.map_err(|error| error.at(Operation::Presign, NAME, path))
    }
}

impl GcsBackend {
    async fn purge(&self, path: &ObjectPath) -> Result<()> {
        let client = self.client();
        let mut token = String::new();
        let mut any = false;
        loop {
            let (names, next) = names_below(client, &path.as_prefix(), token).await?;
            any |= !names.is_empty();
            stream::iter(names)
                .map(|name| async move { client.delete(&name).await.map_err(Error::from) })
                .buffer_unordered(DELETIONS)
                .try_for_each(|_| std::future::ready(Ok(())))
                .await?;
            if next.is_empty() {
                break;
            }
            token = next;
        }
        if any {
            return Ok(());
        }
        Err(Error::not_found("there is nothing below it"))
    }

    async fn set_time(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let client = self.client();
        let name = client.name(path)?;
        for _ in 0..ROUNDS {
            let object = client.object(&name).await?;
            let mut attributes = Attributes::of_object(&object);
            attributes.set_modified(modified)?;
            if client.update(&object, &attributes).await?.is_some() {
                return Ok(());
            }
        }
        let message = "others keep changing the object";
        Err(Error::new(ErrorKind::Other, message).with_transient(true))
    }

    async fn sign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        let client = self.client();
        let Some(signer) = &client.signer else {
            return Err(self.lacks("presign"));
        };
        let expires = options.expires_in;
        if expires < Duration::from_secs(1) || expires > LONGEST {
            return Err(Error::config(
                "a URL is valid from one second to seven days",
            ));
        }
        let method = match options.method {
            PresignedMethod::Get => Method::GET,
            PresignedMethod::Put => Method::PUT,
            _ => return Err(Error::unsupported("presigning this method")),
        };
        let url = SignedUrlBuilder::for_object(&client.bucket, client.name(path)?);
        let mut url = url.with_method(method).with_expiration(expires);
        if let Some(endpoint) = &client.settings.endpoint {
            url = url.with_endpoint(endpoint.trim_end_matches('/'));
        }
        let signed = url.sign_with(signer).await;
        signed.map_err(|_| Error::new(ErrorKind::Other, "the key cannot sign"))
    }
}
