//! Our errors as gRPC statuses: canonical codes in the trailers, with a message that gives context (gNMI spec 2.5).

use http::Response;
use tonic::Code;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataValue;

use crate::iam::AuthError;
use crate::iam::End;
use crate::iam::NotPermitted;
use crate::iam::PatId;
use crate::iam::RegistryError;
use crate::model::Class;
use crate::model::Serial;
use crate::telemetry::Overrun;

use super::error::Error;

/// The code of a fault class (gNMI spec 2.5, 3.4.7).
pub(super) const fn code(class: Class) -> Code {
    match class {
        Class::Conflict => Code::Aborted,
        Class::Denied => Code::PermissionDenied,
        Class::Internal => Code::Internal,
        Class::Malformed => Code::InvalidArgument,
        Class::NotFound => Code::NotFound,
        Class::Throttled | Class::TooLarge => Code::ResourceExhausted,
        Class::Unauthenticated => Code::Unauthenticated,
        Class::Unavailable => Code::Unavailable,
        Class::Unsupported => Code::Unimplemented,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = match &error {
            // Something else in the datastore stands in the way; with it gone, the same request is right.
            Error::Refused { source, .. } if source.is_precondition() => Code::FailedPrecondition,
            _ => code(error.class()),
        };
        Self::new(code, error.to_string())
    }
}

/// A refused credential. Only who holds a real one is told what is wrong with it.
pub(super) fn refused(error: AuthError) -> Status {
    let mut status = Status::new(code(error.class()), error.to_string());
    if error.is_telling() {
        annotate(&mut status, error.reason(), error.token(), error.serial());
    }
    if let Some(wait) = error.retry_after() {
        let metadata = status.metadata_mut();
        metadata.insert("retry-after", MetadataValue::from(wait.as_secs().max(1)));
    }
    status
}

/// A missing right.
pub(super) fn not_permitted(error: NotPermitted) -> Status {
    match error {
        NotPermitted::Denied(denied) => {
            let mut status = Status::new(code(denied.class()), denied.to_string());
            annotate(&mut status, denied.reason(), None, None);
            status
        }
        NotPermitted::Auth(error) => refused(error),
    }
}

/// A session that ended before its peer was done (iam R5).
pub(super) fn ended(end: End) -> Status {
    let mut status = Status::new(code(end.reason.class()), end.reason.to_string());
    annotate(&mut status, end.reason.as_str(), end.token, end.certificate);
    status
}

/// A session that did not start.
pub(super) fn not_opened(error: RegistryError) -> Status {
    match error {
        RegistryError::Ended(end) => ended(end),
        other => Status::new(code(other.class()), other.to_string()),
    }
}

/// A subscriber that read too little for too long.
pub(super) fn overrun(overrun: Overrun) -> Status {
    Status::resource_exhausted(overrun.to_string())
}

/// A message that gRPC could not decode. tonic says OUT_OF_RANGE of one that is too large, where clients know
/// RESOURCE_EXHAUSTED, and INTERNAL of one that is no protobuf, which is the client's fault.
pub(super) fn undecodable(status: Status) -> Status {
    match status.code() {
        Code::OutOfRange => Status::resource_exhausted(status.message()),
        Code::Internal if status.message().starts_with(NO_PROTOBUF) => {
            Status::invalid_argument(status.message())
        }
        _ => status,
    }
}

/// The same for a response that tonic has made of its own accord.
pub(super) fn with_our_codes(response: Response<Body>) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if matches!(status.code(), Code::OutOfRange | Code::Internal) => {
            undecodable(status).into_http()
        }
        _ => response,
    }
}

fn annotate(
    status: &mut Status,
    reason: &'static str,
    token: Option<PatId>,
    certificate: Option<Serial>,
) {
    let metadata = status.metadata_mut();
    metadata.insert("x-auth-reason", MetadataValue::from_static(reason));
    if let Some(token) = token
        && let Ok(token) = token.to_string().parse()
    {
        metadata.insert("x-token-id", token);
    }
    if let Some(serial) = certificate
        && let Ok(serial) = serial.to_string().parse()
    {
        metadata.insert("x-certificate-serial", serial);
    }
}

/// How prost begins what it says of a message that it cannot read.
const NO_PROTOBUF: &str = "failed to decode Protobuf message";
