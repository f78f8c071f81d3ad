//! When a stream sends: on change, by heartbeat, by sample, and what it leaves out.

use std::time::Duration;

use tollgate::wire::proto::gnmi as pb;
use tonic::Code;

use crate::client::Event;
use crate::client::assert_status;
use crate::client::first;
use crate::client::int;
use crate::client::list;
use crate::client::on_change;
use crate::client::sample;
use crate::client::subscription;
use crate::gateway::Gateway;

const SECOND: Duration = Duration::from_secs(1);

fn stream(subscriptions: impl IntoIterator<Item = pb::Subscription>) -> pb::SubscriptionList {
    list(pb::subscription_list::Mode::Stream, subscriptions)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_change_sends_changes_creations_and_deletions_only() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;

    gateway.publish("", "/a/b", int(1));
    gateway.publish("", "/a/b", int(2));
    assert_eq!(stream.update().await.value, int(2));
    gateway.publish("", "/a/c", int(3));
    assert_eq!(stream.update().await.path, "/a/c");
    gateway.delete("", "/a/b");
    assert_eq!(stream.next().await, Event::Delete("/a/b".to_owned()));
    gateway.delete("", "/a");
    assert_eq!(stream.next().await, Event::Delete("/a".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_target_is_one_delete_of_its_root() {
    let gateway = Gateway::start().await;
    gateway.publish("router", "/a/b", int(1));
    let client = gateway.client().await;
    let request = pb::SubscriptionList {
        prefix: Some(crate::client::prefix("*")),
        ..on_change(&["/"])
    };
    let mut stream = client.subscribe(request).await.unwrap();
    stream.until_sync().await;

    gateway.remove_target("router");
    assert_eq!(stream.next().await, Event::Delete("/".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn target_defined_acts_as_on_change() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let hinted = pb::Subscription {
        sample_interval: nanos(10 * SECOND),
        ..subscription("/a", pb::SubscriptionMode::TargetDefined)
    };

    let mut stream = client.subscribe(stream([hinted])).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 1);
    gateway.publish("", "/a/b", int(2));
    assert_eq!(stream.update().await.value, int(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeat_repeats_an_unchanged_leaf_with_its_collection_time() {
    let gateway = Gateway::start().await;
    gateway.publish_at(7_000, "", "/a/b", int(1));
    let client = gateway.client().await;
    let beating = pb::Subscription {
        heartbeat_interval: nanos(10 * SECOND),
        ..subscription("/a", pb::SubscriptionMode::OnChange)
    };
    let mut stream = client.subscribe(stream([beating])).await.unwrap();
    stream.until_sync().await;

    for _ in 0..3 {
        gateway.pass(10 * SECOND);
        let leaf = stream.update().await;
        assert_eq!((leaf.value, leaf.timestamp), (int(1), 7_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_sends_every_leaf_once_per_interval() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let mut stream = client
        .subscribe(stream([sample("/a", SECOND)]))
        .await
        .unwrap();
    assert_eq!(stream.until_sync().await.len(), 1);

    gateway.publish("", "/a/b", int(2));
    gateway.publish("", "/a/c", int(3));
    gateway.pass(SECOND);
    let mut seen =
        [stream.update().await, stream.update().await].map(|leaf| (leaf.path, leaf.value));
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        seen,
        [("/a/b".to_owned(), int(2)), ("/a/c".to_owned(), int(3))]
    );
    gateway.delete("", "/a/c");
    gateway.pass(SECOND);
    // A delete may come for a sampled leaf, but need not (gNMI spec 3.5.2.3).
    let next = match stream.next().await {
        Event::Delete(path) if path == "/a/c" => stream.update().await,
        Event::Update(leaf) => leaf,
        other => panic!("unexpected {other:?}"),
    };
    assert_eq!((next.path.as_str(), next.value), ("/a/b", int(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_interval_zero_is_the_shortest_and_a_shorter_one_is_refused() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;

    let mut shortest = client
        .subscribe(stream([sample("/a", Duration::ZERO)]))
        .await
        .unwrap();
    shortest.until_sync().await;
    gateway.pass(Duration::from_millis(100));
    assert_eq!(shortest.update().await.value, int(1));

    let too_short = first(stream([sample("/a", Duration::from_nanos(1))]));
    assert_status(
        &client.refused(too_short).await,
        Code::InvalidArgument,
        "sample_interval",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_suppresses_what_has_not_changed() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/still", int(1));
    gateway.publish("", "/a/moving", int(1));
    let client = gateway.client().await;
    let quiet = pb::Subscription {
        suppress_redundant: true,
        ..sample("/a", SECOND)
    };
    let mut stream = client.subscribe(stream([quiet])).await.unwrap();
    stream.until_sync().await;

    for round in 2..5 {
        gateway.publish("", "/a/moving", int(round));
        gateway.pass(SECOND);
        let leaf = stream.update().await;
        assert_eq!((leaf.path.as_str(), leaf.value), ("/a/moving", int(round)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_heartbeat_overrides_suppression() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/still", int(1));
    let client = gateway.client().await;
    let quiet = pb::Subscription {
        suppress_redundant: true,
        heartbeat_interval: nanos(3 * SECOND),
        ..sample("/a", SECOND)
    };
    let mut stream = client.subscribe(stream([quiet])).await.unwrap();
    stream.until_sync().await;

    gateway.pass(SECOND);
    gateway.pass(SECOND);
    gateway.pass(SECOND);
    assert_eq!(stream.update().await.path, "/a/still");
    gateway.publish("", "/a/marker", int(2));
    gateway.pass(SECOND);
    assert_eq!(stream.update().await.path, "/a/marker");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_modes_live_in_one_list() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/sampled/b", int(1));
    gateway.publish("", "/changed/b", int(1));
    let client = gateway.client().await;
    let list = stream([
        sample("/sampled", SECOND),
        sample("/sampled", 2 * SECOND),
        subscription("/changed", pb::SubscriptionMode::OnChange),
    ]);
    let mut stream = client.subscribe(list).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 2);

    gateway.publish("", "/changed/b", int(2));
    assert_eq!(stream.update().await.path, "/changed/b");
    gateway.pass(SECOND);
    assert_eq!(stream.update().await.path, "/sampled/b");
}

#[tokio::test(flavor = "multi_thread")]
async fn label_predicate_follows_later_changes_of_the_metadata() {
    let gateway = Gateway::start().await;
    let object = |id: u32| {
        format!(
            "/object-type/twamp-sf/monitored-objects/monitored-object[monitored-object-id={id}]"
        )
    };
    let publish = |id, leaf: &str, value| {
        gateway.publish_origin("accedian", &format!("{}/{leaf}", object(id)), value);
    };
    for id in [1, 2] {
        publish(id, "metrics/delay-avg", int(10));
    }
    publish(
        1,
        "meta/data[name=usage]/val",
        crate::client::string("europe-east"),
    );
    let client = gateway.client().await;
    let asked = "/object-type/twamp-sf/monitored-objects/monitored-object[meta/data/name/usage=europe-east]/metrics";

    let mut stream = client.subscribe(on_change(&[asked])).await.unwrap();
    let leaves = stream.until_sync().await;
    assert_eq!(
        leaves
            .iter()
            .map(|leaf| leaf.path.clone())
            .collect::<Vec<_>>(),
        [format!("{}/metrics/delay-avg", object(1))]
    );

    publish(2, "metrics/delay-avg", int(11));
    publish(
        2,
        "meta/data[name=usage]/val",
        crate::client::string("europe-east"),
    );
    let leaf = stream.update().await;
    assert_eq!(
        (leaf.path, leaf.value),
        (format!("{}/metrics/delay-avg", object(2)), int(11))
    );

    publish(
        1,
        "meta/data[name=usage]/val",
        crate::client::string("asia"),
    );
    let Event::Delete(gone) = stream.next().await else {
        panic!("an object that no longer matches is deleted")
    };
    assert!(gone.starts_with(&object(1)), "{gone}");
    publish(1, "metrics/delay-avg", int(12));
    publish(2, "metrics/delay-avg", int(13));
    assert_eq!(stream.update().await.value, int(13));
}

#[tokio::test(flavor = "multi_thread")]
async fn atomic_group_replaces_what_was_below_its_prefix() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/g/old", int(1));
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/g"])).await.unwrap();
    stream.until_sync().await;

    gateway.publish_atomic("", "/g", &[("/g/x", int(1)), ("/g/y", int(2))]);
    let mut next = stream.next().await;
    while matches!(&next, Event::Delete(_)) {
        next = stream.next().await;
    }
    let Event::Atomic { prefix, mut leaves } = next else {
        panic!("not atomic: {next:?}")
    };
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(prefix, "/g");
    assert_eq!(
        leaves,
        [("/g/x".to_owned(), int(1)), ("/g/y".to_owned(), int(2))]
    );

    let now = client
        .subscribe(crate::client::once(&["/g"]))
        .await
        .unwrap()
        .next()
        .await;
    let Event::Atomic { leaves, .. } = now else {
        panic!("a group is a group in a walk too: {now:?}")
    };
    assert_eq!(leaves.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn atomic_group_reaches_a_partial_subscriber_with_its_prefix_and_members_only() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/g/x"])).await.unwrap();
    stream.until_sync().await;

    gateway.publish_atomic("", "/g", &[("/g/x", int(1)), ("/g/y", int(2))]);
    let expected = Event::Atomic {
        prefix: "/g".to_owned(),
        leaves: vec![("/g/x".to_owned(), int(1))],
    };
    assert_eq!(stream.next().await, expected);
}
