use std::sync::Arc;
use std::time::Duration;

use storage_core::{Error, ErrorKind, Operation, Result};

use crate::background::Background;
use crate::call::{Patience, Repeat};
use crate::client::{Clients, clients};
use crate::failure::Failure;
use crate::settings::without_user;
use crate::store::Store;
use crate::{Capabilities, NAME, S3Backend, S3Builder, probe};

/// Longest that opening may take.
const LIMIT: Duration = Duration::from_secs(9);

/// Longest that a failed opening waits for the removal of what it made.
const CLEANING: Duration = Duration::from_millis(900);

pub(crate) async fn open(settings: S3Builder) -> Result<S3Backend> {
    let place = match &settings.endpoint {
        Some(endpoint) => format!("bucket {:?} at {}", settings.bucket, without_user(endpoint)),
        None => format!("bucket {:?}", settings.bucket),
    };
    let mut probed = None;
    let opened = match tokio::time::timeout(LIMIT, connect(settings, &mut probed)).await {
        Ok(opened) => opened,
        Err(_) => Err(Error::new(
            ErrorKind::Timeout,
            "the store did not answer within 9 s",
        )),
    };
    if let Some(store) = probed {
        // What the probe made may still have to go; it goes on doing so after that.
        let _ = tokio::time::timeout(CLEANING, store.background.settle()).await;
    }
    opened.map_err(|error| within(&place, &error).on(Operation::Open, NAME))
}

/// The error with the place in its message.
fn within(place: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{place}: {}", error.message()))
        .with_transient(error.is_transient())
}

/// Opens a backend; `probed` becomes what owns the removal of the probe.
async fn connect(settings: S3Builder, probed: &mut Option<Arc<Store>>) -> Result<S3Backend> {
    settings.checked()?;
    let mut store = store(&settings, None).await?;
    if let Err(failure) = look(&store).await {
        match failure.region.clone() {
            Some(region) if region != store.region && settings.region.is_none() => {
                store = self::store(&settings, Some(region)).await?;
                look(&store)
                    .await
                    .map_err(|failure| explained(failure, &store))?;
            }
            _ => return Err(explained(failure, &store)),
        }
    }
    let capabilities = match settings.capabilities {
        Some(capabilities) => capabilities,
        None if settings.endpoint.is_none() => Capabilities::ALL,
        None => {
            let probing = probed.insert(Arc::new(store.again()));
            probe::probe(probing).await?
        }
    };
    store.capabilities = capabilities;
    Ok(S3Backend::new(Arc::new(store)))
}

async fn store(settings: &S3Builder, region: Option<String>) -> Result<Store> {
    let Clients { sdk, wire, region } = clients(settings, region).await?;
    let plain = settings
        .endpoint
        .as_deref()
        .is_some_and(|url| url.starts_with("http://"));
    Ok(Store {
        client: sdk,
        wire: wire.map(Arc::new),
        region,
        bucket: settings.bucket.clone(),
        signs_payload: settings.sign_payload.unwrap_or(plain),
        capabilities: Capabilities::NONE,
        patience: Patience {
            timeout: settings.timeout,
            max_attempts: settings.max_attempts,
        },
        budget: crate::budget::Budget::new(settings.memory_limit),
        background: Background::default(),
        lifecycle: storage_core::Lifecycle::new(),
        settings: settings.clone(),
    })
}

/// One small request that fails where endpoint, bucket or credentials are wrong.
async fn look(store: &Store) -> Result<(), Failure> {
    let patience = Patience {
        max_attempts: 2,
        ..store.patience
    };
    let result = patience
        .call("ListObjectsV2", Repeat::Freely, |_| async {
            let request = store
                .client
                .list_objects_v2()
                .bucket(&store.bucket)
                .max_keys(1);
            let request = request.prefix(store.settings.prefix.as_str());
            request.send().await.map_err(Failure::from)
        })
        .await;
    match result {
        // Credentials that are good for objects alone may not list.
        Err(failure) if failure.code == "AccessDenied" && store.is_signed() => Ok(()),
        result => result.map(drop),
    }
}

fn explained(failure: Failure, store: &Store) -> Error {
    if failure.code == "NoSuchBucket" {
        return Error::not_found("there is no such bucket");
    }
    match &failure.region {
        Some(region) if *region != store.region => {
            let message = format!("the bucket is in region {region:?}, not {:?}", store.region);
            Error::config(message)
        }
        _ => failure.into(),
    }
}
