//! Who asks: a client with its secret, or the holder of a token.

use crate::iam::Client;
use crate::secret::Secret;

use super::Service;
use super::error::Error;
use super::request::Authorization;
use super::request::Form;
use super::request::Incoming;

impl Service {
    /// The client of a request: by its header, or else by its form (RFC 6749 2.3). `None` when it names none.
    pub(super) async fn client(
        &self,
        incoming: &Incoming,
        form: &Form,
    ) -> Result<Option<Client>, Error> {
        let (id, secret) = match (&incoming.authorization, form.get("client_secret")) {
            (Some(_), Some(_)) => {
                let problem = "client authenticates in two ways at once";
                return Err(Error::InvalidRequest(problem));
            }
            (Some(Authorization::Basic(id, secret)), None) => {
                // What the form adds must be the same (RFC 6749 3.2.1).
                if form.get("client_id").is_some_and(|other| other != id) {
                    return Err(Error::InvalidRequest("client_id is another in the header"));
                }
                (id.as_str(), secret.clone())
            }
            (Some(Authorization::Bearer(_)), None) => return Err(Error::InvalidClient),
            (None, Some(secret)) => {
                let id = form.require("client_id", "client_id is missing")?;
                (id, Secret::new(secret))
            }
            (None, None) => return Ok(None),
        };
        self.authenticator
            .authenticate_client(id, &secret, incoming.source())
            .await
            .map(Some)
            .map_err(|error| Error::of_auth(error, Error::InvalidClient))
    }
}
