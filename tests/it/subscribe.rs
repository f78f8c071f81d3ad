//! Subscribe: the three list modes, joining, targets, paths, encodings.

use tollgate::wire::proto::gnmi as pb;
use tonic::Code;

use crate::client::Event;
use crate::client::assert_status;
use crate::client::first;
use crate::client::int;
use crate::client::json;
use crate::client::list;
use crate::client::on_change;
use crate::client::once;
use crate::client::path;
use crate::client::poll;
use crate::client::prefix;
use crate::client::string;
use crate::client::subscription;
use crate::client::with_origin;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn once_sends_all_values_then_one_sync_then_ends_ok() {
    let gateway = Gateway::start().await;
    gateway.publish_at(1_000, "", "/a/b", int(1));
    gateway.publish_at(2_000, "", "/a/c", int(2));
    let client = gateway.client().await;

    let mut stream = client.subscribe(once(&["/a"])).await.unwrap();
    let leaves = stream.until_sync().await;

    let seen: Vec<_> = leaves
        .iter()
        .map(|leaf| (leaf.path.as_str(), leaf.timestamp, leaf.value.clone()))
        .collect();
    assert_eq!(seen, [("/a/b", 1_000, int(1)), ("/a/c", 2_000, int(2))]);
    assert_eq!(stream.end().await.code(), Code::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_ignores_modes_and_intervals() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let odd = pb::Subscription {
        sample_interval: 1,
        heartbeat_interval: 1,
        suppress_redundant: true,
        ..subscription("/a", pb::SubscriptionMode::Sample)
    };

    let mut stream = client
        .subscribe(list(pb::subscription_list::Mode::Once, [odd]))
        .await
        .unwrap();

    assert_eq!(stream.until_sync().await.len(), 1);
    assert_eq!(stream.end().await.code(), Code::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_answers_at_once_and_on_each_poll() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let request = list(
        pb::subscription_list::Mode::Poll,
        [subscription("/a", pb::SubscriptionMode::TargetDefined)],
    );

    let mut stream = client.subscribe(request).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 1);
    gateway.publish("", "/a/b", int(2));
    gateway.publish("", "/a/c", int(3));
    stream.poll().await;
    assert_eq!(stream.until_sync().await.len(), 2);
    stream.poll().await;
    assert_eq!(stream.until_sync().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_close_keeps_a_stream_and_ends_a_poll() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;

    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.half_close();
    stream.until_sync().await;
    gateway.publish("", "/a/b", int(2));
    assert_eq!(stream.update().await.value, int(2));

    let request = list(
        pb::subscription_list::Mode::Poll,
        [subscription("/a", pb::SubscriptionMode::TargetDefined)],
    );
    let mut polled = client.subscribe(request).await.unwrap();
    polled.until_sync().await;
    polled.half_close();
    assert_eq!(polled.end().await.code(), Code::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_only_sends_sync_first() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;

    let request = pb::SubscriptionList {
        updates_only: true,
        ..on_change(&["/a"])
    };
    let mut stream = client.subscribe(request).await.unwrap();
    assert_eq!(stream.next().await, Event::Sync);
    gateway.publish("", "/a/b", int(2));
    assert_eq!(stream.update().await.value, int(2));

    let request = pb::SubscriptionList {
        updates_only: true,
        ..once(&["/a"])
    };
    let mut stream = client.subscribe(request).await.unwrap();
    assert!(stream.until_sync().await.is_empty());
    assert_eq!(stream.end().await.code(), Code::Ok);

    let request = list(
        pb::subscription_list::Mode::Poll,
        [subscription("/a", pb::SubscriptionMode::TargetDefined)],
    );
    let mut stream = client
        .subscribe(pb::SubscriptionList {
            updates_only: true,
            ..request
        })
        .await
        .unwrap();
    assert!(stream.until_sync().await.is_empty());
    stream.poll().await;
    assert!(stream.until_sync().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_delivers_a_path_that_appears_later() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;

    let mut stream = client.subscribe(on_change(&["/not/yet"])).await.unwrap();
    assert!(stream.until_sync().await.is_empty());
    gateway.publish("", "/not/yet/there", string("here"));
    assert_eq!(stream.update().await.path, "/not/yet/there");

    let mut once = client.subscribe(once(&["/never"])).await.unwrap();
    assert!(once.until_sync().await.is_empty());
    assert_eq!(once.end().await.code(), Code::Ok);
}

/// Writers run while subscribers join: every subscriber ends with every leaf's last value and one sync.
#[tokio::test(flavor = "multi_thread")]
async fn stream_loses_nothing_while_it_joins() {
    const LEAVES: i64 = 500;
    const ROUNDS: i64 = 40;
    let gateway = Gateway::start().await;
    for leaf in 0..LEAVES {
        gateway.publish("", &format!("/join/leaf[id={leaf}]/value"), int(0));
    }
    let core = gateway.core.clone();
    let publisher = gateway.publisher();
    let writer = tokio::task::spawn_blocking(move || {
        for round in 1..=ROUNDS {
            for leaf in 0..LEAVES {
                publisher.publish(
                    &core,
                    "",
                    &format!("/join/leaf[id={leaf}]/value"),
                    int(round),
                );
            }
        }
    });
    let mut readers = Vec::new();
    for _ in 0..8 {
        let client = gateway.client().await;
        let mut stream = client.subscribe(on_change(&["/join"])).await.unwrap();
        readers.push(tokio::spawn(async move {
            let mut last = std::collections::BTreeMap::new();
            let mut syncs = 0;
            while syncs == 0 || last.len() < 500 || last.values().any(|value| *value != int(ROUNDS))
            {
                match stream.next().await {
                    Event::Sync => syncs += 1,
                    Event::Update(leaf) => {
                        last.insert(leaf.path, leaf.value);
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
            syncs
        }));
    }
    writer.await.unwrap();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), 1, "exactly one sync_response");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn target_is_repeated_exactly_when_the_request_names_one() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(0));
    gateway.publish("router-1", "/a/b", int(1));
    gateway.publish("/slashed/name", "/a/b", int(2));
    let client = gateway.client().await;

    let own = client
        .subscribe(once(&["/a"]))
        .await
        .unwrap()
        .until_sync()
        .await;
    assert_eq!(
        own.iter()
            .map(|leaf| leaf.target.as_str())
            .collect::<Vec<_>>(),
        [""]
    );

    for (target, value) in [("router-1", int(1)), ("/slashed/name", int(2))] {
        let request = pb::SubscriptionList {
            prefix: Some(prefix(target)),
            ..once(&["/a"])
        };
        let leaves = client.subscribe(request).await.unwrap().until_sync().await;
        assert_eq!(leaves.len(), 1);
        assert_eq!(
            (leaves[0].target.as_str(), &leaves[0].value),
            (target, &value)
        );
    }

    let request = pb::SubscriptionList {
        prefix: Some(prefix("*")),
        ..on_change(&["/a"])
    };
    let mut stream = client.subscribe(request).await.unwrap();
    let mut targets: Vec<_> = stream
        .until_sync()
        .await
        .into_iter()
        .map(|leaf| leaf.target)
        .collect();
    targets.sort();
    assert_eq!(targets, ["/slashed/name", "router-1"]);
    gateway.publish("router-2", "/a/b", int(3));
    assert_eq!(stream.update().await.target, "router-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_target_is_not_found() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;

    let request = pb::SubscriptionList {
        prefix: Some(prefix("nowhere")),
        ..on_change(&["/a"])
    };
    assert_status(
        &client.refused(first(request)).await,
        Code::NotFound,
        "nowhere",
    );
    let request = pb::GetRequest {
        prefix: Some(prefix("nowhere")),
        path: vec![path("/a")],
        ..Default::default()
    };
    assert_status(
        &client.get(request).await.unwrap_err(),
        Code::NotFound,
        "nowhere",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_and_omitted_keys_select_what_they_should() {
    let gateway = Gateway::start().await;
    for (port, unit) in [("eth0", "0"), ("eth0", "1"), ("eth1", "0")] {
        gateway.publish(
            "",
            &format!("/ports/port[name={port}][unit={unit}]/state/up"),
            int(1),
        );
    }
    gateway.publish("", "/ports/count", int(3));
    let client = gateway.client().await;

    for (asked, expected) in [
        ("/ports/port/state", 3),
        ("/ports/port[name=eth0]", 2),
        ("/ports/port[name=eth0][unit=1]", 1),
        ("/ports/port[name=*][unit=0]", 2),
        ("/ports/*/state/up", 3),
        ("/*/count", 1),
        ("/.../up", 3),
        ("/.../state/...", 3),
        ("/ports/...", 4),
        ("/", 4),
        ("/ports/*", 4),
        ("/*/*/*/nothing", 0),
        ("/ports/port[name=eth9]", 0),
    ] {
        let leaves = client
            .subscribe(once(&[asked]))
            .await
            .unwrap()
            .until_sync()
            .await;
        assert_eq!(leaves.len(), expected, "{asked}");
        assert!(
            leaves
                .iter()
                .all(|leaf| !leaf.path.contains('*') && !leaf.path.contains("...")),
            "{asked}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn same_path_twice_delivers_each_leaf_once() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;

    let mut stream = client
        .subscribe(on_change(&["/a", "/a", "/a/b"]))
        .await
        .unwrap();
    assert_eq!(stream.until_sync().await.len(), 1);
    gateway.publish("", "/a/b", int(2));
    gateway.publish("", "/a/marker", int(3));
    assert_eq!(stream.update().await.path, "/a/b");
    assert_eq!(stream.update().await.path, "/a/marker");
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_answer_in_their_own_field() {
    use pb::typed_value::Value;
    let gateway = Gateway::start().await;
    gateway.publish("", "/e/text", string("x"));
    gateway.publish("", "/e/wide", Value::UintVal(u64::MAX));
    let client = gateway.client().await;

    for (encoding, text, wide) in [
        (
            pb::Encoding::Json,
            json("\"x\""),
            json("18446744073709551615"),
        ),
        (
            pb::Encoding::JsonIetf,
            Value::JsonIetfVal("\"x\"".into()),
            Value::JsonIetfVal("\"18446744073709551615\"".into()),
        ),
        (pb::Encoding::Proto, string("x"), Value::UintVal(u64::MAX)),
    ] {
        let request = pb::SubscriptionList {
            encoding: encoding.into(),
            ..once(&["/e"])
        };
        let leaves = client.subscribe(request).await.unwrap().until_sync().await;
        assert_eq!(
            [leaves[0].value.clone(), leaves[1].value.clone()],
            [text, wide],
            "{encoding:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deprecated_element_strings_are_read_only_without_elem() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    gateway.publish("", "/other/b", int(2));
    let client = gateway.client().await;
    #[expect(deprecated, reason = "the deprecated field is what this is about")]
    let old = |elem: pb::Path, element: &[&str]| pb::Path {
        element: element.iter().map(|&element| element.to_owned()).collect(),
        ..elem
    };

    for (asked, expected) in [
        (old(pb::Path::default(), &["a", "b"]), "/a/b"),
        (old(path("/a/b"), &["other", "b"]), "/a/b"),
    ] {
        let one = pb::Subscription {
            path: Some(asked),
            ..Default::default()
        };
        let leaves = client
            .subscribe(list(pb::subscription_list::Mode::Once, [one]))
            .await
            .unwrap()
            .until_sync()
            .await;
        assert_eq!(
            leaves
                .iter()
                .map(|leaf| leaf.path.as_str())
                .collect::<Vec<_>>(),
            [expected]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_path_is_accepted_with_and_without_its_first_element() {
    let gateway = Gateway::start().await;
    let object = "object-type/twamp-sf/monitored-objects/monitored-object[direction=2][monitored-object-id=1]";
    gateway.publish_origin("accedian", &format!("/{object}/metrics/delay-avg"), int(5));
    gateway.publish_origin("", "/system/name", string("not asked for"));
    let client = gateway.client().await;

    for asked in [
        path("/accedian:session/object-type/twamp-sf/monitored-objects/..."),
        path("/object-type/twamp-sf/monitored-objects/..."),
        path("/accedian:object-type/twamp-sf"),
        path("/accedian/object-type"),
        with_origin("accedian", path("/object-type/twamp-sf/monitored-objects")),
        with_origin("accedian", path("/accedian:session/object-type")),
        with_origin("accedian", path("/")),
    ] {
        let one = pb::Subscription {
            path: Some(asked.clone()),
            ..Default::default()
        };
        let leaves = client
            .subscribe(list(pb::subscription_list::Mode::Once, [one]))
            .await
            .unwrap()
            .until_sync()
            .await;
        let seen: Vec<_> = leaves
            .iter()
            .map(|leaf| (leaf.origin.as_str(), leaf.path.clone()))
            .collect();
        assert_eq!(
            seen,
            [("accedian", format!("/{object}/metrics/delay-avg"))],
            "{asked:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn qos_marking_is_accepted() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;

    let request = pb::SubscriptionList {
        qos: Some(pb::QosMarking { marking: 46 }),
        ..once(&["/a"])
    };
    assert_eq!(
        client
            .subscribe(request)
            .await
            .unwrap()
            .until_sync()
            .await
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_is_spoken_both_ways() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", string(&"x".repeat(10_000)));
    let mut client = gateway.client().await;
    client.inner = client
        .inner
        .send_compressed(tonic::codec::CompressionEncoding::Gzip)
        .accept_compressed(tonic::codec::CompressionEncoding::Gzip);

    let mut stream = client.subscribe(once(&["/a"])).await.unwrap();
    assert_eq!(stream.metadata.get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(
        stream.until_sync().await[0].value,
        string(&"x".repeat(10_000))
    );
    let got = client
        .get(pb::GetRequest {
            path: vec![path("/a/b")],
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(got.notification.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_list_or_stray_poll_ends_that_rpc_alone() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let mut bystander = client.subscribe(on_change(&["/a"])).await.unwrap();
    bystander.until_sync().await;

    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.send(first(on_change(&["/a"]))).await;
    assert_status(
        &stream.end().await,
        Code::InvalidArgument,
        "SubscriptionList",
    );
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.send(poll()).await;
    assert_status(&stream.end().await, Code::InvalidArgument, "Poll");

    gateway.publish("", "/a/b", int(1));
    assert_eq!(bystander.update().await.value, int(1));
}
