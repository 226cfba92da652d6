use std::sync::OnceLock;

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
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use storage_core::{Error, ErrorKind, Result};

use crate::S3Builder;
use crate::settings::Access;

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
        let agent = concat!("omnistorage/", env!("CARGO_PKG_VERSION"));
        context
            .request_mut()
            .headers_mut()
            .insert("user-agent", agent);
        Ok(())
    }
}

/// One pool of connections for everything that a backend asks.
fn connections() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .pool_max_idle_per_host(64)
        .build_https()
}

/// The client of one backend in `region`, and the region.
///
/// Retries and idle timeouts are the backend's own, for only it knows what may be repeated.
pub(crate) async fn client(
    settings: &S3Builder,
    region: Option<String>,
) -> Result<(Client, String)> {
    let connections = connections();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.connect_timeout)
        .build();
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(connections.clone())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .endpoint_resolver(OneEndpoint::default())
        .interceptor(UserAgent)
        .force_path_style(settings.path_style.unwrap_or(settings.endpoint.is_some()));
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint);
    }
    let region = match region.or_else(|| settings.region.clone()) {
        Some(region) => region,
        None => found_region(&connections).await,
    };
    config = config.region(Region::new(region.clone()));
    config = match credentials(settings, connections, &region).await? {
        Some(credentials) => config.credentials_provider(credentials),
        None => config.allow_no_auth(),
    };
    Ok((Client::from_conf(config.build()), region))
}

/// What environment and profile say, else the region that everything but Amazon takes.
async fn found_region(connections: &SharedHttpClient) -> String {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(connections.clone())
        .no_credentials();
    let found = tokio::time::timeout(std::time::Duration::from_secs(3), loader.load()).await;
    let region = found
        .ok()
        .and_then(|config| config.region().map(ToString::to_string));
    region.unwrap_or_else(|| "us-east-1".to_owned())
}

async fn credentials(
    settings: &S3Builder,
    connections: SharedHttpClient,
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
        Access::Chain => from_chain(connections, region).await.map(Some),
    }
}

/// The SDK's chain, asked once so that credentials that are missing show at once.
async fn from_chain(
    connections: SharedHttpClient,
    region: &str,
) -> Result<SharedCredentialsProvider> {
    let missing = |why: String| {
        let message = format!(
            "no credentials were found ({why}): give access_key_id and secret_access_key, \
             anonymous=true, or set up the environment or a profile"
        );
        Error::new(ErrorKind::PermissionDenied, message)
    };
    let asked = async {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(connections)
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
