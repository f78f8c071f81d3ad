//! The three places where settings are given.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// Unparsed settings of all kinds. Tests and commands fill it in; nothing is checked yet.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(super) file: Option<File>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) flags: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) name: Arc<str>,
    pub(super) text: String,
}

/// The configuration file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read configuration file {path}")]
pub struct ReadError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Sources {
    /// Nothing but defaults.
    pub const fn new() -> Self {
        Self {
            file: None,
            environment: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// Adds TOML text, named `name` in messages.
    #[must_use]
    pub fn with_text(mut self, name: &str, text: &str) -> Self {
        self.file = Some(File {
            name: Arc::from(name),
            text: text.to_owned(),
        });
        self
    }

    /// Adds the content of a TOML file.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the file cannot be read, is not UTF-8, or is larger than 1 MiB.
    pub fn with_file(self, path: &Path) -> Result<Self, ReadError> {
        let failed = |source| ReadError {
            path: path.to_owned(),
            source,
        };
        let size = std::fs::metadata(path).map_err(failed)?.len();
        if size > MAX_FILE_BYTES {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Ok(self.with_text(&path.display().to_string(), &text))
    }

    /// Adds environment variables; those of other programs are left alone later.
    #[must_use]
    pub fn with_environment(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let ours = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX));
        self.environment.extend(ours);
        self
    }

    /// Adds the environment of this process. Variables that are not UTF-8 are left out.
    #[must_use]
    pub fn with_process_environment(self) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        self.with_environment(variables)
    }

    /// Adds a flag: a key such as `gateway.listen` and its value as text. A later one of the same key wins.
    #[must_use]
    pub fn with_flag(mut self, key: &str, value: &str) -> Self {
        self.flags.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// The environment variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// What the variables of this program start with.
pub(super) const PREFIX: &str = "TOLLGATE_";

/// A configuration with ten thousand measurement sessions is about as large.
const MAX_FILE_BYTES: u64 = 1 << 20;
