//! Whose fault an error is: the one scale that every edge maps to its own status codes.

/// The fault classes. Each room's error answers `class()`; edges map the class to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Another writer was first, or the thing exists. gRPC ALREADY_EXISTS or ABORTED, HTTP 409.
    Conflict,
    /// Known, but not allowed. gRPC PERMISSION_DENIED, HTTP 403.
    Denied,
    /// Ours. gRPC INTERNAL, HTTP 500.
    Internal,
    /// The request cannot be understood. gRPC INVALID_ARGUMENT, HTTP 400.
    Malformed,
    /// Understood, but not there. gRPC NOT_FOUND, HTTP 404.
    NotFound,
    /// Too often. gRPC RESOURCE_EXHAUSTED, HTTP 429.
    Throttled,
    /// Too much. gRPC RESOURCE_EXHAUSTED, HTTP 413.
    TooLarge,
    /// No valid credential. gRPC UNAUTHENTICATED, HTTP 401.
    Unauthenticated,
    /// Not now. gRPC UNAVAILABLE, HTTP 503.
    Unavailable,
    /// Understood, but not offered. gRPC UNIMPLEMENTED, HTTP 501.
    Unsupported,
}
