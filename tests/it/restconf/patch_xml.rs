//! YANG Patch in XML (RFC 8072), and notifications in XML.

use std::time::Duration;

use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::SERVICES;
use super::SESSIONS;
use crate::gateway::Gateway;

const PATCH: &str = "urn:ietf:params:xml:ns:yang:ietf-yang-patch";

fn patcher(gateway: &Gateway) -> Api<'_> {
    Api::admin(gateway)
        .without("Content-Type")
        .with("Content-Type", "application/yang-patch+xml")
}

fn edit(id: &str, operation: &str, target: &str, more: &str) -> String {
    format!(
        "<edit><edit-id>{id}</edit-id><operation>{operation}</operation><target>{target}</target>{more}</edit>"
    )
}

fn value(id: &str, text: &str) -> String {
    format!(
        "<value><e:service-endpoint><e:endpoint-id>{id}</e:endpoint-id>\
         <e:description>{text}</e:description></e:service-endpoint></value>"
    )
}

async fn sent(api: &Api<'_>, path: &str, edits: &[String]) -> (u16, String) {
    let body = format!(
        "<?xml version=\"1.0\"?>\n<yang-patch xmlns=\"{PATCH}\" xmlns:e=\"{}\"><patch-id>p</patch-id>{}</yang-patch>",
        namespace(),
        edits.concat()
    );
    let answer = api.send("PATCH", path, body.as_bytes()).await;
    let text = answer.body.as_str().unwrap().to_owned();
    (answer.status, text)
}

/// As the module itself says.
fn namespace() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/proto/yang/accedian/Accedian-service-endpoint.yang"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let namespace = text.split("namespace \"").nth(1).unwrap();
    namespace.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_patch_makes_its_edits_or_none() {
    let gateway = Gateway::start().await;
    let api = patcher(&gateway);
    let edits = [
        edit(
            "1",
            "create",
            "/service-endpoint=a",
            &value("a", "one &amp; two"),
        ),
        edit("2", "create", "/service-endpoint=b", &value("b", "x")),
        edit("3", "merge", "/service-endpoint=b", &value("b", "y")),
        edit("4", "remove", "/service-endpoint=c", ""),
    ];
    let (status, text) = sent(&api, ENDPOINTS, &edits).await;
    let done = format!(
        "<yang-patch-status xmlns=\"{PATCH}\"><patch-id>p</patch-id><ok/></yang-patch-status>"
    );
    assert_eq!((status, text), (200, done));
    let read = Api::admin(&gateway).get(ENDPOINTS).await.ok();
    assert_eq!(
        read["Accedian-service-endpoint:service-endpoints"]["service-endpoint"],
        json!([
            { "endpoint-id": "a", "description": "one & two" },
            { "endpoint-id": "b", "description": "y" },
        ])
    );
    let edits = [
        edit("5", "delete", "/service-endpoint=a", ""),
        edit("six", "create", "/service-endpoint=b", &value("b", "again")),
    ];
    let (status, text) = sent(&api, ENDPOINTS, &edits).await;
    assert_eq!(status, 409, "{text}");
    for part in [
        "<edit-status><edit><edit-id>six</edit-id>",
        "<error-tag>data-exists</error-tag>",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let entry = format!("{ENDPOINTS}/service-endpoint=a");
    Api::admin(&gateway).get(&entry).await.has_status(200);
    let options = api.send("OPTIONS", &entry, b"").await;
    let patches = options.header("accept-patch").unwrap();
    assert!(patches.contains("application/yang-patch+xml"), "{patches}");
    // An answer in JSON to a patch in XML.
    let json = patcher(&gateway).with("Accept", "application/yang-data+json");
    let body = format!(
        "<yang-patch xmlns=\"{PATCH}\"><patch-id>p</patch-id>{}</yang-patch>",
        edit("7", "delete", "/service-endpoint=a", "")
    );
    let answer = json.send("PATCH", ENDPOINTS, body.as_bytes()).await.ok();
    assert_eq!(
        answer["ietf-yang-patch:yang-patch-status"]["ok"],
        json!([null])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_that_is_no_patch_is_refused() {
    let gateway = Gateway::start().await;
    let api = patcher(&gateway);
    let of = |inner: &str| format!("<yang-patch xmlns=\"{PATCH}\">{inner}</yang-patch>");
    let twice = edit("1", "remove", "/x", "<target>/y</target>");
    for body in [
        String::new(),
        "<yang-patch/>".to_owned(),
        of(""),
        of("<patch-id>p</patch-id>"),
        of(&format!("<patch-id>p</patch-id>{twice}")),
        of("<patch-id>p</patch-id><edit>text</edit>"),
        of("<patch-id>p</patch-id><edit><edit-id>1</edit-id>"),
        format!(
            "<!DOCTYPE x [<!ENTITY y \"z\">]>{}",
            of("<patch-id>&y;</patch-id>")
        ),
        of("<patch-id>p</patch-id>\0"),
    ] {
        let answer = api.send("PATCH", ENDPOINTS, body.as_bytes()).await;
        let text = answer.body.as_str().unwrap();
        assert_eq!(answer.status, 400, "{body}: {text}");
        assert!(text.starts_with("<errors "), "{body}: {text}");
    }
    let stray = edit(
        "1",
        "create",
        "/service-endpoint=a",
        "<value><a/><b/></value>",
    );
    let (status, text) = sent(&api, ENDPOINTS, &[stray]).await;
    assert_eq!(status, 400, "{text}");
    let wrong = "</e:service-endpoint><e:service-endpoint>".to_owned() + &value("a", "x");
    let wrong = edit("1", "create", "/service-endpoint=a", &wrong);
    assert_eq!(sent(&api, ENDPOINTS, &[wrong]).await.0, 400);
    let read = Api::admin(&gateway).get(ENDPOINTS).await.ok();
    assert_eq!(
        read,
        json!({ "Accedian-service-endpoint:service-endpoints": {} })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_come_in_xml_where_the_location_says_so() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let service = json!({ "service-id": "v", "sessions": [{ "session-id": "s" }] });
    api.made(SERVICES, json!({ "Accedian-service:service": [service] }))
        .await;
    let start = format!("{SESSIONS}/session=s/start");
    api.send("POST", &start, b"").await.has_status(204);
    gateway.pass(Duration::from_secs(5));
    let times = "start-time=2026-06-01T12:00:00Z&stop-time=2026-06-01T12:00:01Z";
    let path = format!("/restconf/streams/NETCONF/XML?{times}");
    let text = api.get(&path).await.ok();
    let events: Vec<&str> = text
        .as_str()
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    let [session, service, replayed] = events.as_slice() else {
        panic!("{text}");
    };
    let around = |inner: &str, at: &str| {
        format!(
            "<notification xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\">\
             <eventTime>2026-06-01T12:00:0{at}Z</eventTime>{inner}</notification>"
        )
    };
    let inner = "<state-change-event xmlns=\"http://accedian.com/ns/yang/session\">\
                 <session-id>s</session-id><status>running</status></state-change-event>";
    assert_eq!(*session, around(inner, "0"));
    assert!(
        service.contains("<session-state-change><session-id>s</session-id><status>running</status></session-state-change>"),
        "{service}"
    );
    let inner = "<replayComplete xmlns=\"urn:ietf:params:xml:ns:netmod:notification\"/>";
    assert_eq!(*replayed, around(inner, "5"));
}
