//! What gNMI sets is validated and stored as RESTCONF's edits are.

use serde_json::Value;
use serde_json::json;
use tollgate::audit::EventQuery;
use tollgate::audit::Kind;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::typed_value::Value as Form;
use tonic::Code;

use super::Api;
use super::DATA;
use super::ENDPOINTS;
use super::SESSIONS;
use super::at;
use super::changes;
use super::ietf;
use super::ietf_val;
use super::next_delete;
use super::next_update;
use super::provision;
use super::session;
use super::text;
use super::update_of;
use crate::client::Client;
use crate::client::assert_status;
use crate::client::int;
use crate::client::json as json_val;
use crate::client::path;
use crate::client::update;
use crate::gateway::Gateway;

const S: &str = "/sessions/session[session-id=s]";
const SENDER: &str = "service-endpoints[endpoint-id=a]/session-protocol/twamp-light/session-sender";

async fn update_all(client: &Client, updates: Vec<pb::Update>) -> Result<(), tonic::Status> {
    let request = pb::SetRequest {
        update: updates,
        ..Default::default()
    };
    client.set(request).await.map(drop)
}

async fn replace(client: &Client, updates: Vec<pb::Update>) -> Result<(), tonic::Status> {
    let request = pb::SetRequest {
        replace: updates,
        ..Default::default()
    };
    client.set(request).await.map(drop)
}

async fn delete(client: &Client, paths: &[&str]) -> Result<(), tonic::Status> {
    let request = pb::SetRequest {
        delete: paths.iter().map(|path| at(path)).collect(),
        ..Default::default()
    };
    client.set(request).await.map(drop)
}

/// What RESTCONF has at a session, `null` where it is not.
async fn stored(gateway: &Gateway, id: &str) -> Value {
    let answer = Api::admin(gateway)
        .get(&format!("{SESSIONS}/session={id}"))
        .await;
    answer.body["Accedian-session:session"][0].clone()
}

