use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::endpoint::{
    DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint,
};
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, ProvideCredentials, Region,
    RequestChecksumCalculation, ResponseChecksumValidation, RuntimeComponents,
    SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::BoxError;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use storage_core::{Error, ErrorKind, Result};

use crate::S3Builder;
use crate::settings::Access;
use crate::signature::Signer;
use crate::wire::Wire;

/// Finds the endpoint once: it depends on nothing that changes from request to request, and the rules
/// that say where it is cost more than the rest of a small request.
#[derive(Debug, Default)]
struct OneEndpoint {
    rules: DefaultResolver,
    found: OnceLock<Endpoint>,
}

impl ResolveEndpoint for OneEndpoint {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        if let Some(found) = self.found.get() {
            return EndpointFuture::ready(Ok(found.clone()));
        }
        let found = ResolveEndpoint::resolve_endpoint(&self.rules, params);
        EndpointFuture::new(async move {
            let found = found.await?;
            Ok(self.found.get_or_init(|| found).clone())
        })
    }
}

pub(crate) const USER_AGENT: &str = concat!("omnistorage/", env!("CARGO_PKG_VERSION"));

/// Says who asks.
#[derive(Debug)]
struct UserAgent;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for UserAgent {
    fn name(&self) -> &'static str {
        "UserAgent"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context
            .request_mut()
            .headers_mut()
            .insert("user-agent", USER_AGENT);
        Ok(())
    }
}

/// One pool of connections for everything that a backend asks.
fn connections(connect_timeout: Duration) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(connect_timeout)
        .build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .pool_max_idle_per_host(64)
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    SharedHttpConnector::new(connector.build())
}

/// Another pool, which keeps the time limits of its callers: for what finds region and credentials.
fn of_providers() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// Whether the bucket stands in the path of URLs.
pub(crate) fn path_style(settings: &S3Builder) -> bool {
    settings.path_style.unwrap_or(settings.endpoint.is_some())
}

/// How one backend reaches its store.
pub(crate) struct Clients {
    /// The SDK's.
    pub(crate) sdk: Client,
    /// For the requests that come by the thousand, where they can do without the SDK's client.
    pub(crate) wire: Option<Wire>,
    pub(crate) region: String,
}

/// The clients of one backend in `region`.
///
/// Retries and idle timeouts are the backend's own, for only it knows what may be repeated.
pub(crate) async fn clients(settings: &S3Builder, region: Option<String>) -> Result<Clients> {
    let connector = connections(settings.connect_timeout);
    let shared = connector.clone();
    let connections = http_client_fn(move |_, _| shared.clone());
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(connections)
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .endpoint_resolver(OneEndpoint::default())
        .interceptor(UserAgent)
        .force_path_style(path_style(settings));
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint);
    }
    let region = match region.or_else(|| settings.region.clone()) {
        Some(region) => region,
        None => found_region().await,
    };
    config = config.region(Region::new(region.clone()));
    let credentials = credentials(settings, &region).await?;
    config = match &credentials {
        Some(credentials) => config.credentials_provider(credentials.clone()),
        None => config.allow_no_auth(),
    };
    let signer = credentials.map(|credentials| Signer::new(credentials, region.clone()));
    let endpoint = crate::wire::endpoint(settings, &region).await;
    Ok(Clients {
        sdk: Client::from_conf(config.build()),
        wire: endpoint.map(|endpoint| Wire::new(endpoint, connector, signer)),
        region,
    })
}

/// What environment and profile say, else the region that everything but Amazon takes.
async fn found_region() -> String {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(of_providers())
        .no_credentials();
    let found = tokio::time::timeout(std::time::Duration::from_secs(3), loader.load()).await;
    let region = found
        .ok()
        .and_then(|config| config.region().map(ToString::to_string));
    region.unwrap_or_else(|| "us-east-1".to_owned())
}

async fn credentials(
    settings: &S3Builder,
    region: &str,
) -> Result<Option<SharedCredentialsProvider>> {
    match &settings.access {
        Access::Anonymous => Ok(None),
        Access::Keys {
            access_key_id,
            secret_access_key,
            session_token,
        } => {
            let keys = Credentials::new(
                access_key_id,
                secret_access_key,
                session_token.clone(),
                None,
                "omnistorage",
            );
            Ok(Some(SharedCredentialsProvider::new(keys)))
        }
        Access::Chain => from_chain(region).await.map(Some),
    }
}

/// The SDK's chain, asked once so that credentials that are missing show at once.
async fn from_chain(region: &str) -> Result<SharedCredentialsProvider> {
    let missing = |why: String| {
        let message = format!(
            "no credentials were found ({why}): give access_key_id and secret_access_key, \
             anonymous=true, or set up the environment or a profile"
        );
        Error::new(ErrorKind::PermissionDenied, message)
    };
    let asked = async {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(of_providers())
            .region(Region::new(region.to_owned()))
            .load()
            .await;
        let provider = config
            .credentials_provider()
            .ok_or_else(|| missing("no provider".to_owned()))?;
        let found = provider.provide_credentials().await;
        found.map_err(|error| missing(error.to_string()))?;
        Ok(provider)
    };
    tokio::time::timeout(std::time::Duration::from_secs(6), asked)
        .await
        .map_err(|_| missing("no provider answered within 6 s".to_owned()))?
}
