//! Properties, and what needs the whole core: time, subscribers, limits.

mod atomic;
mod core_model;
mod joining;
mod labels;
mod limits;
mod matcher;
mod model;
mod queue;
mod reader;
mod strategies;
mod threads;
mod tree;
mod triggers;
mod writes;

use std::time::Duration;

use crate::model::Mode;
use crate::model::Nature;
use crate::model::Notification;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Subscription;
use crate::model::SubscriptionList;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::model::Trigger;
use crate::model::Update;
use crate::model::Value;
use crate::telemetry::Config;
use crate::telemetry::Core;
use crate::telemetry::Error;
use crate::wire::Encoding;
use crate::wire::Origins;
use crate::wire::parse_path_text;
use crate::wire::read_path;
use crate::wire::read_pattern;

use reader::Reader;

const SECOND: Duration = Duration::from_secs(1);

const ON_CHANGE: Trigger = Trigger::OnChange { heartbeat: None };

fn config() -> Config {
    Config {
        max_leaves: 10_000,
        queue_entries: Config::QUEUE_ENTRIES,
        queue_bytes: Config::QUEUE_BYTES,
        stall_timeout: Config::STALL_TIMEOUT,
    }
}

fn tenant() -> TenantId {
    TenantId::new("acme")
}

fn path(text: &str) -> Path {
    read_path(None, &parse_path_text(text).unwrap(), &Origins::gateway()).unwrap()
}

fn pattern(text: &str) -> Pattern {
    read_pattern(None, &parse_path_text(text).unwrap(), &Origins::gateway()).unwrap()
}

fn update(text: &str, value: i64) -> Update {
    Update {
        path: path(text),
        value: Value::Int(value),
    }
}

/// The gateway's own data, at second 1.
fn notification(deletes: &[&str], updates: &[(&str, i64)]) -> Notification {
    Notification {
        timestamp: Timestamp::from_secs(1),
        target: Target::own(),
        nature: Nature::State,
        atomic: None,
        deletes: deletes.iter().copied().map(pattern).collect(),
        updates: updates
            .iter()
            .map(|(path, value)| update(path, *value))
            .collect(),
    }
}

fn list(patterns: &[&str], trigger: Trigger) -> SubscriptionList {
    let subscription = |text: &&str| Subscription {
        pattern: pattern(text),
        trigger,
    };
    SubscriptionList {
        target: TargetSelector::One(Target::own()),
        mode: Mode::Stream,
        subscriptions: patterns.iter().map(subscription).collect(),
        updates_only: false,
        depth: None,
    }
}

fn publish(core: &Core, updates: &[(&str, i64)]) {
    try_publish(core, &[], updates).unwrap();
}

fn delete(core: &Core, patterns: &[&str]) {
    try_publish(core, patterns, &[]).unwrap();
}

fn try_publish(core: &Core, deletes: &[&str], updates: &[(&str, i64)]) -> Result<(), Error> {
    let written = core.publish(&tenant(), &notification(deletes, updates));
    core.pump();
    written
}

fn publish_atomic(core: &Core, prefix: &str, updates: &[(&str, i64)]) {
    let atomic = Some(path(prefix));
    let notification = Notification {
        atomic,
        ..notification(&[], updates)
    };
    core.publish(&tenant(), &notification).unwrap();
    core.pump();
}

/// Joins at second 0.
fn subscribe(core: &Core, list: &SubscriptionList) -> Reader {
    let now = Timestamp::from_secs(0);
    Reader::new(core.subscribe(&tenant(), list, Encoding::Proto, now))
}

/// The text of what is below a pattern now.
fn held(core: &Core, text: &str) -> Vec<String> {
    let own = TargetSelector::One(Target::own());
    let snapshot = core.snapshot(&tenant(), &own, &[pattern(text)], None);
    let readings = snapshot.into_readings().into_iter();
    readings
        .map(|reading| reader::text(&reading.path, &reading.value))
        .collect()
}
