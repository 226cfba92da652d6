use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Backend, BackendFactory, Config, Error, Prefix, Result, Uri};

use crate::{Capabilities, S3Backend, S3Builder};

/// Opens S3 buckets by name or as `s3://bucket/prefix?endpoint=…&region=…`.
///
/// Keys: see the table on the backend's page.
#[derive(Debug, Clone, Copy, Default)]
pub struct S3Factory;

#[async_trait]
impl BackendFactory for S3Factory {
    async fn open(&self, config: Config) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(S3Backend::from_config(config).await?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        if uri.authority().contains('@') {
            let message = "credentials do not belong into a URI; use access_key_id and \
                           secret_access_key, or the environment";
            return Err(Error::config(message));
        }
        let mut config = uri.to_config()?;
        let prefix = uri.path().trim_start_matches('/');
        for (key, value) in [("bucket", uri.authority()), ("prefix", prefix)] {
            if value.is_empty() {
                continue;
            }
            if config.get(key).is_some() {
                return Err(Error::config(format!("{key} is given twice")));
            }
            config.set(key, value);
        }
        Ok(config)
    }
}

/// The settings of a configuration, all of which are known then.
pub(crate) fn builder_of(mut config: Config) -> Result<S3Builder> {
    let mut builder = S3Builder::new(config.require_string("bucket")?);
    if let Some(prefix) = config.take_string("prefix")? {
        builder.prefix = Prefix::new(&prefix)?;
    }
    builder.endpoint = config.take_string("endpoint")?;
    builder.region = config.take_string("region")?;
    builder = access(builder, &mut config)?;
    builder.path_style = config.take_bool("path_style")?;
    builder.sign_payload = config.take_bool("sign_payload")?;
    let names = "names of capabilities";
    builder.capabilities = config.take_parsed::<Capabilities>("capabilities", names)?;
    builder = limits(builder, &mut config)?;
    if let Some(server) = config.take_bool("server_modified")? {
        builder.server_modified = server;
    }
    builder.storage_class = config.take_string("storage_class")?;
    builder.sse = config.take_string("sse")?;
    builder.sse_kms_key_id = config.take_string("sse_kms_key_id")?;
    config.finish()?;
    builder.checked()?;
    Ok(builder)
}

fn limits(mut builder: S3Builder, config: &mut Config) -> Result<S3Builder> {
    if let Some(timeout) = config.take_duration("connect_timeout")? {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(timeout) = config.take_duration("timeout")? {
        builder = builder.timeout(timeout);
    }
    if let Some(attempts) = config.take_u64("max_attempts")? {
        builder = builder.max_attempts(u32::try_from(attempts).unwrap_or(u32::MAX));
    }
    if let Some(bytes) = config.take_size("part_size")? {
        builder = builder.part_size(bytes);
    }
    if let Some(requests) = config.take_u64("concurrency")? {
        builder = builder.concurrency(usize::try_from(requests).unwrap_or(usize::MAX));
    }
    if let Some(bytes) = config.take_size("memory_limit")? {
        builder = builder.memory_limit(bytes);
    }
    Ok(builder)
}

fn access(builder: S3Builder, config: &mut Config) -> Result<S3Builder> {
    let keys = (
        config.take_string("access_key_id")?,
        config.take_string("secret_access_key")?,
    );
    let session_token = config.take_string("session_token")?;
    let anonymous = config.take_bool("anonymous")?.unwrap_or(false);
    match keys {
        (None, None) if session_token.is_some() => {
            Err(Error::config("session_token needs access_key_id"))
        }
        (None, None) if anonymous => Ok(builder.anonymous()),
        (None, None) => Ok(builder),
        (Some(_), Some(_)) if anonymous => Err(Error::config(
            "anonymous and access_key_id exclude each other",
        )),
        (Some(id), Some(secret)) => Ok(builder.credentials(id, secret, session_token)),
        _ => Err(Error::config(
            "access_key_id and secret_access_key belong together",
        )),
    }
}
