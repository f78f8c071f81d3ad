//! Walking the whole chain, a page at a time.

use super::Beginning;
use super::Hash;
use super::Link;
use super::Log;
use super::LogError;
use super::chain::verify;

/// A chain that holds from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Where it begins.
    pub beginning: Beginning,
    /// The number of its newest event.
    pub seq: u64,
    /// The newest event's hash. Whoever keeps it elsewhere can tell later whether the end was cut off.
    pub hash: Hash,
}

/// Why a chain was not found to hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// An event was changed, moved, or stands after a gap.
    #[error("audit chain is broken at event {}", .0.seq)]
    Broken(Box<Link>),
    /// The store does not answer.
    #[error("audit store is unavailable")]
    Unavailable,
}

impl From<LogError> for VerifyError {
    fn from(_: LogError) -> Self {
        Self::Unavailable
    }
}

/// Checks every event that is stored. Holds one page at a time, and lets others write meanwhile.
///
/// # Errors
///
/// [`VerifyError::Broken`] has the first event that does not fit.
pub async fn verify_all(log: &dyn Log) -> Result<Verified, VerifyError> {
    let mut beginning = log.beginning().await?;
    let (mut seq, mut hash) = (beginning.seq, beginning.hash);
    loop {
        let page = log.links(seq, PAGE).await?;
        match verify(&page, seq, hash) {
            Ok(reached) => (seq, hash) = reached,
            Err(broken) => {
                let now = log.beginning().await?;
                // The retention has removed events from under the walk: it goes on where they begin now.
                if now.seq > seq {
                    (beginning, seq, hash) = (now, now.seq, now.hash);
                    continue;
                }
                let entry = page.into_iter().find(|link| link.seq == broken.seq);
                return Err(entry.map_or(VerifyError::Unavailable, |entry| {
                    VerifyError::Broken(Box::new(entry))
                }));
            }
        }
        if page.len() < PAGE as usize {
            return Ok(Verified {
                beginning,
                seq,
                hash,
            });
        }
    }
}

/// Events in memory at once: about half a megabyte.
const PAGE: u32 = 1_000;
