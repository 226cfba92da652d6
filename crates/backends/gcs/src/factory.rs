use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri};

use crate::{GcsBackend, GcsBuilder};

/// Opens buckets of Google Cloud Storage by name or as `gs://bucket/prefix?key=value`.
///
/// Keys: `bucket` (required), `prefix`, `endpoint`, `anonymous`, `credentials_file`, `credentials`,
/// `quota_project`, `timeout`, `max_attempts`, `part_size`, `concurrency` and `memory_limit`, as the
/// methods of [`GcsBuilder`] of the same names.
#[derive(Debug, Clone, Copy, Default)]
pub struct GcsFactory;

#[async_trait]
impl BackendFactory for GcsFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        let bucket = config.require_string("bucket")?;
        let mut builder = credentials(GcsBackend::builder(bucket), &mut config)?;
        if let Some(prefix) = config.take_string("prefix")? {
            builder = builder.prefix(prefix);
        }
        if let Some(endpoint) = config.take_string("endpoint")? {
            builder = builder.endpoint(endpoint);
        }
        builder = limits(builder, &mut config)?;
        config.finish()?;
        Ok(Arc::new(builder.open().await?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        let mut config = uri.to_config()?;
        for (key, value) in [
            ("bucket", uri.authority()),
            ("prefix", uri.path().trim_matches('/')),
        ] {
            if value.is_empty() {
                continue;
            }
            if config.get(key).is_some() {
                let message = format!("the key {key:?} is given twice, in the URI and its query");
                return Err(Error::config(message));
            }
            config.set(key, value);
        }
        Ok(config)
    }
}

fn credentials(mut builder: GcsBuilder, config: &mut Config) -> Result<GcsBuilder> {
    let anonymous = config.take_bool("anonymous")?.unwrap_or(false);
    let file = config.take_string("credentials_file")?;
    let json = config.take_string("credentials")?;
    let given = [anonymous, file.is_some(), json.is_some()];
    if given.into_iter().filter(|given| *given).count() > 1 {
        let message = "only one of the keys \"anonymous\", \"credentials_file\" and \"credentials\" \
                       can be given";
        return Err(Error::config(message));
    }
    if anonymous {
        builder = builder.anonymous();
    }
    if let Some(file) = file {
        builder = builder.credentials_file(file);
    }
    if let Some(json) = json {
        builder = builder.credentials(json);
    }
    if let Some(project) = config.take_string("quota_project")? {
        builder = builder.quota_project(project);
    }
    Ok(builder)
}

fn limits(mut builder: GcsBuilder, config: &mut Config) -> Result<GcsBuilder> {
    if let Some(timeout) = config.take_duration("timeout")? {
        builder = builder.timeout(timeout);
    }
    if let Some(attempts) = config.take_parsed("max_attempts", "a whole number from 1")? {
        builder = builder.max_attempts(attempts);
    }
    if let Some(bytes) = config.take_size("part_size")? {
        builder = builder.part_size(bytes);
    }
    if let Some(requests) = config.take_parsed("concurrency", "a whole number from 1")? {
        builder = builder.concurrency(requests);
    }
    if let Some(bytes) = config.take_size("memory_limit")? {
        builder = builder.memory_limit(bytes);
    }
    Ok(builder)
}
