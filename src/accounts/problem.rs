//! What is wrong with a request, and where.

use std::borrow::Cow;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) detail: Cow<'static, str>,
    pub(super) source: Option<Source>,
}

/// Where in the request.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Header(&'static str),
    Parameter(String),
    Pointer(String),
}

impl Problem {
    pub(super) fn new(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            source: None,
        }
    }

    /// In a member of the body.
    pub(super) fn at(self, pointer: impl Into<String>) -> Self {
        self.from(Source::Pointer(pointer.into()))
    }

    /// In a parameter of the query or the path.
    pub(super) fn of(self, parameter: &str) -> Self {
        self.from(Source::Parameter(parameter.to_owned()))
    }

    pub(super) fn from(self, source: Source) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }
}
