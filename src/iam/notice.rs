//! What somebody outside should hear of: tokens that end.

use tokio::sync::broadcast;

use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::PatId;

/// A token ends soon, or has ended. Of all gateways on one store, one tells it, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When it was told.
    pub at: Timestamp,
    /// The tenant.
    pub tenant: TenantId,
    /// Whose token it is.
    pub account: AccountId,
    /// The account's name.
    pub username: String,
    /// The token.
    pub token: PatId,
    /// Its name.
    pub name: String,
    /// Who issued it; `None` is the local operator.
    pub created_by: Option<AccountId>,
    /// When it ends.
    pub expires: Expiry,
    /// Within how many days that is; 0 when it has ended.
    pub days: u32,
}

/// Hands out notices, and waits for nobody: who reads too slowly loses the oldest, and is told how many.
#[derive(Clone, Debug)]
pub(crate) struct Notices(broadcast::Sender<Notice>);

impl Notices {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    pub(crate) fn tell(&self, notice: Notice) {
        // Nobody need listen.
        let _ = self.0.send(notice);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Notice> {
        self.0.subscribe()
    }
}

/// Notices that wait for a slow reader: some hundred kilobytes.
const KEPT: usize = 1_024;
