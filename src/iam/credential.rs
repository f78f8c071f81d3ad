//! What a peer presents.

use std::sync::Arc;

use crate::model::ClientCertificate;
use crate::secret::Secret;

/// What a peer presents to be let in, as it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A bearer token.
    Bearer(Secret),
    /// A certificate that the TLS layer has verified, shown on the connection that carries the request.
    Certificate(Arc<ClientCertificate>),
    /// A user name and a password; the password may be a PAT (iam 2.6).
    Password {
        /// `user` or `user@tenant`; with a PAT also `token`.
        username: String,
        /// The password.
        password: Secret,
    },
}
