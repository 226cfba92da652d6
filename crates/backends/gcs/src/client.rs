use std::sync::Arc;
use std::time::Duration;

use google_cloud_auth::credentials::{
    Builder as DefaultCredentials, Credentials as SdkCredentials, anonymous, service_account,
};
use google_cloud_auth::signer::Signer;
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_storage::client::{Storage, StorageControl};
use google_cloud_storage::model::Object;
use google_cloud_storage::read_resume_policy::NeverResume;
use rustls::crypto::{CryptoProvider, ring};
use serde_json::Value;
use storage_core::{Error, ErrorKind, ObjectPath, Prefix, Result};
use tokio::time::timeout;

use crate::GcsBuilder;
use crate::attempt::{Attempts, Outcome};
use crate::budget::Budget;
use crate::failure::{Failure, Reason};
use crate::names;
use crate::settings::Credentials;

const USER_AGENT: &str = concat!("omnistorage/", env!("CARGO_PKG_VERSION"));
const OPENING: Duration = Duration::from_secs(10);
/// Slower than this an upload counts as hanging.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 << 10;

/// The service as one backend uses it.
#[derive(Debug)]
pub(crate) struct Client {
    /// Content, over HTTP.
    pub(crate) storage: Storage,
    /// Everything else, over gRPC.
    pub(crate) control: StorageControl,
    pub(crate) signer: Option<Signer>,
    /// `projects/_/buckets/NAME`.
    pub(crate) bucket: String,
    /// The names below which the keys are, as the service has them.
    pub(crate) root: String,
    pub(crate) settings: GcsBuilder,
    pub(crate) budget: Budget,
}

