use aws_sdk_s3::operation::delete_object::builders::DeleteObjectInputBuilder;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2InputBuilder;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use storage_core::{Error, ErrorKind, ObjectPath, Result};

use crate::call::Repeat;
use crate::failure::Failure;
use crate::list::{Names, token_of};
use crate::signature::Payload;
use crate::store::Store;

/// Most keys of one request.
const BATCH: i32 = 1000;

impl Store {
    /// Deletes an object; `false` when there was none. Where the store does not tell, it is asked
    /// first.
    pub(crate) async fn remove(&self, path: &ObjectPath) -> Result<bool> {
        let key = self.key(path);
        let tells = self.capabilities.delete_existing;
        if !tells {
            match self.head(path).await {
                Err(failure) if failure.is_missing() => return Ok(false),
                Err(failure) => return Err(failure.into()),
                Ok(_) => {}
            }
        }
        let deleted = self.call("DeleteObject", Repeat::Freely, |_| {
            let request = DeleteObjectInputBuilder::default();
            let request = request.bucket(&self.bucket).key(&key);
            let request = request.set_if_match(tells.then(|| "*".to_owned()));
            self.send(request, &Payload::Empty)
        });
        match deleted.await {
            Ok(_) => Ok(true),
            // What an attempt before has deleted is not there any more.
            Err(failure) if failure.is_missing() || failure.status == 412 => {
                Ok(failure.after_unknown)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Deletes everything below a prefix, a thousand keys by one request. `false`: there was nothing.
    pub(crate) async fn purge(&self, prefix: &str) -> Result<bool> {
        let (mut any, mut after, mut token) = (false, None::<String>, None::<String>);
        loop {
            let reply = self.call("ListObjectsV2", Repeat::Freely, |_| {
                let request = ListObjectsV2InputBuilder::default();
                let request = request
                    .bucket(&self.bucket)
                    .prefix(prefix)
                    .max_keys(BATCH)
                    .set_start_after(after.clone())
                    .set_continuation_token(token.clone());
                let request = request.set_encoding_type(Some(aws_sdk_s3::types::EncodingType::Url));
                self.send(request, &Payload::Empty)
            });
            let reply = reply.await.map_err(Error::from)?;
            let names = Names::of(&reply);
            let contents = reply.contents.unwrap_or_default();
            let keys: Vec<String> = contents
                .into_iter()
                .filter_map(|object| names.read(&object.key?))
                .collect();
            after = keys.last().cloned();
            if !keys.is_empty() {
                any = true;
                self.delete_all(&keys).await?;
            }
            if !reply.is_truncated.unwrap_or(false) {
                return Ok(any);
            }
            token = match after {
                Some(_) => None,
                None => Some(token_of(reply.next_continuation_token)?),
            };
        }
    }

    async fn delete_all(&self, keys: &[String]) -> Result<()> {
        let identify = |key: &String| ObjectIdentifier::builder().key(key).build();
        let objects = keys.iter().map(identify).collect::<Result<Vec<_>, _>>();
        let delete = objects.and_then(|keys| {
            Delete::builder()
                .set_objects(Some(keys))
                .quiet(true)
                .build()
        });
        let delete = delete
            .map_err(|error| Error::new(ErrorKind::Other, "a list of keys").with_source(error))?;
        let reply = self.call("DeleteObjects", Repeat::Freely, |_| {
            let request = self.client.delete_objects().bucket(&self.bucket);
            let request = request.delete(delete.clone());
            async move { request.send().await.map_err(Failure::from) }
        });
        let reply = reply.await.map_err(Error::from)?;
        match reply.errors.unwrap_or_default().into_iter().next() {
            None => Ok(()),
            Some(error) => {
                let code = error.code.unwrap_or_default();
                let kind = match code.as_str() {
                    "AccessDenied" => ErrorKind::PermissionDenied,
                    "SlowDown" => ErrorKind::RateLimited,
                    _ => ErrorKind::Other,
                };
                let transient = matches!(code.as_str(), "SlowDown" | "InternalError");
                let message = format!("the store kept {:?}: {code}", error.key.unwrap_or_default());
                Err(Error::new(kind, message).with_transient(transient))
            }
        }
    }
}
