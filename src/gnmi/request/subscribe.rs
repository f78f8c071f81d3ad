//! SubscribeRequest, the first one (gNMI spec 3.5.1.1, 3.5.1.2).

use std::time::Duration;

use crate::gnmi::config::Config;
use crate::gnmi::error::Error;
use crate::gnmi::error::Place;
use crate::gnmi::model::narrow;
use crate::model::Mode;
use crate::model::Subscription;
use crate::model::SubscriptionList;
use crate::model::Suppress;
use crate::model::Trigger;
use crate::schema::Schema;
use crate::wire::Encoding;
use crate::wire::parse_encoding;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::subscribe_request::Request;

use super::extension::read_depth;
use super::paths::Prefix;
use super::paths::check_count;

/// A parsed first message.
#[derive(Debug)]
pub(in crate::gnmi) struct SubscribeRequest {
    pub(in crate::gnmi) list: SubscriptionList,
    pub(in crate::gnmi) encoding: Encoding,
}

/// Reads the first message of a Subscribe, which must carry a SubscriptionList.
pub(in crate::gnmi) fn read_subscribe(
    message: &pb::SubscribeRequest,
    config: &Config,
    schema: &Schema,
) -> Result<SubscribeRequest, Error> {
    let Some(Request::Subscribe(list)) = &message.request else {
        return Err(Error::Field {
            field: "request",
            problem: "the first message must carry a SubscriptionList",
        });
    };
    let depth = read_depth(&message.extension)?;
    let encoding = parse_encoding(list.encoding)?;
    let mode = read_mode(list.mode)?;
    check_marking(list.qos.as_ref())?;
    if list.subscription.is_empty() {
        return Err(Error::Field {
            field: "subscription",
            problem: "is empty",
        });
    }
    check_count("subscription", list.subscription.len(), config.max_paths)?;

    let root = pb::Path::default();
    let path_of = |one: &pb::Subscription| one.path.clone().unwrap_or_else(|| root.clone());
    let paths: Vec<_> = list.subscription.iter().map(path_of).collect();
    let prefix = Prefix::read(list.prefix.as_ref(), paths.iter())?;
    let (mut patterns, mut triggers) = (Vec::new(), Vec::new());
    for (index, (one, path)) in list.subscription.iter().zip(&paths).enumerate() {
        patterns.push(prefix.pattern(
            Place {
                field: "subscription",
                index,
            },
            path,
        )?);
        triggers.push(read_trigger(one, mode, config)?);
    }
    let mut subscriptions = Vec::with_capacity(patterns.len());
    for (patterns, trigger) in narrow(patterns, &list.use_models, schema)?
        .into_iter()
        .zip(triggers)
    {
        let with = |pattern| Subscription { pattern, trigger };
        subscriptions.extend(patterns.into_iter().map(with));
    }
    let list = SubscriptionList {
        target: prefix.selector(),
        mode,
        subscriptions,
        updates_only: list.updates_only,
        depth,
    };
    Ok(SubscribeRequest { list, encoding })
}

fn read_mode(number: i32) -> Result<Mode, Error> {
    match pb::subscription_list::Mode::try_from(number) {
        Ok(pb::subscription_list::Mode::Once) => Ok(Mode::Once),
        Ok(pb::subscription_list::Mode::Poll) => Ok(Mode::Poll),
        Ok(pb::subscription_list::Mode::Stream) => Ok(Mode::Stream),
        Err(_) => Err(Error::Field {
            field: "mode",
            problem: "unknown number",
        }),
    }
}

/// A DSCP for the responses cannot be set per stream: many share one connection. It is accepted (pygnmi always sends
/// one), if it is a DSCP at all.
fn check_marking(qos: Option<&pb::QosMarking>) -> Result<(), Error> {
    match qos {
        Some(qos) if qos.marking > MAX_DSCP => Err(Error::Field {
            field: "qos",
            problem: "marking is above 63",
        }),
        _ => Ok(()),
    }
}

/// In ONCE and POLL, modes and intervals are meaningless and ignored (gNMI spec 3.5.1.5.1): pygnmi sends them.
fn read_trigger(one: &pb::Subscription, mode: Mode, config: &Config) -> Result<Trigger, Error> {
    if mode != Mode::Stream {
        return Ok(Trigger::OnChange { heartbeat: None });
    }
    let heartbeat = match one.heartbeat_interval {
        0 => None,
        nanos => Some(interval("heartbeat_interval", nanos, config)?),
    };
    match pb::SubscriptionMode::try_from(one.mode) {
        Ok(pb::SubscriptionMode::OnChange) => Ok(Trigger::OnChange { heartbeat }),
        Ok(pb::SubscriptionMode::Sample) => read_sample(one, heartbeat, config),
        Ok(pb::SubscriptionMode::TargetDefined) => {
            // Telegraf always sends an interval, so by default it is a hint (gNMI rule 60).
            if one.sample_interval > 0 && config.target_defined_strict_interval {
                return Err(Error::Field {
                    field: "sample_interval",
                    problem: "must not be set with TARGET_DEFINED",
                });
            }
            Ok(Trigger::OnChange { heartbeat })
        }
        Err(_) => Err(Error::Field {
            field: "subscription mode",
            problem: "unknown number",
        }),
    }
}

/// Zero is the shortest interval; a shorter one is refused, not rounded (gNMI spec 3.5.1.5.2). A heartbeat means
/// something with suppress_redundant alone, and is at least the sample interval (reference#91).
fn read_sample(
    one: &pb::Subscription,
    heartbeat: Option<Duration>,
    config: &Config,
) -> Result<Trigger, Error> {
    let interval = match one.sample_interval {
        0 => config.min_sample_interval,
        nanos => interval("sample_interval", nanos, config)?,
    };
    let suppress = one.suppress_redundant.then(|| Suppress {
        heartbeat: heartbeat.map(|heartbeat| heartbeat.max(interval)),
    });
    Ok(Trigger::Sample { interval, suppress })
}

fn interval(field: &'static str, nanos: u64, config: &Config) -> Result<Duration, Error> {
    let interval = Duration::from_nanos(nanos);
    if interval < config.min_sample_interval {
        return Err(Error::Field {
            field,
            problem: "is shorter than the shortest supported",
        });
    }
    Ok(interval)
}

/// Six bits (RFC 2474).
const MAX_DSCP: u32 = 63;
