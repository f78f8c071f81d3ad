//! What a visitor of the demo needs to know, and the file that keeps it for scripts.

use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

/// The content of `<data-dir>/demo.json`. It holds a token and a password: the file is readable by its owner alone.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Facts {
    /// The gateway, `host:port`.
    pub(super) gateway: String,
    /// The IAM API, `host:port`.
    pub(super) iam: String,
    /// Metrics and health, `host:port`, plain HTTP.
    pub(super) admin: String,
    /// The certificate to trust.
    pub(super) ca_file: PathBuf,
    /// Where store, certificates and this file lie.
    pub(super) data_dir: PathBuf,
    /// Whose data the demo shows.
    pub(super) tenant: String,
    /// A PAT of the service account `demo-export`.
    pub(super) token: String,
    /// A person with the role skylight-admin.
    pub(super) admin_username: String,
    /// That person's password.
    pub(super) admin_password: String,
    /// The id of `demo-export`.
    pub(super) machine_user_id: String,
    /// The id of the PAT.
    pub(super) credential_id: String,
}

impl Facts {
    /// Where the facts of a data directory lie.
    pub(super) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("demo.json")
    }

    /// Reads the facts of an earlier run; `None` when there was none or its file is of another form.
    pub(super) fn load(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(data_dir)).ok()?).ok()
    }

    /// Writes the facts, replacing earlier ones in one step.
    pub(super) fn save(&self, data_dir: &Path) -> io::Result<()> {
        let path = Self::path(data_dir);
        let fresh = path.with_extension("json.new");
        // A left-over of an interrupted run may have wider rights than this one may have.
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(OWNER_ONLY)
            .open(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(fresh, path)
    }
}

const OWNER_ONLY: u32 = 0o600;
