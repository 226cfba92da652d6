//! Remotes over another place, which their key `remote` names: encrypted, below a path, read-only.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use omnistorage::middleware::LayerExt;
use omnistorage::middleware::encryption::{Encryption, MasterKey};
use omnistorage::middleware::prefix::Prefixed;
use omnistorage::middleware::read_only::ReadOnly;
use omnistorage::{Backend, Config, Error, Result};

use crate::place::{self, Missing};

/// The types of such remotes.
pub(crate) const KINDS: [&str; 3] = ["encrypt", "prefix", "read-only"];

type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Backend>>> + Send>>;

/// Opens the place of a remote of one of the [`KINDS`], with its layer over it.
pub(crate) fn open(kind: String, mut config: Config, missing: Missing) -> Opening {
    Box::pin(async move {
        let remote = config.require_string("remote")?;
        let encryption = match kind.as_str() {
            "encrypt" => Some(encryption(&mut config)?),
            _ => None,
        };
        config.finish()?;
        let below = below(&remote, missing).await?;
        let layered: Arc<dyn Backend> = match encryption {
            Some(encryption) => Arc::new(below.layer(encryption)),
            None if kind == "read-only" => Arc::new(below.layer(ReadOnly)),
            None => below,
        };
        Ok(layered)
    })
}

/// The place that `remote` names, as a store of its own.
async fn below(remote: &str, missing: Missing) -> Result<Arc<dyn Backend>> {
    let place = place::tree(remote, missing).await?;
    Ok(match place.path.is_root() {
        true => place.backend,
        false => Arc::new(place.backend.layer(Prefixed::new(place.path))),
    })
}

/// The key comes from a file or the environment and never stands in the file of the remotes.
fn encryption(config: &mut Config) -> Result<Encryption> {
    let (file, variable) = (
        config.take_string("key_file")?,
        config.take_string("key_env")?,
    );
    let key = match (file, variable) {
        (Some(file), None) => {
            let content = std::fs::read(&file);
            let content = content.map_err(|error| Error::from(error).with_path(&file))?;
            MasterKey::parse(&content).map_err(|error| error.with_path(&file))?
        }
        (None, Some(variable)) => {
            let content = std::env::var_os(&variable).ok_or_else(|| {
                Error::config(format!(
                    "the variable {variable:?}, which `key_env` names, is not set"
                ))
            })?;
            let key = MasterKey::parse(content.as_encoded_bytes());
            key.map_err(|error| error.with_path(format!("${variable}")))?
        }
        _ => {
            return Err(Error::config(
                "an encrypted remote needs either `key_file`, a file with the key, or `key_env`, a \
                 variable that holds it; `openssl rand -hex 32` makes a key",
            ));
        }
    };
    let names = config.take_bool("names")?.unwrap_or(true);
    let skip = config.take_bool("skip_foreign")?.unwrap_or(false);
    Ok(Encryption::new(key).names(names).skip_foreign(skip))
}