async fn etag(gateway: &Gateway, url: &str) -> String {
    let answer = Api::admin(gateway).get(url).await;
    answer.header("etag").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn set_of_an_entry_is_what_a_put_is() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let before = etag(&gateway, SESSIONS).await;
    let mut body = session("t");
    body.as_object_mut().unwrap().remove("session-id");
    // The keys of the path need not be repeated.
    let path = "/sessions/session[session-id=t]";
    replace(&client, vec![update_of(path, ietf_val(&body))])
        .await
        .unwrap();
    let mut expected = session("t");
    expected["status"] = json!({ "status": "stopped" });
    assert_eq!(stored(&gateway, "t").await, expected);
    let after = etag(&gateway, SESSIONS).await;
    assert_ne!(after, before);

    // What is not given goes, and its defaults are back.
    let less = json!({ "session-type": "Accedian-session-type:echo", "group-id": "g" });
    replace(&client, vec![update_of(path, ietf_val(&less))])
        .await
        .unwrap();
    let found = stored(&gateway, "t").await;
    assert_eq!(found.get("service-endpoints"), None);
    assert_eq!(found["group-id"], "g");
    // The same again changes nothing, the ETag neither.
    let before = etag(&gateway, SESSIONS).await;
    replace(&client, vec![update_of(path, ietf_val(&less))])
        .await
        .unwrap();
    assert_eq!(etag(&gateway, SESSIONS).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_leaf_by_leaf_makes_what_it_stands_in() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let t = "/sessions/session[session-id=t]";
    let leaf = |name: &str, value: Form| update_of(&format!("{t}/{SENDER}/{name}"), value);
    update_all(
        &client,
        vec![
            update_of(
                &format!("{t}/session-type"),
                text("Accedian-session-type:twamp-light"),
            ),
            leaf("admin-state", Form::BoolVal(true)),
            leaf("report-interval", Form::UintVal(60)),
            leaf("test-packets/number-of-packets", int(100)),
            leaf("reflector-ip", Form::JsonIetfVal("\"10.0.0.1\"".into())),
            leaf("test-packets/dscp", json_val("46")),
            update_of(
                &format!("{t}/metadata/topology"),
                Form::LeaflistVal(pb::ScalarArray {
                    element: ["x", "y"]
                        .map(|it| pb::TypedValue {
                            value: Some(text(it)),
                        })
                        .into(),
                }),
            ),
        ],
    )
    .await
    .unwrap();
    let found = stored(&gateway, "t").await;
    let endpoint = &found["service-endpoints"][0];
    assert_eq!(endpoint["endpoint-id"], "a");
    let sender =
        &endpoint["session-protocol"]["Accedian-session-twamp-light:twamp-light"]["session-sender"];
    assert_eq!(
        sender,
        &json!({
            "admin-state": true,
            "report-interval": 60,
            "reflector-ip": "10.0.0.1",
            "test-packets": { "number-of-packets": 100, "dscp": 46 },
        })
    );
    assert_eq!(found["metadata"]["topology"], json!(["x", "y"]));

    // Replacing one leaf leaves its neighbours, replacing a container does not.
    let packets = format!("{t}/{SENDER}/test-packets");
    replace(
        &client,
        vec![update_of(&format!("{packets}/dscp"), Form::UintVal(10))],
    )
    .await
    .unwrap();
    let shown = ietf(&client, &packets).await;
    let name = |leaf: &str| format!("Accedian-session-twamp-light:{leaf}");
    assert_eq!(shown[name("number-of-packets")], 100);
    assert_eq!(shown[name("dscp")], 10);
    replace(&client, vec![update_of(&packets, json_val("{\"ttl\": 5}"))])
        .await
        .unwrap();
    let shown = ietf(&client, &packets).await;
    assert_eq!(shown[name("number-of-packets")], "continuous");
    assert_eq!(
        (&shown[name("dscp")], &shown[name("ttl")]),
        (&json!(0), &json!(5))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_json_needs_no_modules_and_takes_numbers() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let body = json!({
        "service-endpoint": [{ "endpoint-id": "p", "geo-location": { "latitude": 48.5, "longitude": -2 } }],
    });
    let all = update_of("/service-endpoints", json_val(&body.to_string()));
    update_all(&client, vec![all]).await.unwrap();
    let url = format!("{ENDPOINTS}/service-endpoint=p");
    let found = Api::admin(&gateway).get(&url).await.ok();
    let place = &found["Accedian-service-endpoint:service-endpoint"][0]["geo-location"];
    assert_eq!(place, &json!({ "latitude": "48.5", "longitude": "-2.0" }));
    let path = "/service-endpoints/service-endpoint[endpoint-id=p]/geo-location/latitude";
    update_all(&client, vec![update_of(path, Form::DoubleVal(1.25))])
        .await
        .unwrap();
    assert_eq!(ietf(&client, path).await, "1.25");
    // The others have stayed.
    assert_eq!(
        Api::admin(&gateway)
            .get(&format!("{ENDPOINTS}/service-endpoint=a"))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_operation_undoes_all_and_is_named() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let before = Api::admin(&gateway).get(DATA).await.body;
    let mut stream = changes(&client, "/").await;
    let good = || update_of(&format!("{S}/description"), text("new"));
    let bad: [(&str, Form, Code, &str); 9] = [
        (
            "/sessions/session[session-id=s]/no-such-leaf",
            text("x"),
            Code::NotFound,
            "not in the model",
        ),
        (
            "/sessions/session[session-id=s]/group-id",
            text("no blanks"),
            Code::InvalidArgument,
            "group-id",
        ),
        (
            "/sessions/session[session-id=s]/status/status",
            text("running"),
            Code::InvalidArgument,
            "not configuration",
        ),
        (
            "/sessions/session",
            json_val("{}"),
            Code::InvalidArgument,
            "keys",
        ),
        (
            "/sessions/session[session-id=new]/description",
            text("without a type"),
            Code::InvalidArgument,
            "session-type",
        ),
        (
            "/sessions/session[session-id=s]/service-endpoints[endpoint-id=nowhere]/endpoint-id",
            text("nowhere"),
            Code::FailedPrecondition,
            "nowhere",
        ),
        (
            "/sessions/session[session-id=s]",
            json_val("{\"session-id\": \"other\"}"),
            Code::InvalidArgument,
            "key differs",
        ),
        (
            "/service-endpoints/service-endpoint[endpoint-id=a]/endpoint-name",
            text("b"),
            Code::FailedPrecondition,
            "endpoint-name",
        ),
        (
            "/sessions/session[session-id=s]/description",
            json_val("{"),
            Code::InvalidArgument,
            "JSON",
        ),
    ];
    for (path, value, code, part) in bad {
        let request = pb::SetRequest {
            delete: vec![at(
                "/sessions/session[session-id=s]/service-endpoints[endpoint-id=b]",
            )],
            replace: vec![good()],
            update: vec![good(), update_of(path, value)],
            ..Default::default()
        };
        let refused = client.set(request).await.unwrap_err();
        assert_status(&refused, code, part);
        assert_status(&refused, code, "update[1]");
    }
    assert_eq!(Api::admin(&gateway).get(DATA).await.body, before);
    // Nothing of it was told either: the next change is the first.
    update_all(&client, vec![good()]).await.unwrap();
    let told = next_update(&mut stream).await;
    assert_eq!(told, (format!("{S}/description"), text("new")));
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_made_in_the_order_of_the_specification() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let request = pb::SetRequest {
        update: vec![update_of(&format!("{S}/group-id"), text("last"))],
        replace: vec![
            update_of(S, ietf_val(&session("s"))),
            update_of(&format!("{S}/group-id"), text("first")),
        ],
        delete: vec![at("/sessions")],
        ..Default::default()
    };
    let done = client.set(request).await.unwrap();
    assert_eq!(done.response.len(), 4);
    let mut expected = session("s");
    expected["group-id"] = json!("last");
    let mut found = stored(&gateway, "s").await;
    found.as_object_mut().unwrap().remove("status");
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_take_leaves_entries_lists_and_what_wildcards_name() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let in_use = delete(
        &client,
        &["/service-endpoints/service-endpoint[endpoint-id=a]"],
    )
    .await;
    assert_status(&in_use.unwrap_err(), Code::FailedPrecondition, "delete[0]");
    // Of what is not there: nothing happens (gNMI spec 3.4.6).
    delete(
        &client,
        &[
            "/sessions/session[session-id=none]",
            "/services",
            &format!("{S}/description"),
        ],
    )
    .await
    .unwrap();

    let mut stream = changes(&client, "/service-endpoints").await;
    delete(
        &client,
        &["/service-endpoints/service-endpoint[endpoint-id=*]/endpoint-name"],
    )
    .await
    .unwrap();
    let b = "/service-endpoints/service-endpoint[endpoint-id=b]";
    assert_eq!(next_delete(&mut stream).await, format!("{b}/endpoint-name"));
    delete(&client, &[&format!("{S}/service-endpoints")])
        .await
        .unwrap();
    assert_eq!(stored(&gateway, "s").await.get("service-endpoints"), None);
    // Now nothing refers to them.
    delete(&client, &["/service-endpoints/service-endpoint"])
        .await
        .unwrap();
    let answer = Api::admin(&gateway).get(ENDPOINTS).await.ok();
    assert_eq!(
        answer["Accedian-service-endpoint:service-endpoints"],
        json!({})
    );
    delete(&client, &["/"]).await.unwrap();
    assert_eq!(stored(&gateway, "s").await, Value::Null);
    let refused = delete(&client, &["/sessions/session[session-id=s]/status"]).await;
    assert_status(
        &refused.unwrap_err(),
        Code::InvalidArgument,
        "not configuration",
    );
    let refused = delete(&client, &["/sessions/nonsense"]).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_of_two_kinds_is_refused() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let mixed = vec![
        update("/telemetry", int(1)),
        update_of(&format!("{S}/description"), text("x")),
    ];
    let refused = update_all(&client, mixed).await.unwrap_err();
    assert_status(&refused, Code::InvalidArgument, "origin rfc7951");
    assert_eq!(stored(&gateway, "s").await.get("description"), None);
    // A delete of everything would be one of both.
    let everything = pb::SetRequest {
        delete: vec![path("/")],
        ..Default::default()
    };
    let refused = client.set(everything).await.unwrap_err();
    assert_status(
        &refused,
        Code::InvalidArgument,
        "delete[0]: path must name an origin",
    );
    assert_ne!(stored(&gateway, "s").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn union_replace_says_all_there_is() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    let all = json!({ "Accedian-service-endpoint:service-endpoints": {
        "service-endpoint": [{ "endpoint-id": "only" }],
    }});
    let request = pb::SetRequest {
        union_replace: vec![update_of("/", ietf_val(&all))],
        ..Default::default()
    };
    client.set(request).await.unwrap();
    let found = Api::admin(&gateway)
        .get(&format!("{DATA}?content=config"))
        .await
        .ok();
    let data = &found["ietf-restconf:data"];
    assert_eq!(
        data["Accedian-service-endpoint:service-endpoints"],
        all["Accedian-service-endpoint:service-endpoints"]
    );
    assert_eq!(data.get("Accedian-session:sessions"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_leaves_one_event_that_names_gnmi() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let before = gateway.newest_event().await;
    let client = gateway.client().await;
    update_all(
        &client,
        vec![
            update_of(&format!("{S}/description"), text("x")),
            update_of(&format!("{S}/group-id"), text("g")),
        ],
    )
    .await
    .unwrap();
    let asked = EventQuery {
        after: before,
        kind: Some(Kind::ConfigChanged),
        ..EventQuery::of(None)
    };
    let events = gateway
        .accounts()
        .events(&tollgate::iam::Caller::operator(), &asked)
        .await;
    let events = events.unwrap();
    assert_eq!(events.len(), 1);
    let event: Value = serde_json::from_str(&events[0].body).unwrap();
    let shown = event.to_string();
    assert!(shown.contains("\"gnmi\""), "{shown}");
    assert!(
        shown.contains("rfc7951:/sessions/session[session-id=s]/description"),
        "{shown}"
    );
}
