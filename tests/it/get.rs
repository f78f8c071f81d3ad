//! Get, and the depth extension.

use tollgate::wire::proto::gnmi as pb;
use tonic::Code;

use crate::client::assert_status;
use crate::client::depth;
use crate::client::first;
use crate::client::int;
use crate::client::once;
use crate::client::path;
use crate::client::string;
use crate::client::text;
use crate::client::update;
use crate::gateway::Gateway;

fn get(paths: &[&str]) -> pb::GetRequest {
    pb::GetRequest {
        path: paths.iter().map(|text| path(text)).collect(),
        ..Default::default()
    }
}

fn get_proto(paths: &[&str]) -> pb::GetRequest {
    pb::GetRequest {
        encoding: pb::Encoding::Proto.into(),
        ..get(paths)
    }
}

/// The only value of a notification, as JSON.
fn as_json(notification: &pb::Notification) -> serde_json::Value {
    let [update] = notification.update.as_slice() else {
        panic!("not one update: {notification:?}")
    };
    match update.val.as_ref().unwrap().value.as_ref().unwrap() {
        pb::typed_value::Value::JsonVal(text) | pb::typed_value::Value::JsonIetfVal(text) => {
            serde_json::from_slice(text).unwrap()
        }
        other => panic!("not JSON: {other:?}"),
    }
}

/// Every update's absolute path, sorted.
fn paths(notification: &pb::Notification) -> Vec<String> {
    let prefix = notification.prefix.as_ref();
    let mut paths: Vec<_> = notification
        .update
        .iter()
        .map(|update| text(prefix, update.path.as_ref().unwrap()))
        .collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn get_answers_one_notification_per_path() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    gateway.publish("", "/a/list[id=7]/name", string("seven"));
    let client = gateway.client().await;

    let got = client.get(get(&["/a/b", "/a", "/a/b"])).await.unwrap();

    assert_eq!(got.notification.len(), 3);
    assert_eq!(as_json(&got.notification[0]), serde_json::json!(1));
    assert_eq!(
        as_json(&got.notification[1]),
        serde_json::json!({"b": 1, "list": [{"id": "7", "name": "seven"}]})
    );
    assert!(
        got.notification
            .iter()
            .all(|notification| notification.timestamp > 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn get_in_proto_answers_leaves() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    gateway.publish("", "/a/c", int(2));
    let client = gateway.client().await;

    let got = client.get(get_proto(&["/a"])).await.unwrap();

    assert_eq!(paths(&got.notification[0]), ["/a/b", "/a/c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_type_separates_config_from_state() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/state", int(1));
    let client = gateway.client().await;
    let set = pb::SetRequest {
        update: vec![update("/a/config", int(2))],
        ..Default::default()
    };
    client.set(set).await.unwrap();

    for (kind, expected) in [
        (
            pb::get_request::DataType::All,
            vec!["/a/config", "/a/state"],
        ),
        (pb::get_request::DataType::Config, vec!["/a/config"]),
        (pb::get_request::DataType::State, vec!["/a/state"]),
        (pb::get_request::DataType::Operational, vec!["/a/state"]),
    ] {
        let request = pb::GetRequest {
            r#type: kind.into(),
            ..get_proto(&["/a"])
        };
        assert_eq!(
            paths(&client.get(request).await.unwrap().notification[0]),
            expected,
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_of_nothing_is_not_found() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;

    assert_status(
        &client.get(get(&["/a/b", "/none"])).await.unwrap_err(),
        Code::NotFound,
        "/none",
    );
    let nameless = pb::Path {
        elem: vec![pb::PathElem::default()],
        ..Default::default()
    };
    let request = pb::GetRequest {
        path: vec![nameless],
        ..Default::default()
    };
    assert_status(
        &client.get(request).await.unwrap_err(),
        Code::InvalidArgument,
        "elem",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn get_with_prefix_and_wildcard_answers_resolved_paths() {
    let gateway = Gateway::start().await;
    for id in [1, 2] {
        gateway.publish("", &format!("/a/list[id={id}]/name"), int(id));
    }
    let client = gateway.client().await;

    let request = pb::GetRequest {
        prefix: Some(path("/a/list")),
        ..get_proto(&["name"])
    };
    let got = client.get(request).await.unwrap();
    assert_eq!(
        paths(&got.notification[0]),
        ["/a/list[id=1]/name", "/a/list[id=2]/name"]
    );

    let got = client.get(get(&["/a/list[id=*]/name"])).await.unwrap();
    assert_eq!(
        paths(&got.notification[0]),
        ["/a/list[id=1]/name", "/a/list[id=2]/name"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_extension_limits_levels_in_get_and_subscribe() {
    let gateway = Gateway::start().await;
    for leaf in ["/d/one", "/d/down/two", "/d/down/down/three"] {
        gateway.publish("", leaf, int(1));
    }
    let client = gateway.client().await;

    for (level, expected) in [(0, 3), (1, 1), (2, 2), (3, 3)] {
        let request = pb::GetRequest {
            extension: vec![depth(level)],
            ..get_proto(&["/d"])
        };
        assert_eq!(
            client.get(request).await.unwrap().notification[0]
                .update
                .len(),
            expected,
            "level {level}"
        );
        let request = pb::SubscribeRequest {
            extension: vec![depth(level)],
            ..first(once(&["/d"]))
        };
        assert_eq!(
            client.open(request).await.unwrap().until_sync().await.len(),
            expected,
            "level {level}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn use_models_filters_and_refuses_unknown_models() {
    let gateway = Gateway::start().await;
    gateway.publish_origin("accedian", "/object-type/twamp-sf/x", int(1));
    gateway.publish_origin("", "/system/name", string("n"));
    let client = gateway.client().await;
    let model = |name: &str| pb::ModelData {
        name: name.to_owned(),
        ..Default::default()
    };

    let request = pb::SubscriptionList {
        use_models: vec![model("accedian-session")],
        ..once(&["/"])
    };
    let leaves = client.subscribe(request).await.unwrap().until_sync().await;
    assert_eq!(
        leaves
            .iter()
            .map(|leaf| leaf.origin.as_str())
            .collect::<Vec<_>>(),
        ["accedian"]
    );

    let request = pb::GetRequest {
        use_models: vec![model("nobody-knows")],
        ..get(&["/"])
    };
    assert_status(
        &client.get(request).await.unwrap_err(),
        Code::InvalidArgument,
        "nobody-knows",
    );
}
