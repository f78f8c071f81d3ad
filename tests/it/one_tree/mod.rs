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
use crate::restconf::Api;
use crate::restconf::ENDPOINTS;
use crate::restconf::SESSIONS;
use crate::restconf::session;

const DATA: &str = "/restconf/data";
const S_DESCRIPTION: &str = "/sessions/session[session-id=s]/description";

/// Endpoints `a` and `b`, and a session between them.
async fn provision(gateway: &Gateway) {
    let api = Api::admin(gateway);
    let endpoints = json!({ "Accedian-service-endpoint:service-endpoint": [
        { "endpoint-id": "a" }, { "endpoint-id": "b", "endpoint-name": "b" },
    ]});
    api.post(ENDPOINTS, endpoints).await.status_is(201);
    let sessions = json!({ "Accedian-session:session": [session("s")] });
    api.post(SESSIONS, sessions).await.status_is(201);
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
