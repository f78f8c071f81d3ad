//! One thing that can be asked for.

use super::Schema;

/// One method of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, its variable parts in braces.
    pub path: &'static str,
    /// Its name, unique in a document.
    pub id: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Who may ask.
    pub access: Access,
    /// Parameters of the query, none of which must be given.
    pub query: &'static [&'static str],
    /// What the request's body is.
    pub body: Body,
    /// The status of success.
    pub success: u16,
    /// What the answer's body is then; `None` for no body.
    pub answer: Option<&'static Schema>,
    /// The statuses of failure, beside those that every operation has.
    pub failures: &'static [u16],
}

impl Operation {
    /// A page that everybody may read; path, name and summary are filled in.
    pub const OPEN_PAGE: Self = Self {
        method: Method::Get,
        path: "",
        id: "",
        summary: "",
        access: Access::Open,
        query: &[],
        body: Body::None,
        success: 200,
        answer: None,
        failures: &[],
    };
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `DELETE`.
    Delete,
    /// `GET`.
    Get,
    /// `PATCH`.
    Patch,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever shows a bearer token, or has a client certificate.
    Bearer,
    /// Whose connection has a client certificate.
    Certificate,
    /// Whoever shows a bearer token, or a client that shows its secret.
    Client,
    /// Everybody.
    Open,
    /// As [`Access::Bearer`], with the tenant named.
    Tenant,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A form, which must be there.
    Form(&'static Schema),
    /// A JSON object, which must be there.
    Json(&'static Schema),
    /// None; one that comes is not looked at.
    None,
    /// A JSON object that may be left out.
    Optional(&'static Schema),
    /// A file of one of these media types.
    Raw(&'static [&'static str]),
}

impl Method {
    /// As a request has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl Body {
    /// Its form.
    pub const fn schema(self) -> Option<&'static Schema> {
        match self {
            Self::Form(schema) | Self::Json(schema) | Self::Optional(schema) => Some(schema),
            Self::None | Self::Raw(_) => None,
        }
    }
}
