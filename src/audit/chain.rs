//! The chain: every stored event carries the hash of the one before, so that a change or a gap shows (iam A1).
//!
//! It does not show that the newest links were cut off: whoever must prove that keeps the last hash elsewhere.

use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

/// SHA-256 over one link.
pub type Hash = [u8; 32];

/// One stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Counts from one, without a gap.
    pub seq: u64,
    /// The event as JSON.
    pub body: String,
    /// The hash of the link before; all zero for the first.
    pub previous: Hash,
    /// The hash of this link.
    pub hash: Hash,
}

impl Link {
    /// What others are shown: number, event, hash.
    pub fn to_members(&self) -> Map<String, Value> {
        let mut members = Map::from_iter([("seq".to_owned(), Value::from(self.seq))]);
        let body: Map<String, Value> = serde_json::from_str(&self.body).unwrap_or_default();
        members.extend(body);
        members.insert("hash".to_owned(), hex(&self.hash).into());
        members
    }
}

/// Where the chain begins: after the events that the retention has removed. All zero where it has removed none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// The number of the last event that was removed.
    pub seq: u64,
    /// Its hash, on which the oldest event that is left is built.
    pub hash: Hash,
}

/// The chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit chain is broken at event {seq}")]
pub struct Broken {
    /// The first link that does not fit.
    pub seq: u64,
}

/// The hash of a link: over its number, the hash before it and its body.
pub fn hash_of(seq: u64, previous: &Hash, body: &str) -> Hash {
    Sha256::new()
        .chain_update(seq.to_be_bytes())
        .chain_update(previous)
        .chain_update(body)
        .finalize()
        .into()
}

/// Checks links in order, from the one after `seq` with hash `hash` (0 and zeros for the beginning) and returns
/// where the chain stands now.
///
/// # Errors
///
/// [`Broken`] names the first link that was changed, moved, or stands after a gap.
pub fn verify(links: &[Link], mut seq: u64, mut hash: Hash) -> Result<(u64, Hash), Broken> {
    for link in links {
        let fits = link.seq == seq + 1
            && link.previous == hash
            && link.hash == hash_of(link.seq, &hash, &link.body);
        if !fits {
            return Err(Broken { seq: link.seq });
        }
        (seq, hash) = (link.seq, link.hash);
    }
    Ok((seq, hash))
}

/// A hash as people and scripts compare it.
pub fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(bodies: &[&str]) -> Vec<Link> {
        let mut previous = [0; 32];
        let link = |(index, body): (usize, &&str)| {
            let seq = index as u64 + 1;
            let hash = hash_of(seq, &previous, body);
            let link = Link {
                seq,
                body: (*body).to_owned(),
                previous,
                hash,
            };
            previous = hash;
            link
        };
        bodies.iter().enumerate().map(link).collect()
    }

    #[test]
    fn chain_shows_every_change() {
        let whole = chain(&["a", "b", "c"]);
        assert_eq!(verify(&whole, 0, [0; 32]), Ok((3, whole[2].hash)));

        let mut changed = whole.clone();
        changed[1].body = "B".to_owned();
        assert_eq!(verify(&changed, 0, [0; 32]), Err(Broken { seq: 2 }));

        let mut gap = whole.clone();
        gap.remove(1);
        assert_eq!(verify(&gap, 0, [0; 32]), Err(Broken { seq: 3 }));
    }
}
