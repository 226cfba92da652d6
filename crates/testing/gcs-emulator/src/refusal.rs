use tonic::Status;

/// Why a call is refused: an HTTP status, from which the gRPC code follows.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let make = match refusal.status {
            304 | 409 => Self::aborted,
            401 => Self::unauthenticated,
            403 => Self::permission_denied,
            404 => Self::not_found,
            412 => Self::failed_precondition,
            416 => Self::out_of_range,
            429 => Self::resource_exhausted,
            500 => Self::internal,
            501 => Self::unimplemented,
            503 => Self::unavailable,
            _ => Self::invalid_argument,
        };
        make(refusal.message)
    }
}
