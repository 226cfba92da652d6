//! Sends the requests that come by the thousand.
//!
//! What they say and what replies mean is the SDK's: its serializers, deserializers, endpoint rules,
//! credentials, signatures and connections. Only its orchestration between these is left out, which
//! costs more than all the rest of a small request and finds the same answers again each time.

use aws_sdk_s3::config::endpoint::{DefaultResolver, Endpoint, Params, ResolveEndpoint};
use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse as _, SerializeRequest as _, SharedRequestSerializer,
    SharedResponseDeserializer,
};
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;

use crate::S3Builder;
use crate::client::{USER_AGENT, path_style};
use crate::failure::Failure;
use crate::request::Request;
use crate::signature::{Payload, Signer};

/// How the backend's requests reach the store.
pub(crate) struct Wire {
    endpoint: String,
    connector: SharedHttpConnector,
    /// None where nothing is signed.
    signer: Option<Signer>,
}

/// The URL of the bucket as the SDK's rules have it; none where requests to it take more than an
/// ordinary signature, as for buckets of S3 Express.
pub(crate) async fn endpoint(settings: &S3Builder, region: &str) -> Option<String> {
    let params = Params::builder()
        .bucket(&settings.bucket)
        .region(region)
        .set_endpoint(settings.endpoint.clone())
        .force_path_style(path_style(settings))
        .build()
        .ok()?;
    let rules = DefaultResolver::new();
    let found = ResolveEndpoint::resolve_endpoint(&rules, &params).await;
    let found = found.ok()?;
    is_ordinary(&found, region).then(|| found.url().to_owned())
}

impl Wire {
    pub(crate) fn new(
        endpoint: String,
        connector: SharedHttpConnector,
        signer: Option<Signer>,
    ) -> Self {
        Self {
            endpoint,
            connector,
            signer,
        }
    }

    /// Sends one request, once, and gives what the reply says.
    pub(crate) async fn send<R: Request>(
        &self,
        request: R,
        payload: &Payload,
    ) -> Result<R::Output, Failure> {
        let (encoder, decoder) = coders::<R>()?;
        let request = self.prepared(encoder, request, payload).await?;
        let reply = self.connector.call(request).await;
        let mut reply = reply.map_err(|error| Failure::undelivered(&error))?;
        keep_expiry(&mut reply);
        let bag = ConfigBag::base();
        let output = match decoder.deserialize_streaming_with_config(&mut reply, &bag) {
            Some(output) => output,
            None => {
                load(&mut reply).await?;
                decoder.deserialize_nonstreaming_with_config(&reply, &bag)
            }
        };
        let output = output.map_err(|error| match error.as_operation_error() {
            Some(error) => {
                let meta = error.downcast_ref::<R::Error>().map(|error| error.meta());
                let code = meta.and_then(|meta| meta.code()).unwrap_or_default();
                let message = meta.and_then(|meta| meta.message()).unwrap_or_default();
                self.refused(&reply, code, message)
            }
            None => Failure::unreadable(&reply, &error),
        })?;
        let odd = |_| Failure::stalled("the SDK read the reply of another request");
        output.downcast::<R::Output>().map_err(odd)
    }

    /// A request that the store refused. One whose time it took for wrong is worth another try, at its
    /// own time.
    fn refused(&self, reply: &HttpResponse, code: &str, message: &str) -> Failure {
        let mut failure = Failure::answered(reply, code, message);
        if let ("RequestTimeTooSkewed", Some(signer)) = (code, &self.signer)
            && signer.follow_clock(reply.headers().get("date"))
        {
            failure.error = failure.error.with_transient(true);
        }
        failure
    }

    async fn prepared<R: Request>(
        &self,
        encoder: &SharedRequestSerializer,
        request: R,
        payload: &Payload,
    ) -> Result<HttpRequest, Failure> {
        let input = request.input().map_err(|error| Failure::local(&error))?;
        let encoded = encoder.serialize_input(input, &mut ConfigBag::base());
        let mut request = encoded.map_err(|error| Failure::local(&error))?;
        let placed = request.uri_mut().set_endpoint(&self.endpoint);
        placed.map_err(|error| Failure::local(&error))?;
        request.headers_mut().insert("user-agent", USER_AGENT);
        if let Some(signer) = &self.signer {
            signer.sign(&mut request, payload).await?;
        }
        Ok(request)
    }
}

type Coders = (
    &'static SharedRequestSerializer,
    &'static SharedResponseDeserializer,
);

fn coders<R: Request>() -> Result<Coders, Failure> {
    let coders = R::codec().and_then(|codec| {
        let encoder = codec.load::<SharedRequestSerializer>()?;
        Some((encoder, codec.load::<SharedResponseDeserializer>()?))
    });
    coders.ok_or_else(|| Failure::local("the SDK has no such request"))
}

/// Whether requests take the signature of version 4 for the region.
fn is_ordinary(endpoint: &Endpoint, region: &str) -> bool {
    let of_region = |name: Option<&str>, signed_for: Option<&str>, service: Option<&str>| {
        name == Some("sigv4")
            && signed_for.is_none_or(|found| found == region)
            && service.is_none_or(|service| service == "s3")
    };
    if endpoint.headers().next().is_some() {
        return false;
    }
    if let Some(scheme) = endpoint.auth_schemes().first() {
        let text = |name| scheme.get(name).and_then(|text| text.as_string());
        return of_region(
            Some(scheme.name()),
            text("signingRegion"),
            text("signingName"),
        );
    }
    let listed = endpoint.properties().get("authSchemes");
    let Some(listed) = listed.and_then(|schemes| schemes.as_array()) else {
        return true;
    };
    let first = listed.first().and_then(|scheme| scheme.as_object());
    first.is_some_and(|scheme| {
        let text = |name| scheme.get(name).and_then(|text| text.as_string());
        of_region(text("name"), text("signingRegion"), text("signingName"))
    })
}

/// Takes the body of a reply into memory: a listing, an error.
async fn load(reply: &mut HttpResponse) -> Result<(), Failure> {
    let body = std::mem::replace(reply.body_mut(), SdkBody::taken());
    let bytes = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => {
            let all = ByteStream::new(body).collect().await;
            all.map_err(|error| Failure::unreadable(reply, &error))?
                .into_bytes()
        }
    };
    *reply.body_mut() = SdkBody::from(bytes);
    Ok(())
}

/// The SDK reads `Expires` as a date, and as it stands under a name of its own.
fn keep_expiry(reply: &mut HttpResponse) {
    let Some(text) = reply.headers().get("expires").map(str::to_owned) else {
        return;
    };
    if DateTime::from_str(&text, Format::HttpDate).is_err() {
        reply.headers_mut().remove("expires");
    }
    reply.headers_mut().insert("expiresstring", text);
}
