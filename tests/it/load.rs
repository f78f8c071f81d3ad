//! Many streams, slow readers, and a source that waits for neither.

use std::collections::BTreeMap;

use tollgate::wire::proto::gnmi as pb;

use crate::client::Client;
use crate::client::Event;
use crate::client::in_time;
use crate::client::int;
use crate::client::on_change;
use crate::gateway::Gateway;

/// 1,000 streams over 20 connections: every stream ends with every leaf's last value.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_streams_lose_no_last_value() {
    const LEAVES: i64 = 10;
    const ROUNDS: i64 = 20;
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let client = Client::new(gateway.channel().await).bearer(&token);
        for _ in 0..50 {
            let mut stream = client.subscribe(on_change(&["/load"])).await.unwrap();
            stream.until_sync().await;
            readers.push(tokio::spawn(async move {
                let mut last = BTreeMap::new();
                while last.len() < 10 || last.values().any(|value| *value != int(ROUNDS)) {
                    let leaf = stream.update().await;
                    last.insert(leaf.path, leaf.value);
                }
            }));
        }
    }
    for round in 1..=ROUNDS {
        for leaf in 0..LEAVES {
            gateway.publish("", &format!("/load/leaf[id={leaf}]/value"), int(round));
        }
        tokio::task::yield_now().await;
    }
    for reader in readers {
        in_time(reader).await.unwrap();
    }
}

/// One client does not read while the tree changes 200,000 times: another gets everything, and the sleeper, when it
/// wakes, the latest values with what it missed counted.
#[tokio::test(flavor = "multi_thread")]
async fn slow_reader_gets_the_latest_value_with_duplicates_counted() {
    const LEAVES: i64 = 100;
    const ROUNDS: i64 = 2_000;
    let gateway = Gateway::start().await;
    let mut slow = gateway
        .client()
        .await
        .subscribe(on_change(&["/slow"]))
        .await
        .unwrap();
    slow.until_sync().await;
    let mut quick = gateway
        .client()
        .await
        .subscribe(on_change(&["/slow/leaf[id=0]"]))
        .await
        .unwrap();
    quick.until_sync().await;

    for round in 1..=ROUNDS {
        for leaf in 0..LEAVES {
            gateway.publish("", &format!("/slow/leaf[id={leaf}]/value"), int(round));
        }
    }
    while quick.update().await.value != int(ROUNDS) {}

    let mut last = BTreeMap::new();
    let (mut received, mut duplicates) = (0_u64, 0_u64);
    while last.len() < 100 || last.values().any(|value| *value != int(ROUNDS)) {
        let leaf = slow.update().await;
        received += 1;
        duplicates += u64::from(leaf.duplicates);
        last.insert(leaf.path, leaf.value);
    }
    let changes = u64::try_from(LEAVES * ROUNDS).unwrap();
    assert!(
        duplicates > 0,
        "{received} of {changes} received, none coalesced"
    );
    assert_eq!(
        received + duplicates,
        changes,
        "each change is delivered or counted"
    );
}

/// A stream that is opened over its queue's limit ends with RESOURCE_EXHAUSTED and a reason.
#[tokio::test(flavor = "multi_thread")]
async fn full_queue_ends_the_stream_with_resource_exhausted() {
    let gateway = Gateway::start_with(|settings| settings.telemetry.queue_entries = 1_000).await;
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/many"])).await.unwrap();
    stream.until_sync().await;

    // Several times what the windows of stream and connection and all buffers on the way hold.
    let name = "x".repeat(500);
    for leaf in 0..20_000 {
        gateway.publish("", &format!("/many/leaf[id={leaf}]/{name}"), int(leaf));
    }
    // All of it is in the queue before the first is read.
    gateway.pass(std::time::Duration::ZERO);
    let ended = loop {
        match stream.try_next().await {
            Ok(Some(Event::Update(_))) => {}
            Ok(other) => panic!("unexpected {other:?}"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), tonic::Code::ResourceExhausted);
    assert!(ended.message().contains("queue"), "{}", ended.message());
    let next = pb::SubscriptionList {
        updates_only: true,
        ..on_change(&["/many"])
    };
    assert_eq!(
        client.subscribe(next).await.unwrap().next().await,
        Event::Sync
    );
}
