//! What RESTCONF writes is read in gNMI.

use serde_json::json;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::typed_value::Value as Form;
use tonic::Code;

use super::Api;
use super::ENDPOINTS;
use super::SESSIONS;
use super::at;
use super::changes;
use super::get_of;
use super::ietf;
use super::next_delete;
use super::next_update;
use super::provision;
use super::text;
use crate::client::Event;
use crate::client::int;
use crate::client::once;
use crate::gateway::Gateway;

const S: &str = "/sessions/session[session-id=s]";

#[tokio::test(flavor = "multi_thread")]
async fn get_shows_what_restconf_shows_defaults_included() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let query = format!("{SESSIONS}/session=s?with-defaults=report-all");
    let shown = Api::admin(&gateway).get(&query).await.ok();
    let shown = &shown["Accedian-session:session"][0];
    let got = ietf(&client, S).await;
    // The outermost members have their module (gNMI spec 2.3.1), and so have those below where it changes.
    assert_eq!(got["Accedian-session:session-id"], "s");
    assert_eq!(got["Accedian-session:session-type"], shown["session-type"]);
    let of_gnmi = &got["Accedian-session:service-endpoints"][0];
    assert_eq!(of_gnmi, &shown["service-endpoints"][0]);
    let sender = &of_gnmi["session-protocol"]["Accedian-session-twamp-light:twamp-light"];
    assert_eq!(sender["session-sender"]["report-interval"], 30);
    assert_eq!(
        got["Accedian-session:status"],
        json!({ "status": "stopped" })
    );

    let all = ietf(&client, "/service-endpoints").await;
    let all = &all["Accedian-service-endpoint:service-endpoint"];
    assert_eq!(all[0], json!({ "endpoint-id": "a" }));
    assert_eq!(all[1], json!({ "endpoint-id": "b", "endpoint-name": "b" }));
    let listed = ietf(
        &client,
        "/service-endpoints/service-endpoint[endpoint-id=b]/endpoint-name",
    );
    assert_eq!(listed.await, "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_tells_config_from_state_and_finds_nothing_where_nothing_is() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    use pb::get_request::DataType;
    let asked = async |kind: DataType, path: &str| {
        let request = pb::GetRequest {
            r#type: kind.into(),
            ..get_of(pb::Encoding::Proto, &[path])
        };
        let answer = client.get(request).await?;
        let updates = answer.notification.into_iter().flat_map(|it| it.update);
        let names = updates.map(|it| it.path.unwrap().elem.last().unwrap().name.clone());
        Ok::<Vec<String>, tonic::Status>(names.collect())
    };
    for kind in [DataType::State, DataType::Operational] {
        assert_eq!(asked(kind, S).await.unwrap(), ["status"]);
    }
    let config = asked(DataType::Config, S).await.unwrap();
    assert!(config.contains(&"session-type".to_owned()));
    assert!(!config.contains(&"status".to_owned()));
    let all = asked(
        DataType::All,
        "/sessions/session[session-id=*]/session-type",
    )
    .await;
    assert_eq!(all.unwrap(), ["session-type"]);
    for (kind, path) in [
        (DataType::All, "/sessions/session[session-id=t]"),
        (DataType::All, "/sessions/no-such-node"),
        (DataType::State, "/service-endpoints"),
        (DataType::All, "/services"),
    ] {
        let missing = asked(kind, path).await.unwrap_err();
        assert_eq!(missing.code(), Code::NotFound, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn module_in_the_first_name_stands_for_the_origin() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let mut stream = client
        .subscribe(once(&[
            "/Accedian-session:sessions/session[session-id=s]/session-type",
        ]))
        .await
        .unwrap();
    let leaves = stream.until_sync().await;
    assert_eq!(leaves.len(), 1);
    assert_eq!(leaves[0].origin, "rfc7951");
    assert_eq!(leaves[0].path, format!("{S}/session-type"));
    assert_eq!(leaves[0].value, text("Accedian-session-type:twamp-light"));
    // Everything is theirs and others' alike.
    gateway.publish("", "/other", int(1));
    let mut stream = client.subscribe(once(&["/"])).await.unwrap();
    let leaves = stream.until_sync().await;
    assert!(leaves.iter().any(|leaf| leaf.path == "/other"));
    assert!(leaves.iter().any(|leaf| leaf.path.starts_with(S)));
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_become_updates_and_deletes() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let mut stream = changes(&client, "/service-endpoints").await;
    let c = "/service-endpoints/service-endpoint[endpoint-id=c]";

    let endpoint = |more: &[(&str, &str)]| {
        let mut entry = json!({ "endpoint-id": "c" });
        for (name, value) in more {
            entry[*name] = json!(value);
        }
        json!({ "Accedian-service-endpoint:service-endpoint": [entry] })
    };
    let url = format!("{ENDPOINTS}/service-endpoint=c");
    api.put(&url, endpoint(&[("description", "one")]))
        .await
        .status_is(201);
    let mut first = [
        next_update(&mut stream).await,
        next_update(&mut stream).await,
    ];
    first.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        first,
        [
            (format!("{c}/description"), text("one")),
            (format!("{c}/endpoint-id"), text("c")),
        ]
    );
    // What is written again is no change.
    api.put(&url, endpoint(&[("description", "one")]))
        .await
        .status_is(204);
    api.put(&url, endpoint(&[("group-id", "g")]))
        .await
        .status_is(204);
    assert_eq!(next_delete(&mut stream).await, format!("{c}/description"));
    assert_eq!(
        next_update(&mut stream).await,
        (format!("{c}/group-id"), text("g"))
    );
    api.delete(&url).await.status_is(204);
    assert_eq!(next_delete(&mut stream).await, c);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaf_that_is_taken_away_falls_back_to_its_default() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let sender = "service-endpoints[endpoint-id=a]/session-protocol/twamp-light/session-sender";
    let mut stream = changes(&client, &format!("{S}/{sender}/admin-state")).await;
    let url = format!(
        "{SESSIONS}/session=s/service-endpoints=a/session-protocol\
         /Accedian-session-twamp-light:twamp-light/session-sender/admin-state"
    );
    api.delete(&url).await.status_is(204);
    let (path, value) = next_update(&mut stream).await;
    assert_eq!(path, format!("{S}/{sender}/admin-state"));
    assert_eq!(value, Form::BoolVal(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_starts_is_told() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let mut stream = changes(&client, S).await;
    for (action, status) in [("start", "running"), ("stop", "stopped")] {
        let url = format!("{SESSIONS}/session=s/{action}");
        api.send("POST", &url, b"").await.status_is(204);
        assert_eq!(
            next_update(&mut stream).await,
            (format!("{S}/status/status"), text(status))
        );
        assert_eq!(ietf(&client, &format!("{S}/status/status")).await, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_that_goes_takes_what_is_its_alone_out_of_the_tree() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let service = json!({ "Accedian-service:service": [
        { "service-id": "v", "sessions": [{ "session-id": "s" }] },
    ]});
    let services = "/restconf/data/Accedian-service:services";
    api.post(services, service).await.status_is(201);
    let mut stream = changes(&client, "/").await;
    let input = json!({ "Accedian-service:input": { "target": {
        "service-id": "v", "delete-service-endpoints": true,
    }}});
    api.post(
        "/restconf/operations/Accedian-service:delete-service",
        input,
    )
    .await
    .status_is(204);
    let mut gone = Vec::new();
    for _ in 0..4 {
        gone.push(next_delete(&mut stream).await);
    }
    gone.sort();
    assert_eq!(
        gone,
        [
            "/service-endpoints/service-endpoint[endpoint-id=a]",
            "/service-endpoints/service-endpoint[endpoint-id=b]",
            "/services/service[service-id=v]",
            S,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_and_sample_have_the_newest_configuration() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let leaf = format!("{S}/description");
    let mut list = once(&[&leaf]);
    list.mode = pb::subscription_list::Mode::Poll.into();
    list.subscription[0].path = Some(at(&leaf));
    let mut stream = client.subscribe(list).await.unwrap();
    assert!(stream.until_sync().await.is_empty());
    for words in ["one", "two"] {
        let url = format!("{SESSIONS}/session=s/description");
        let body = json!({ "Accedian-session:description": words });
        let answer = api.put(&url, body).await;
        assert!(matches!(answer.status, 201 | 204), "{}", answer.body);
        stream.poll().await;
        let leaves = stream.until_sync().await;
        assert_eq!(leaves[0].value, text(words));
    }

    let interval = std::time::Duration::from_secs(10);
    let mut list = crate::client::list(
        pb::subscription_list::Mode::Stream,
        [crate::client::sample(&leaf, interval)],
    );
    list.subscription[0].path = Some(at(&leaf));
    let mut stream = client.subscribe(list).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 1);
    gateway.pass(interval);
    assert_eq!(next_update(&mut stream).await, (leaf, text("two")));
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriber_is_told_once_of_each_edit_beside_it() {
    let gateway = Gateway::start().await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let writing = async {
        for number in 0..60 {
            let entry = json!({ "endpoint-id": format!("e{number}") });
            let body = json!({ "Accedian-service-endpoint:service-endpoint": [entry] });
            api.post(ENDPOINTS, body).await.status_is(201);
        }
    };
    let reading = async {
        let mut seen = std::collections::BTreeSet::new();
        let mut list = crate::client::on_change(&["/"]);
        list.subscription[0].path = Some(at("/service-endpoints"));
        let mut stream = client.subscribe(list).await.unwrap();
        while seen.len() < 60 {
            if let Event::Update(leaf) = stream.next().await {
                assert!(seen.insert(leaf.path.clone()), "{} twice", leaf.path);
            }
        }
    };
    tokio::join!(writing, reading);
    let all = ietf(&client, "/service-endpoints").await;
    let all = all["Accedian-service-endpoint:service-endpoint"].as_array();
    assert_eq!(all.unwrap().len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_changes_at_once_are_read_anew() {
    let gateway = Gateway::start().await;
    let (client, api) = (gateway.client().await, Api::admin(&gateway));
    let old = json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "old" }] });
    api.post(ENDPOINTS, old).await.status_is(201);
    let old = "/service-endpoints/service-endpoint[endpoint-id=old]";
    let mut stream = changes(&client, old).await;
    // One more than the changes that are kept.
    let entries: Vec<_> = (0..10_001)
        .map(|number| json!({ "endpoint-id": format!("e{number}") }))
        .collect();
    let all = json!({ "Accedian-service-endpoint:service-endpoints": {
        "service-endpoint": entries,
    }});
    let answer = api.put(ENDPOINTS, all).await;
    assert!(matches!(answer.status, 201 | 204), "{}", answer.body);
    assert_eq!(next_delete(&mut stream).await, old);
    let all = ietf(&client, "/service-endpoints").await;
    let all = all["Accedian-service-endpoint:service-endpoint"].as_array();
    assert_eq!(all.unwrap().len(), 10_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_models_leaves_the_containers_of_the_modules_named() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let capabilities = client.capabilities().await.unwrap();
    let model = capabilities
        .supported_models
        .iter()
        .find(|model| model.name == "Accedian-session")
        .unwrap();
    assert_eq!(model.version, "2025-06-30");
    let mut list = once(&["/"]);
    list.use_models = vec![model.clone()];
    let mut stream = client.subscribe(list).await.unwrap();
    let leaves = stream.until_sync().await;
    assert!(!leaves.is_empty());
    assert!(leaves.iter().all(|leaf| leaf.path.starts_with(S)));
}
