//! One tree: what RESTCONF provisions is in gNMI, and the other way round (design 3).

mod nodes;
mod reading;
mod rights;
mod writing;

use serde_json::Value;
use serde_json::json;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::typed_value::Value as Form;

use crate::client::Client;
use crate::client::Event;
use crate::client::Stream;
use crate::client::on_change;
use crate::client::path;
use crate::client::with_origin;
use crate::gateway::Gateway;
use crate::http;
use crate::http::Face;

const DATA: &str = "/restconf/data";
const ENDPOINTS: &str = "/restconf/data/Accedian-service-endpoint:service-endpoints";
const S_DESCRIPTION: &str = "/sessions/session[session-id=s]/description";
const SESSIONS: &str = "/restconf/data/Accedian-session:sessions";

struct Restconf;

impl Face for Restconf {
    const ON_IAM_PORT: bool = false;
    // YANG does.
    const IS_DESCRIBED: bool = false;
}

type Api<'a> = http::Api<'a, Restconf>;

fn restconf<'a>(gateway: &'a Gateway, token: &str) -> Api<'a> {
    Api::bare(gateway)
        .without("Content-Type")
        .with("Authorization", &format!("Bearer {token}"))
        .with("Content-Type", "application/yang-data+json")
}

fn admin(gateway: &Gateway) -> Api<'_> {
    restconf(gateway, &gateway.token())
}

/// Endpoints `a` and `b`, and a session between them.
async fn provision(gateway: &Gateway) {
    let api = admin(gateway);
    let endpoints = json!({ "Accedian-service-endpoint:service-endpoint": [
        { "endpoint-id": "a" }, { "endpoint-id": "b", "endpoint-name": "b" },
    ]});
    api.post(ENDPOINTS, endpoints).await.status_is(201);
    let sessions = json!({ "Accedian-session:session": [session("s")] });
    api.post(SESSIONS, sessions).await.status_is(201);
}

fn session(id: &str) -> Value {
    json!({
        "session-id": id,
        "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [
            { "endpoint-id": "a", "session-protocol": {
                "Accedian-session-twamp-light:twamp-light": {
                    "session-sender": {
                        "admin-state": true, "sender-ip": "192.0.2.1", "reflector-ip": "192.0.2.2",
                        "reflector-udp-port": 862,
                    },
                },
            }},
            { "endpoint-id": "b" },
        ],
    })
}

/// A path of the RESTCONF models.
fn at(text: &str) -> pb::Path {
    with_origin("rfc7951", path(text))
}

fn get_of(encoding: pb::Encoding, paths: &[&str]) -> pb::GetRequest {
    pb::GetRequest {
        path: paths.iter().map(|text| at(text)).collect(),
        encoding: encoding.into(),
        ..Default::default()
    }
}

/// What a Get in JSON_IETF answers for one path, which must name one node.
async fn ietf(client: &Client, text: &str) -> Value {
    let answer = client.get(get_of(pb::Encoding::JsonIetf, &[text])).await;
    let answer = answer.unwrap();
    let [notification] = answer.notification.as_slice() else {
        panic!("{answer:?}");
    };
    let [update] = notification.update.as_slice() else {
        panic!("{answer:?}");
    };
    match update.val.as_ref().unwrap().value.as_ref().unwrap() {
        Form::JsonIetfVal(text) => serde_json::from_slice(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn update_of(text: &str, value: Form) -> pb::Update {
    pb::Update {
        path: Some(at(text)),
        val: Some(pb::TypedValue { value: Some(value) }),
        ..Default::default()
    }
}

fn ietf_val(value: &Value) -> Form {
    Form::JsonIetfVal(value.to_string().into())
}

/// Changes below a path of the RESTCONF models, after the first values.
async fn changes(client: &Client, text: &str) -> Stream {
    let mut list = on_change(&[text]);
    for one in &mut list.subscription {
        one.path = Some(at(text));
    }
    let mut stream = client.subscribe(list).await.unwrap();
    stream.until_sync().await;
    stream
}

async fn next_update(stream: &mut Stream) -> (String, Form) {
    let leaf = stream.update().await;
    (leaf.path, leaf.value)
}

async fn next_delete(stream: &mut Stream) -> String {
    match stream.next().await {
        Event::Delete(path) => path,
        other => panic!("not a delete: {other:?}"),
    }
}

fn text(value: &str) -> Form {
    Form::StringVal(value.to_owned())
}
