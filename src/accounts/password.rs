//! Changing one's own password: the only thing that a provisional one is good for (iam 3.7).

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::iam::AccountsError;
use crate::secret::Secret;

use super::Service;
use super::admission::address;
use super::admission::origin;
use super::error::Problem;
use super::error::Refusal;
use super::login::given;
use super::login::refused;
use super::login::username_of;
use super::request::read_form;

/// Takes a user name, its password and the next one. Whoever has a session by the old one must log in again.
pub(super) async fn change(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let form = read_form(&parts, body).await?;
    let username = username_of(&form)?;
    let (old, new) = (given(&form, "password")?, given(&form, "newPassword")?);
    let origin = origin(&parts);
    let from = (address(&origin)?, &origin);
    let holder = service
        .authenticator
        .authenticate_holder(&username, &Secret::new(old), from)
        .await
        .map_err(refused)?;
    // Told to the holder alone.
    if old == new {
        let problem = Problem::new("invalid_field", "is the password that it shall replace");
        return Err(Refusal::malformed(problem.at("/newPassword")));
    }
    let (accounts, new) = (&service.accounts, Secret::new(new));
    let changed = accounts.change_own_password(&holder, new, origin.clone());
    match changed.await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        // The form's name for it is another.
        Err(AccountsError::InvalidField { problem, .. }) => {
            let problem = Problem::new("invalid_field", problem).at("/newPassword");
            Err(Refusal::malformed(problem))
        }
        Err(error) => Err(error.into()),
    }
}
