//! What happens to tokens of its own accord: warnings before their end (iam 1, row 24), and their purge long after
//! (row 17).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::meter;
use crate::meter::Gauge;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::PatRecord;
use super::Standing;
use super::Time;
use super::notice::Notice;
use super::notice::Notices;
use super::port::Ending;
use super::port::Mutation;
use super::port::Records;
use super::port::RecordsError;
use super::record::end_of;
use super::standing;

/// Does it, a bounded piece at a time.
#[derive(Clone)]
pub(crate) struct Chores {
    records: Arc<dyn Records>,
    time: Time,
    notices: Notices,
    retention: Duration,
    gauges: Arc<Mutex<BTreeMap<TenantId, [Gauge; THRESHOLDS.len()]>>>,
}

/// How many tokens of a tenant end within each threshold.
type Counts = BTreeMap<TenantId, [u32; THRESHOLDS.len()]>;

/// What of the work there is was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// All.
    All,
    /// As much as one turn may.
    Part,
}

impl Chores {
    pub(crate) fn new(records: Arc<dyn Records>, time: Time, retention: Duration) -> Self {
        meter::describe_gauge(
            GAUGE,
            "Active tokens of a tenant that end within so many days.",
        );
        Self {
            records,
            time,
            notices: Notices::new(),
            retention,
            gauges: Arc::default(),
        }
    }

