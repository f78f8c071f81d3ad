//! Writes growing counters by gNMI Set, at a rate that does not depend on the answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Interval;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;

use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::g_nmi_client::GNmiClient;

use super::config::Writers;
use super::request;

/// One publisher: it owns every `publishers`th leaf.
pub(super) struct Publisher {
    pub(super) channel: Channel,
    pub(super) headers: HeaderMap,
    pub(super) root: pb::Path,
    pub(super) target: String,
    pub(super) writers: Writers,
    pub(super) index: usize,
    /// Acknowledged updates of all publishers.
    pub(super) written: Arc<AtomicU64>,
    pub(super) stop: CancellationToken,
}

/// What a publisher leaves behind.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The last acknowledged counter of each leaf that it owns.
    pub(super) finals: Vec<(usize, u32)>,
    /// Refused Sets by status.
    pub(super) errors: BTreeMap<String, u64>,
}

impl Publisher {
    /// Writes until it is stopped, or has written its share.
    pub(super) async fn run(self) -> Written {
        let mut client = GNmiClient::new(self.channel.clone());
        let mut written = Written::default();
        let step = self.writers.publishers.max(1);
        let mut counters: Vec<_> = (self.index..self.writers.leaves)
            .step_by(step)
            .map(|leaf| (leaf, 0_u32))
            .collect();
        let (batch, mut next) = (self.writers.batch_size().min(counters.len()), 0);
        let mut timer = self.timer(batch);
        let mut left = self.share();
        while left > 0 && batch > 0 && self.turn(&mut timer).await {
            let size = batch.min(usize::try_from(left).unwrap_or(batch));
            let places: Vec<_> = (next..next + size)
                .map(|place| place % counters.len())
                .collect();
            next = (next + size) % counters.len();
            let leaves = places.iter().filter_map(|place| counters.get(*place));
            let set = request::set(
                &self.root,
                &self.target,
                leaves.map(|(leaf, counter)| (*leaf, counter + 1)),
            );
            let size = u64::try_from(size).unwrap_or_default();
            left -= size;
            match client.set(self.request(set)).await {
                Ok(_) => {
                    for place in places {
                        if let Some((_, counter)) = counters.get_mut(place) {
                            *counter += 1;
                        }
                    }
                    self.written.fetch_add(size, Ordering::Relaxed);
                }
                Err(status) => {
                    let code = format!("set: {:?}", status.code());
                    *written.errors.entry(code).or_default() += 1;
                }
            }
        }
        written.finals = counters;
        written
    }

    /// Removes what the run has written.
    pub(super) async fn clean(&self) {
        let clean = request::clean(&self.root, &self.target);
        // The run's results stand without it.
        let _status = GNmiClient::new(self.channel.clone())
            .set(self.request(clean))
            .await;
    }

    fn request(&self, set: pb::SetRequest) -> Request<pb::SetRequest> {
        let mut request = Request::new(set);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        request
    }

    /// This publisher's part of the updates that the run is limited to.
    fn share(&self) -> u64 {
        let publishers = u64::try_from(self.writers.publishers).unwrap_or(1).max(1);
        let index = u64::try_from(self.index).unwrap_or_default();
        self.writers.updates.map_or(u64::MAX, |updates| {
            updates / publishers + u64::from(index < updates % publishers)
        })
    }

    /// Ticks that were missed are made up for: the rate does not depend on the answers.
    fn timer(&self, batch: usize) -> Option<Interval> {
        let batch = u32::try_from(batch * self.writers.publishers).unwrap_or(u32::MAX);
        let rate = u32::try_from(self.writers.rate).unwrap_or(u32::MAX);
        let period = (Duration::from_secs(1) * batch)
            .checked_div(rate)?
            .max(Duration::from_nanos(1));
        let mut timer = tokio::time::interval(period);
        timer.set_missed_tick_behavior(MissedTickBehavior::Burst);
        Some(timer)
    }

    /// Waits for the next Set's time; false when there is none.
    async fn turn(&self, timer: &mut Option<Interval>) -> bool {
        let tick = async {
            if let Some(timer) = timer {
                timer.tick().await;
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tick => true,
        }
    }
}