impl Client {
    /// Connects and looks at the bucket.
    pub(crate) async fn open(settings: GcsBuilder, prefix: &Prefix) -> Result<Self> {
        let connected = async {
            let client = Self::connect(settings, prefix).await?;
            client.check().await?;
            Ok(client)
        };
        match timeout(OPENING, connected).await {
            Ok(client) => client,
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                "neither the service nor, where they come from there, the server of the credentials \
                 answered within 10 seconds",
            )),
        }
    }

    async fn connect(settings: GcsBuilder, prefix: &Prefix) -> Result<Self> {
        if CryptoProvider::get_default().is_none() {
            // Somebody else may be first, which is as good.
            let _ = ring::default_provider().install_default();
        }
        let (credentials, signer) = credentials(&settings).await?;
        let mut storage = Storage::builder()
            .with_credentials(credentials.clone())
            .with_retry_policy(NeverRetry)
            .with_read_resume_policy(NeverResume)
            .with_grpc_subchannel_count(1);
        let mut control = StorageControl::builder()
            .with_credentials(credentials)
            .with_retry_policy(NeverRetry);
        if let Some(endpoint) = &settings.endpoint {
            let endpoint = endpoint.trim_end_matches('/');
            storage = storage.with_endpoint(endpoint);
            control = control.with_endpoint(endpoint);
        }
        let failed = |error| Error::new(ErrorKind::Network, format!("no client: {error}"));
        let memory = usize::try_from(settings.memory_limit).unwrap_or(usize::MAX);
        Ok(Self {
            storage: storage.build().await.map_err(failed)?,
            control: control.build().await.map_err(failed)?,
            signer,
            bucket: format!("projects/_/buckets/{}", settings.bucket),
            root: names::encode(prefix.as_str()),
            budget: Budget::new(memory),
            settings,
        })
    }

    /// Whether the bucket is there and may be used.
    async fn check(&self) -> Result<()> {
        let listed = self.attempts(0).run("open", || {
            let request = self.control.list_objects().set_parent(&self.bucket);
            let request = request.set_prefix(&self.root).set_page_size(1);
            self.prepare(request).send()
        });
        match listed.await.result {
            Ok(_) => Ok(()),
            Err(failure) if failure.reason == Reason::Missing => {
                let message = format!("there is no bucket {:?}", self.settings.bucket);
                Err(Error::not_found(message))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// How a request that sends so many bytes is tried.
    pub(crate) fn attempts(&self, bytes: u64) -> Attempts {
        Attempts {
            most: self.settings.max_attempts,
            each: self.patience(bytes),
        }
    }

    /// How long a request that sends so many bytes may take.
    pub(crate) fn patience(&self, bytes: u64) -> Duration {
        self.settings.timeout + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND)
    }

    /// Adds to a request what all have.
    pub(crate) fn prepare<R: RequestOptionsBuilder>(&self, request: R) -> R {
        let request = request.with_user_agent(USER_AGENT);
        match &self.settings.quota_project {
            Some(project) => request.with_quota_project(project),
            None => request,
        }
    }

    pub(crate) const fn user_agent() -> &'static str {
        USER_AGENT
    }

    /// The service's name of a key.
    pub(crate) fn name(&self, path: &ObjectPath) -> Result<String> {
        let name = format!("{}{}", self.root, names::encode(path));
        let refuse = |what: &str| Err(Error::new(ErrorKind::InvalidPath, what.to_owned()));
        if name.len() > 1024 {
            return refuse("the service takes names of up to 1024 bytes, the prefix included");
        }
        if name.starts_with(".well-known/acme-challenge/") {
            return refuse("the service takes no names below .well-known/acme-challenge/");
        }
        Ok(name)
    }

    /// What the service knows of an object.
    pub(crate) async fn object(&self, name: &str) -> Result<Object, Failure> {
        let found = self.attempts(0).run("get", || {
            let request = self.control.get_object();
            self.prepare(request.set_bucket(&self.bucket).set_object(name))
                .send()
        });
        found.await.result
    }

    /// Deletes an object; `false` when there was none.
    pub(crate) async fn delete(&self, name: &str) -> Result<bool, Failure> {
        self.delete_generation(name, 0).await
    }

    /// As [`Self::delete`], this generation alone, 0 for the live one.
    pub(crate) async fn delete_generation(
        &self,
        name: &str,
        generation: i64,
    ) -> Result<bool, Failure> {
        let deleted = self.attempts(0).run("delete", || {
            let request = self.control.delete_object();
            let request = request.set_bucket(&self.bucket).set_object(name);
            self.prepare(request.set_generation(generation)).send()
        });
        let Outcome { result, ambiguous } = deleted.await;
        match result {
            Ok(()) => Ok(true),
            // The object that an attempt before has deleted is not there any more.
            Err(failure) if failure.reason == Reason::Missing => Ok(ambiguous),
            Err(failure) => Err(failure),
        }
    }

    /// Replaces the attributes of the object as it was found. `None`: it has changed since.
    pub(crate) async fn update(
        &self,
        object: &Object,
        attributes: &crate::info::Attributes,
    ) -> Result<Option<Object>, Failure> {
        let changed = Object::new()
            .set_bucket(&self.bucket)
            .set_name(&object.name)
            .set_metadata(attributes.metadata.clone());
        let mask = google_cloud_wkt::FieldMask::default().set_paths(["metadata"]);
        let updated = self.attempts(0).run("update", || {
            let request = self.control.update_object();
            let request = request
                .set_object(changed.clone())
                .set_if_generation_match(object.generation)
                .set_if_metageneration_match(object.metageneration)
                .set_update_mask(mask.clone());
            self.prepare(request).send()
        });
        match updated.await.result {
            Ok(object) => Ok(Some(object)),
            Err(failure) if matches!(failure.reason, Reason::Condition | Reason::Missing) => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// The credentials, and what signs URLs where a key to sign with is at hand.
async fn credentials(settings: &GcsBuilder) -> Result<(SdkCredentials, Option<Signer>)> {
    let json = match &settings.credentials {
        Credentials::Anonymous => return Ok((anonymous::Builder::new().build(), None)),
        Credentials::Default => {
            let found = DefaultCredentials::default().build();
            let found = found.map_err(|_| {
                Error::config(
                    "there are no application default credentials; give \"credentials_file\" or \
                     \"anonymous\"",
                )
            })?;
            return Ok((found, None));
        }
        Credentials::Json(json) => json.clone(),
        Credentials::File(path) => {
            let read = tokio::fs::read_to_string(path).await;
            read.map_err(|error| {
                Error::config(format!("the credentials in {}: {error}", path.display()))
            })?
        }
    };
    // The errors of the parsers may quote what they parse.
    let bad = "the credentials are not the JSON of a service account's key";
    let key: Value = serde_json::from_str(&json).map_err(|_| Error::config(bad))?;
    let builder = || service_account::Builder::new(key.clone());
    let signer = builder().build_signer().map_err(|_| Error::config(bad))?;
    let credentials = builder().build().map_err(|_| Error::config(bad))?;
    Ok((credentials, Some(signer)))
}

/// Shared by a backend, its readers and its writers.
pub(crate) type Shared = Arc<Client>;
