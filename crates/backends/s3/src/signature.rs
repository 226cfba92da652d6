use std::sync::atomic::{AtomicI64, Ordering};
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
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use storage_core::HashType;
use storage_hash::Hasher;

use crate::failure::Failure;

/// Credentials are asked for anew this long before they end.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// Credentials that do not say when they end are asked for again after this time.
const UNTOLD: Duration = Duration::from_secs(15 * 60);

/// How long a provider is given, and how long it is left alone when it failed.
const PROVIDER: Duration = Duration::from_secs(5);

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
    known: RwLock<Option<Known>>,
    /// Held by the one that asks for credentials.
    asking: tokio::sync::Mutex<()>,
    /// Seconds by which the store's clock is ahead of this one.
    ahead: AtomicI64,
}

/// Credentials at hand.
#[derive(Clone)]
struct Known {
    identity: Identity,
    /// When to ask again.
    again: SystemTime,
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
            ahead: AtomicI64::new(0),
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
            .time(self.now())
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

    /// Takes the store's time from a reply that refused this one's; false where it tells none that is
    /// another.
    pub(crate) fn follow_clock(&self, date: Option<&str>) -> bool {
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let (Some(date), Ok(now)) = (date, now) else {
            return false;
        };
        let ahead = date.secs().saturating_sub_unsigned(now.as_secs());
        let before = self.ahead.swap(ahead, Ordering::Relaxed);
        ahead.abs_diff(before) > 60
    }

    /// The time, by the store's clock.
    fn now(&self) -> SystemTime {
        let now = SystemTime::now();
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        let moved = match ahead < 0 {
            true => now.checked_sub(by),
            false => now.checked_add(by),
        };
        moved.unwrap_or(now)
    }

    /// Credentials that are good for a while.
    async fn identity(&self) -> Result<Identity, Failure> {
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        let _asking = self.asking.lock().await;
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        let asked = tokio::time::timeout(PROVIDER, self.provider.provide_credentials()).await;
        let error = match asked {
            Ok(Ok(found)) => {
                let identity = Identity::from(found);
                let again = match identity.expiration() {
                    Some(end) => end.checked_sub(BEFORE_EXPIRY).unwrap_or(end),
                    None => SystemTime::now() + UNTOLD,
                };
                self.keep(identity.clone(), again);
                return Ok(identity);
            }
            Ok(Err(error)) => Failure::no_credentials(&error),
            Err(late) => Failure::no_credentials(&late),
        };
        // Those that end soon are better than none.
        let last = self.known().map(|known| known.identity);
        let good = |end: SystemTime| SystemTime::now() < end;
        let last = last.filter(|last| last.expiration().is_none_or(good));
        let last = last.ok_or(error)?;
        self.keep(last.clone(), SystemTime::now() + PROVIDER);
        Ok(last)
    }

    /// The credentials at hand, until they are to be asked for again.
    fn fresh(&self) -> Option<Identity> {
        let known = self.known()?;
        (SystemTime::now() < known.again).then_some(known.identity)
    }

    fn known(&self) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    fn keep(&self, identity: Identity, again: SystemTime) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Known { identity, again });
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::Credentials;

    use super::*;

    fn signer(end: Option<SystemTime>) -> Signer {
        let keys = Credentials::new("key", "secret", None, end, "test");
        Signer::new(SharedCredentialsProvider::new(keys), "us-east-1".to_owned())
    }

    #[test]
    fn the_clock_of_the_store_is_followed_once_it_is_told() {
        let signer = signer(None);
        assert!(!signer.follow_clock(None) && !signer.follow_clock(Some("yesterday")));
        let time = SystemTime::now() - Duration::from_secs(7200);
        let date = DateTime::from(time).fmt(Format::HttpDate).unwrap();
        assert!(signer.follow_clock(Some(&date)));
        let behind = SystemTime::now().duration_since(signer.now()).unwrap();
        assert!((7195..=7205).contains(&behind.as_secs()), "{behind:?}");
        // The same refusal again is not for the clock.
        assert!(!signer.follow_clock(Some(&date)));
    }

    #[tokio::test]
    async fn credentials_are_kept_until_shortly_before_their_end() {
        let minutes = |count: u64| SystemTime::now() + Duration::from_secs(60 * count);
        for (end, kept) in [
            (None, true),
            (Some(minutes(30)), true),
            (Some(minutes(1)), false),
        ] {
            let signer = signer(end);
            assert!(signer.fresh().is_none());
            assert!(signer.identity().await.is_ok());
            assert_eq!(signer.fresh().is_some(), kept, "{end:?}");
        }
    }
}
