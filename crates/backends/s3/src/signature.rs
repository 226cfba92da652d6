use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::config::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use storage_core::HashType;
use storage_hash::Hasher;

use crate::failure::Failure;

/// Credentials are asked for anew this long before they end.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// What a signature says of the content of a request.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// There is none.
    Empty,
    /// Nothing.
    Unsigned,
    /// Its SHA-256 in hexadecimal digits.
    Sha256(String),
}

impl Payload {
    /// That of the pieces, if it is `signed`.
    pub(crate) fn of(pieces: &[Bytes], signed: bool) -> Self {
        if !signed {
            return Self::Unsigned;
        }
        let mut hasher = Hasher::new(HashType::Sha256.into());
        pieces.iter().for_each(|piece| hasher.update(piece));
        match hasher.finish().get_hex(HashType::Sha256) {
            Some(hex) => Self::Sha256(hex),
            None => Self::Unsigned,
        }
    }

    fn signable(&self) -> SignableBody<'_> {
        match self {
            Self::Empty => SignableBody::Bytes(&[]),
            Self::Unsigned => SignableBody::UnsignedPayload,
            Self::Sha256(hex) => SignableBody::Precomputed(hex.clone()),
        }
    }
}

/// Signs requests by version 4 of Amazon's signatures.
pub(crate) struct Signer {
    provider: SharedCredentialsProvider,
    region: String,
    settings: SigningSettings,
    known: RwLock<Option<Identity>>,
    /// Held by the one that asks for credentials.
    asking: tokio::sync::Mutex<()>,
}

impl Signer {
    pub(crate) fn new(provider: SharedCredentialsProvider, region: String) -> Self {
        // As S3 has it: paths are taken as they are, and the digest of the content is a header.
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        Self {
            provider,
            region,
            settings,
            known: RwLock::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Adds the headers of the signature.
    pub(crate) async fn sign(
        &self,
        request: &mut HttpRequest,
        payload: &Payload,
    ) -> Result<(), Failure> {
        let identity = self.identity().await?;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(self.settings.clone())
            .build()
            .map_err(|error| Failure::local(&error))?;
        let params = SigningParams::from(params);
        let signable = SignableRequest::new(
            request.method(),
            request.uri(),
            request.headers().iter(),
            payload.signable(),
        );
        let signed = signable.and_then(|signable| sign(signable, &params));
        let (instructions, _) = signed.map_err(|error| Failure::local(&error))?.into_parts();
        for header in instructions.into_parts().0 {
            let (name, value) = (header.name(), header.value().to_owned());
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// Credentials that are good for a while.
    async fn identity(&self) -> Result<Identity, Failure> {
        if let Some(known) = self.known(BEFORE_EXPIRY) {
            return Ok(known);
        }
        let _asking = self.asking.lock().await;
        if let Some(known) = self.known(BEFORE_EXPIRY) {
            return Ok(known);
        }
        match self.provider.provide_credentials().await {
            Ok(found) => {
                let found = Identity::from(found);
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                *known = Some(found.clone());
                Ok(found)
            }
            // Those that end soon are better than none.
            Err(error) => self
                .known(Duration::ZERO)
                .ok_or_else(|| Failure::no_credentials(&error)),
        }
    }

    /// The credentials at hand, if they are good for at least that long.
    fn known(&self, long: Duration) -> Option<Identity> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let good = |expiry: SystemTime| SystemTime::now() + long < expiry;
        known
            .as_ref()
            .filter(|known| known.expiration().is_none_or(good))
            .cloned()
    }
}
