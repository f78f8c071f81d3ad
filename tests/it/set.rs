//! Set: order, atomicity, replace, delete, arbitration.

use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::typed_value::Value;
use tollgate::wire::proto::gnmi_ext as ext;
use tonic::Code;

use crate::client::Client;
use crate::client::Event;
use crate::client::assert_status;
use crate::client::int;
use crate::client::json;
use crate::client::on_change;
use crate::client::once;
use crate::client::path;
use crate::client::prefix;
use crate::client::update;
use crate::client::with_origin;
use crate::gateway::Gateway;

async fn leaves(client: &Client, asked: &str) -> Vec<(String, Value)> {
    let mut stream = client.subscribe(once(&[asked])).await.unwrap();
    stream
        .until_sync()
        .await
        .into_iter()
        .map(|leaf| (leaf.path, leaf.value))
        .collect()
}

fn leaf(path: &str, value: Value) -> (String, Value) {
    (path.to_owned(), value)
}

#[tokio::test(flavor = "multi_thread")]
async fn set_carries_out_deletes_then_replaces_then_updates() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/s/old", int(0));
    let client = gateway.client().await;

    let done = client
        .set(pb::SetRequest {
            update: vec![update("/s/a", int(3))],
            replace: vec![update("/s/a", int(2)), update("/s/b", int(2))],
            delete: vec![path("/s")],
            ..Default::default()
        })
        .await
        .unwrap();

    use pb::update_result::Operation;
    assert_eq!(
        done.response
            .iter()
            .map(pb::UpdateResult::op)
            .collect::<Vec<_>>(),
        [
            Operation::Delete,
            Operation::Replace,
            Operation::Replace,
            Operation::Update
        ]
    );
    assert!(done.timestamp > 0);
    assert_eq!(
        leaves(&client, "/s").await,
        [leaf("/s/a", int(3)), leaf("/s/b", int(2))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn set_later_update_of_one_path_wins() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let updates = vec![update("/s/a", int(1)), update("/s/a", int(2))];
    client
        .set(pb::SetRequest {
            update: updates,
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(leaves(&client, "/s").await, [leaf("/s/a", int(2))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_without_operations_is_no_error() {
    let gateway = Gateway::start().await;
    let done = gateway
        .client()
        .await
        .set(pb::SetRequest::default())
        .await
        .unwrap();
    assert!(done.response.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn set_that_fails_changes_nothing() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/s/a", int(1));
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/s"])).await.unwrap();
    stream.until_sync().await;

    let failed = client
        .set(pb::SetRequest {
            delete: vec![path("/s/a")],
            update: vec![update("/s/b", int(1)), update("/s/b/below-a-leaf", int(2))],
            ..Default::default()
        })
        .await
        .unwrap_err();

    assert_eq!(failed.code(), Code::InvalidArgument, "{failed:?}");
    assert_eq!(leaves(&client, "/s").await, [leaf("/s/a", int(1))]);
    gateway.publish("", "/s/marker", int(9));
    assert_eq!(stream.update().await.path, "/s/marker");
}

#[tokio::test(flavor = "multi_thread")]
async fn set_replace_drops_what_is_not_given() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let start = r#"{"keep": 1, "drop": 2, "list": {"x": 3}}"#;
    client
        .set(pb::SetRequest {
            update: vec![update("/s", json(start))],
            ..Default::default()
        })
        .await
        .unwrap();
    client
        .set(pb::SetRequest {
            update: vec![update("/s", json(r#"{"more": 4}"#))],
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(
        leaves(&client, "/s").await.len(),
        4,
        "an update removes nothing"
    );

    client
        .set(pb::SetRequest {
            replace: vec![update("/s", json(r#"{"keep": 5}"#))],
            ..Default::default()
        })
        .await
        .unwrap();

    let left = leaves(&client, "/s").await;
    assert_eq!(
        left.iter()
            .map(|(path, _)| path.as_str())
            .collect::<Vec<_>>(),
        ["/s/keep"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn set_delete_expands_wildcards_and_tolerates_missing() {
    let gateway = Gateway::start().await;
    for id in [1, 2] {
        gateway.publish("", &format!("/s/list[id={id}]/drop"), int(1));
        gateway.publish("", &format!("/s/list[id={id}]/keep"), int(1));
    }
    let client = gateway.client().await;

    let delete = vec![
        path("/s/list/drop"),
        path("/nowhere"),
        path("/s/list[id=2]"),
    ];
    client
        .set(pb::SetRequest {
            delete,
            ..Default::default()
        })
        .await
        .unwrap();

    assert_eq!(
        leaves(&client, "/s").await,
        [leaf("/s/list[id=1]/keep", int(1))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn set_under_a_target_name_makes_the_target_exist() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let set = pb::SetRequest {
        prefix: Some(prefix("probe-7")),
        update: vec![update("/a/b", int(1))],
        ..Default::default()
    };
    let done = client.set(set).await.unwrap();
    assert_eq!(done.prefix.unwrap().target, "probe-7");
    let request = pb::SubscriptionList {
        prefix: Some(prefix("probe-7")),
        ..once(&["/"])
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
async fn set_accepts_every_scalar_form_and_proto_answers_it() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    #[expect(deprecated, reason = "deprecated forms are accepted on input")]
    let forms = [
        (
            Value::StringVal("s".to_owned()),
            Value::StringVal("s".to_owned()),
        ),
        (Value::IntVal(-1), Value::IntVal(-1)),
        (Value::UintVal(u64::MAX), Value::UintVal(u64::MAX)),
        (Value::BoolVal(true), Value::BoolVal(true)),
        (
            Value::BytesVal(vec![0, 255].into()),
            Value::BytesVal(vec![0, 255].into()),
        ),
        (Value::DoubleVal(1.5), Value::DoubleVal(1.5)),
        (Value::FloatVal(2.5), Value::DoubleVal(2.5)),
        (
            Value::DecimalVal(pb::Decimal64 {
                digits: 12_345,
                precision: 2,
            }),
            Value::DoubleVal(123.45),
        ),
        (
            Value::JsonIetfVal("\"text\"".into()),
            Value::StringVal("text".to_owned()),
        ),
        (Value::JsonVal("-3".into()), Value::IntVal(-3)),
    ];
    for (given, expected) in forms {
        client
            .set(pb::SetRequest {
                update: vec![update("/v/leaf", given.clone())],
                ..Default::default()
            })
            .await
            .unwrap();
        assert_eq!(
            leaves(&client, "/v").await,
            [leaf("/v/leaf", expected)],
            "{given:?}"
        );
    }
    let list = |values: &[i64]| {
        let element = values
            .iter()
            .map(|value| pb::TypedValue {
                value: Some(int(*value)),
            })
            .collect();
        Value::LeaflistVal(pb::ScalarArray { element })
    };
    let set = pb::SetRequest {
        update: vec![update("/v/leaf", list(&[1, 2]))],
        ..Default::default()
    };
    client.set(set).await.unwrap();
    assert_eq!(
        leaves(&client, "/v").await,
        [leaf("/v/leaf", list(&[1, 2]))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn set_touches_only_the_origins_named() {
    let gateway = Gateway::start().await;
    gateway.publish_origin("accedian", "/a/b", int(1));
    gateway.publish_origin("", "/a/b", int(2));
    let client = gateway.client().await;

    let delete = vec![with_origin("accedian", path("/a"))];
    client
        .set(pb::SetRequest {
            delete,
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(leaves(&client, "/a").await, [leaf("/a/b", int(2))]);

    let cli = pb::Update {
        path: Some(with_origin("cli", path("/"))),
        ..update("/", Value::AsciiVal("show".to_owned()))
    };
    let refused = client
        .set(pb::SetRequest {
            update: vec![cli],
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_status(&refused, Code::Unimplemented, "cli");
}

#[tokio::test(flavor = "multi_thread")]
async fn union_replace_replaces_and_is_not_mixed() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/u/old", int(1));
    let client = gateway.client().await;

    let union = vec![update("/u", json(r#"{"new": 2}"#))];
    let done = client
        .set(pb::SetRequest {
            union_replace: union.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(
        done.response[0].op(),
        pb::update_result::Operation::UnionReplace
    );
    assert_eq!(leaves(&client, "/u").await.len(), 1);

    let mixed = pb::SetRequest {
        union_replace: union,
        delete: vec![path("/u")],
        ..Default::default()
    };
    assert_status(
        &client.set(mixed).await.unwrap_err(),
        Code::InvalidArgument,
        "union_replace",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_sets_get_their_exact_code_and_message() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let with_update = |update| pb::SetRequest {
        update: vec![update],
        ..Default::default()
    };
    let with_replace = |update| pb::SetRequest {
        replace: vec![update],
        ..Default::default()
    };
    for (request, code, part) in [
        (
            with_update(update("/a/*", int(1))),
            Code::InvalidArgument,
            "update[0]",
        ),
        (
            with_update(update("/a/list[id=*]", int(1))),
            Code::InvalidArgument,
            "update[0]",
        ),
        (
            with_replace(update("/a/...", int(1))),
            Code::InvalidArgument,
            "replace[0]",
        ),
        (
            with_replace(update("/a/list[id=1]", json("{}"))),
            Code::InvalidArgument,
            "replace[0]",
        ),
        (
            with_replace(update("/a/list[id=1]", json("null"))),
            Code::InvalidArgument,
            "replace[0]",
        ),
        (
            with_update(update("/a/list[id=1]", json(r#"{"id": "2"}"#))),
            Code::InvalidArgument,
            "id",
        ),
        (
            with_update(update("/a", json("{"))),
            Code::InvalidArgument,
            "json",
        ),
        (
            with_update(pb::Update {
                path: Some(path("/a")),
                ..Default::default()
            }),
            Code::InvalidArgument,
            "val",
        ),
        (
            with_update(update("/a", Value::ProtoBytes("x".into()))),
            Code::Unimplemented,
            "proto_bytes",
        ),
        (
            pb::SetRequest {
                prefix: Some(prefix("*")),
                update: vec![update("/a", int(1))],
                ..Default::default()
            },
            Code::InvalidArgument,
            "target",
        ),
    ] {
        let status = client
            .set(request.clone())
            .await
            .expect_err(&format!("{request:?}"));
        assert_eq!(status.code(), code, "{request:?}: {status:?}");
        assert!(
            status.message().to_lowercase().contains(part),
            "{request:?}: {}",
            status.message()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn master_arbitration_lets_the_highest_election_id_write() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let claim = |role: Option<&str>, low: Option<u64>| {
        let arbitration = ext::MasterArbitration {
            role: role.map(|id| ext::Role { id: id.to_owned() }),
            election_id: low.map(|low| ext::Uint128 { high: 0, low }),
        };
        pb::SetRequest {
            extension: vec![ext::Extension {
                ext: Some(ext::extension::Ext::MasterArbitration(arbitration)),
            }],
            ..Default::default()
        }
    };

    client.set(claim(None, Some(5))).await.unwrap();
    client.set(claim(None, Some(5))).await.unwrap();
    assert_status(
        &client.set(claim(None, Some(4))).await.unwrap_err(),
        Code::PermissionDenied,
        "5",
    );
    client.set(claim(Some("other"), Some(1))).await.unwrap();
    client.set(claim(None, Some(6))).await.unwrap();
    assert_status(
        &client.set(claim(None, None)).await.unwrap_err(),
        Code::InvalidArgument,
        "election_id",
    );
    client.set(pb::SetRequest::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn set_reaches_subscribers_deletes_first() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    client
        .set(pb::SetRequest {
            update: vec![update("/s", json(r#"{"a": 1, "b": 2}"#))],
            ..Default::default()
        })
        .await
        .unwrap();
    let mut stream = client.subscribe(on_change(&["/s"])).await.unwrap();
    stream.until_sync().await;

    let replace = vec![update("/s", json(r#"{"b": 3}"#))];
    client
        .set(pb::SetRequest {
            replace,
            ..Default::default()
        })
        .await
        .unwrap();

    assert_eq!(stream.next().await, Event::Delete("/s/a".to_owned()));
    assert_eq!(stream.update().await.path, "/s/b");
    assert_eq!(leaves(&client, "/s").await.len(), 1);
}
