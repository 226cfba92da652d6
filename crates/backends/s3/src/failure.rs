use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use storage_core::{Error, ErrorKind};

/// What is certain of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The store did nothing, or never heard of it.
    NotDone,
    /// It may have happened.
    Unknown,
}

/// A request that failed: the error, and what decides on what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// The status of the reply; 0 without a reply.
    pub(crate) status: u16,
    /// The store's name of the error; may be empty, as for `HEAD`.
    pub(crate) code: String,
    pub(crate) certainty: Certainty,
    /// Whether an attempt before this one may have done what was asked.
    pub(crate) after_unknown: bool,
    /// The region that the store named.
    pub(crate) region: Option<String>,
}

impl Failure {
    /// Whether a condition of the request did not hold.
    pub(crate) fn is_condition(&self) -> bool {
        self.status == 412 || self.is_conflict()
    }

    /// Whether two conditional requests came at the same time, so that neither was judged.
    pub(crate) fn is_conflict(&self) -> bool {
        self.status == 409
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.status == 404 && self.code != "NoSuchBucket"
    }

    pub(crate) fn stalled(what: &'static str) -> Self {
        Self::without_reply(ErrorKind::Timeout, what.to_owned(), Certainty::Unknown)
    }

    /// A reply that contradicts itself or what was asked for.
    pub(crate) fn misled(what: &'static str) -> Self {
        Self::without_reply(ErrorKind::Corrupt, what.to_owned(), Certainty::NotDone)
    }

    /// A request that could not be made, or a reply that is none of its.
    pub(crate) fn local(what: &(impl ToString + ?Sized)) -> Self {
        Self::without_reply(ErrorKind::Other, what.to_string(), Certainty::NotDone)
    }

    pub(crate) fn no_credentials(error: &dyn std::error::Error) -> Self {
        let message = format!("no credentials: {}", chain(error));
        Self::without_reply(ErrorKind::PermissionDenied, message, Certainty::NotDone)
    }

    /// A reply that says why the request failed.
    pub(crate) fn answered(reply: &HttpResponse, code: &str, message: &str) -> Self {
        answered(reply, code, message)
    }

    /// A reply that was cut, or that says nothing that can be understood.
    pub(crate) fn unreadable(reply: &HttpResponse, error: &dyn std::error::Error) -> Self {
        if !reply.status().is_success() {
            return answered(reply, "", "");
        }
        let message = format!("the reply was cut or not understood: {}", chain(error));
        Self::without_reply(ErrorKind::Network, message, Certainty::Unknown)
    }

    /// A request without a reply.
    pub(crate) fn undelivered(error: &ConnectorError) -> Self {
        lost(chain(error), error.is_timeout(), error.is_user())
    }

    fn without_reply(kind: ErrorKind, message: String, certainty: Certainty) -> Self {
        Self {
            error: Error::new(kind, message),
            status: 0,
            code: String::new(),
            certainty,
            after_unknown: false,
            region: None,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(context) => {
                let meta = context.err();
                let (code, message) = (meta.code(), meta.message());
                answered(context.raw(), code.unwrap_or(""), message.unwrap_or(""))
            }
            SdkError::ResponseError(context) => Self::unreadable(context.raw(), &error),
            SdkError::TimeoutError(_) => {
                let message = "the request took too long".to_owned();
                Self::without_reply(ErrorKind::Timeout, message, Certainty::Unknown)
            }
            SdkError::DispatchFailure(dispatch) => {
                let text = chain(&error);
                if lacks_credentials(&text) {
                    let kind = ErrorKind::PermissionDenied;
                    return Self::without_reply(kind, NO_CREDENTIALS.into(), Certainty::NotDone);
                }
                lost(text, dispatch.is_timeout(), dispatch.is_user())
            }
            _ => {
                let text = chain(&error);
                let (kind, text) = if lacks_credentials(&text) {
                    (ErrorKind::PermissionDenied, NO_CREDENTIALS.to_owned())
                } else {
                    (ErrorKind::Other, text)
                };
                Self::without_reply(kind, text, Certainty::NotDone)
            }
        }
    }
}

/// What is known of a request that got no reply.
fn lost(text: String, timeout: bool, user: bool) -> Failure {
    let (kind, certainty) = match (timeout, user) {
        (_, true) => (ErrorKind::Other, Certainty::NotDone),
        (true, _) => (ErrorKind::Timeout, Certainty::NotDone),
        _ if text.contains("client error (Connect)") => (ErrorKind::Network, Certainty::NotDone),
        _ => (ErrorKind::Network, Certainty::Unknown),
    };
    Failure::without_reply(kind, text, certainty)
}

const NO_CREDENTIALS: &str = "no credentials were found: give access_key_id and \
     secret_access_key, anonymous=true, or set up the environment or a profile";

fn lacks_credentials(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("credential") || text.contains("identity")
}

/// The messages of an error and of what caused it, without what `Debug` would show.
fn chain(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        source = cause.source();
    }
    texts.join(": ").replace(['\n', '\r'], " ")
}

fn answered(reply: &HttpResponse, code: &str, message: &str) -> Failure {
    let status = reply.status().as_u16();
    let kind = kind_of(status, code);
    let busy = matches!(status, 429 | 503) || code == "SlowDown";
    // What goes wrong within the store, or before it, may have gone wrong after the deed.
    let unknown = status >= 500 && status != 501 && !busy || status == 408 || status < 300;
    let transient = busy || unknown || code == "RequestTimeout";
    let text = match (code, message) {
        ("", _) => format!("the store answered {status}"),
        (code, "") => format!("the store answered {status} {code}"),
        (code, message) => format!("the store answered {status} {code}: {}", one_line(message)),
    };
    Failure {
        error: Error::new(kind, text).with_transient(transient),
        status,
        code: code.to_owned(),
        certainty: if unknown {
            Certainty::Unknown
        } else {
            Certainty::NotDone
        },
        after_unknown: false,
        region: reply
            .headers()
            .get("x-amz-bucket-region")
            .map(str::to_owned),
    }
}

fn one_line(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    line.chars().take(300).collect()
}

fn kind_of(status: u16, code: &str) -> ErrorKind {
    match (status, code) {
        (_, "SlowDown" | "TooManyRequests" | "Throttling") => ErrorKind::RateLimited,
        (_, "KeyTooLongError" | "InvalidObjectName") => ErrorKind::InvalidPath,
        (_, "EntityTooLarge" | "QuotaExceeded") => ErrorKind::QuotaExceeded,
        (_, "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch") => ErrorKind::Corrupt,
        (_, "RequestTimeout") => ErrorKind::Timeout,
        (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => ErrorKind::Config,
        (_, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired") => {
            ErrorKind::PermissionDenied
        }
        (_, "NoSuchBucket") => ErrorKind::Config,
        (304, _) => ErrorKind::NotModified,
        (301 | 307, _) => ErrorKind::Config,
        (401 | 403, _) => ErrorKind::PermissionDenied,
        (404, _) => ErrorKind::NotFound,
        (408, _) => ErrorKind::Timeout,
        (409 | 412, _) => ErrorKind::PreconditionFailed,
        (416, _) => ErrorKind::InvalidRange,
        (429 | 503, _) => ErrorKind::RateLimited,
        (405 | 501, _) => ErrorKind::Unsupported,
        (500.., _) => ErrorKind::Network,
        _ => ErrorKind::Other,
    }
}