    /// What is told, from now on.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.listen()
    }

    /// Takes a turn again and again.
    pub(crate) async fn run(&self) {
        loop {
            // What the store does not do now, it does the next time; it has logged why.
            let pause = match self.turn().await {
                Ok(Done::Part) => PAUSE,
                Ok(Done::All) | Err(_) => INTERVAL,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Warns of what ends, and purges what ended long ago.
    pub(crate) async fn turn(&self) -> Result<Done, RecordsError> {
        let warned = self.warn().await?;
        let purged = self.purge().await?;
        Ok(if warned == Done::All { purged } else { warned })
    }

    async fn warn(&self) -> Result<Done, RecordsError> {
        let now = self.time.now();
        let until = now
            .saturating_add(DAY * THRESHOLDS[0])
            .saturating_add(SECOND);
        let mut counts = Counts::new();
        let (mut after, mut told) = (None, 0);
        loop {
            let page = self.records.ending(until, after, PAGE).await?;
            for ending in &page {
                after = Some(ending.pat.id);
                let Some((expires, days)) = due(ending, now, &mut counts) else {
                    continue;
                };
                if told < MOST_TOLD && self.tell(ending, expires, days).await? {
                    told += 1;
                }
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        self.show(&counts);
        Ok(if told < MOST_TOLD {
            Done::All
        } else {
            Done::Part
        })
    }

    /// Tells of a token's end, unless another gateway has. Says which it was.
    async fn tell(
        &self,
        ending: &Ending,
        expires: Expiry,
        days: u32,
    ) -> Result<bool, RecordsError> {
        let Ending { pat, account, .. } = ending;
        let kind = match days {
            0 => Kind::PatExpired,
            _ => Kind::PatExpiring,
        };
        let mut event = self.event(kind, pat);
        event.detail = Some(match days {
            0 => format!("of account {} at {expires}", account.username),
            _ => format!(
                "of account {} within {days} days, at {expires}",
                account.username
            ),
        });
        let mutation = Mutation::WarnPat {
            tenant: pat.tenant.clone(),
            id: pat.id,
            days,
        };
        match self.records.apply(&mutation, event.at, &event).await {
            Ok(_) => {}
            Err(RecordsError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        tracing::warn!(
            tenant = %pat.tenant,
            account = %pat.account,
            token = %pat.id,
            %expires,
            days,
            "{}",
            if days == 0 { "token has expired" } else { "token expires soon" },
        );
        self.notices.tell(Notice {
            at: event.at,
            tenant: pat.tenant.clone(),
            account: pat.account,
            username: account.username.clone(),
            token: pat.id,
            name: pat.name.clone(),
            created_by: pat.created_by,
            expires,
            days,
        });
        Ok(true)
    }

    async fn purge(&self) -> Result<Done, RecordsError> {
        let before = self.time.now().saturating_sub(self.retention);
        let over = self.records.over(before, PURGED).await?;
        for pat in &over {
            let event = self.event(Kind::PatPurged, pat);
            let mutation = Mutation::PurgePat {
                tenant: pat.tenant.clone(),
                id: pat.id,
                before,
            };
            match self.records.apply(&mutation, event.at, &event).await {
                // Another gateway was faster.
                Ok(_) | Err(RecordsError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if over.len() < PURGED as usize {
            Done::All
        } else {
            Done::Part
        })
    }

    fn event(&self, kind: Kind, pat: &PatRecord) -> Event {
        Event {
            tenant: Some(pat.tenant.clone()),
            subject: Some(Subject {
                kind: pat.kind.as_str(),
                id: pat.id.to_string(),
                name: Some(pat.name.clone()),
            }),
            account: Some(pat.account.to_string()),
            ..Event::new(self.time.now(), kind, Actor::Gateway)
        }
    }

    /// Sets the gauges. Tenants beyond the first so many share one, so that there are not more than that.
    fn show(&self, counts: &Counts) {
        let mut gauges = self.gauges.lock();
        let mut sums: BTreeMap<TenantId, [u32; THRESHOLDS.len()]> = BTreeMap::new();
        for tenant in gauges.keys() {
            sums.insert(tenant.clone(), [0; THRESHOLDS.len()]);
        }
        for (tenant, counts) in counts {
            let has_gauge = gauges.contains_key(tenant) || gauges.len() < MOST_TENANTS;
            let shown = if has_gauge {
                tenant.clone()
            } else {
                TenantId::new(OTHERS)
            };
            gauges
                .entry(shown.clone())
                .or_insert_with(|| gauges_of(&shown));
            let sum = sums.entry(shown).or_default();
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        for (tenant, sum) in &sums {
            for (gauge, count) in gauges.get(tenant).into_iter().flatten().zip(sum) {
                gauge.set(*count);
            }
        }
    }
}

/// Counts a token whose end is near. Says when that is and what is to be told of it, if anything.
fn due(ending: &Ending, now: Timestamp, counts: &mut Counts) -> Option<(Expiry, u32)> {
    let Ending {
        pat,
        account,
        tenant,
        warned,
    } = ending;
    let is_due = |days: u32| warned.is_none_or(|warned| warned > days);
    match standing(pat, account, tenant, now) {
        Standing::Active(expires) => {
            let secs = |days: u32| i64::from(days) * 86_400;
            let left = expires.secs().saturating_sub(now.secs());
            let lifetime = expires.secs().saturating_sub(pat.created.secs());
            let counts = counts.entry(pat.tenant.clone()).or_default();
            let mut reached = None;
            for (days, count) in THRESHOLDS.into_iter().zip(counts) {
                if left <= secs(days) {
                    *count += 1;
                    reached = Some(days);
                }
            }
            // Who issues a token for a week need not be told at once that it ends within a month.
            reached
                .filter(|days| is_due(*days) && lifetime > secs(*days))
                .map(|days| (expires, days))
        }
        Standing::Expired => is_due(0).then(|| (end_of(pat, account, tenant), 0)),
        Standing::Disabled | Standing::Revoked => None,
    }
}

fn gauges_of(tenant: &TenantId) -> [Gauge; THRESHOLDS.len()] {
    THRESHOLDS.map(|days| {
        let labels = [("tenant", tenant.to_string()), ("days", days.to_string())];
        meter::labelled_gauge(GAUGE, &labels)
    })
}

impl fmt::Debug for Chores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chores")
    }
}

/// Days before its end at which a token is warned of, the greatest first.
pub(crate) const THRESHOLDS: [u32; 4] = [30, 14, 7, 1];

const GAUGE: &str = "tollgate_pat_expiring";
const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

/// Between two looks: thresholds are days.
const INTERVAL: Duration = Duration::from_mins(10);

/// Between two turns while there is more to do.
const PAUSE: Duration = Duration::from_secs(1);

/// Tokens per read.
const PAGE: u32 = 500;

/// Warnings per turn: each is a transaction.
const MOST_TOLD: u32 = 500;

/// Tokens purged per turn: each is a transaction.
const PURGED: u32 = 100;

/// Tenants with gauges of their own.
const MOST_TENANTS: usize = 1_000;

/// All the others; a tenant cannot be called so.
const OTHERS: &str = "(others)";
