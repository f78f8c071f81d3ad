//! Event streams.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Answer;
use super::Api;
use super::SERVICES;
use super::SESSIONS;
use super::session;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const STREAMS: &str = "/restconf/data/ietf-restconf-monitoring:restconf-state/streams";
const ALL: &str = "/restconf/streams/NETCONF/JSON";
const OF_SESSIONS: &str =
    "/restconf/streams/notification-stream/Accedian-session:state-change-event/JSON";

/// The events of a stream that has ended, and what else it said.
fn events(body: &Value) -> Vec<Value> {
    let blocks = body.as_str().unwrap().split("\n\n");
    blocks
        .filter_map(|block| block.lines().find_map(|line| line.strip_prefix("data: ")))
        .map(|data| serde_json::from_str::<Value>(data).unwrap())
        .map(|mut event| event["ietf-restconf:notification"].take())
        .collect()
}

fn statuses(events: &[Value]) -> Vec<&str> {
    let status = |event: &Value| {
        event["Accedian-session:state-change-event"]["status"]
            .as_str()
            .map(str::to_owned)
    };
    let known = ["running", "stopped"];
    let found = events.iter().filter_map(status);
    found
        .filter_map(|it| known.into_iter().find(|word| *word == it))
        .collect()
}

/// Sessions `s` of group `g` and `t` of none, `s` in a service; `s` was started and stopped, `t` started.
async fn eventful(gateway: &Gateway) -> Api<'_> {
    let api = Api::admin(gateway).with_session().await;
    let mut of_group = session("s");
    of_group["group-id"] = json!("g");
    let path = format!("{SESSIONS}/session=s");
    api.put(&path, json!({ "Accedian-session:session": [of_group] }))
        .await
        .has_status(204);
    api.made(
        SESSIONS,
        json!({ "Accedian-session:session": [session("t")] }),
    )
    .await;
    let service = json!({ "service-id": "v", "sessions": [{ "session-id": "s" }] });
    api.made(SERVICES, json!({ "Accedian-service:service": [service] }))
        .await;
    for action in [
        "session=s/start",
        "session=s/start",
        "session=s/stop",
        "session=t/start",
    ] {
        gateway.pass(Duration::from_secs(1));
        api.send("POST", &format!("{SESSIONS}/{action}"), b"")
            .await
            .has_status(204);
    }
    gateway.pass(Duration::from_secs(1));
    api
}

/// Everything since the gateway's start, 12:00:00, until `stop`.
async fn replay(api: &Api<'_>, path: &str, stop: &str, more: &str) -> Answer {
    let times = format!("start-time=2026-06-01T12:00:00Z&stop-time=2026-06-01T12:00:{stop}Z");
    api.get(&format!("{path}?{times}{more}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_listed_with_locations_that_answer() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let found = api.get(STREAMS).await.ok();
    let found = found["ietf-restconf-monitoring:streams"]["stream"]
        .as_array()
        .unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"NETCONF") && names.len() == 5, "{names:?}");
    gateway.pass(Duration::from_secs(5));
    for stream in found {
        assert_eq!(stream["replay-support"], true);
        assert_eq!(stream["replay-log-creation-time"], "2026-06-01T12:00:00Z");
        for (access, encoding) in ["json", "xml"].into_iter().enumerate() {
            let access = &stream["access"][access];
            assert_eq!(access["encoding"], encoding);
            let location = access["location"].as_str().unwrap();
            let path = location.strip_prefix("https://gw").unwrap();
            let answer = replay(&api, path, "01", "").await;
            answer.has_status(200);
            assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        }
    }
    let one = format!(
        "{STREAMS}/stream=notification-stream%2FAccedian-session%3Astate-change-event/access=json/location"
    );
    api.get(&one).await.has_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_is_in_order_and_ends_at_its_time() {
    let gateway = Gateway::start().await;
    let api = eventful(&gateway).await;
    let all = events(&replay(&api, ALL, "05", "").await.ok());
    let kinds: Vec<_> = all
        .iter()
        .map(|event| {
            event
                .as_object()
                .unwrap()
                .keys()
                .next_back()
                .unwrap()
                .as_str()
        })
        .collect();
    let (session, service) = (
        "Accedian-session:state-change-event",
        "Accedian-service:state-change-event",
    );
    assert_eq!(
        kinds,
        [
            session,
            service,
            session,
            service,
            session,
            "nc-notifications:replayComplete"
        ]
    );
    assert_eq!(
        all[0],
        json!({ "eventTime": "2026-06-01T12:00:01Z", session: { "session-id": "s", "group-id": "g", "status": "running" } })
    );
    assert_eq!(
        all[1][service],
        json!({ "service-id": "v", "session-state-change": [{ "session-id": "s", "status": "running" }] })
    );
    let early = events(&replay(&api, OF_SESSIONS, "03", "").await.ok());
    assert_eq!(statuses(&early), ["running", "stopped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_get_what_they_asked_for() {
    let gateway = Gateway::start().await;
    let api = eventful(&gateway).await;
    for (more, expected) in [
        ("&group-id=g", 2),
        ("&group-id=h", 0),
        (
            "&filter=%2FAccedian-session%3Astate-change-event%5Bstatus%3D%27running%27%5D",
            2,
        ),
    ] {
        let found = events(&replay(&api, OF_SESSIONS, "05", more).await.ok());
        assert_eq!(statuses(&found).len(), expected, "{more}");
    }
    let token = gateway.token_of("other", "tenant-admin").await;
    let other = Api::new(&gateway, &token);
    let found = events(&replay(&other, ALL, "05", "").await.ok());
    assert_eq!(statuses(&found).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_resumes_where_it_stopped() {
    let gateway = Gateway::start().await;
    let api = eventful(&gateway).await;
    let whole = replay(&api, OF_SESSIONS, "05", "").await.ok();
    let whole = whole.as_str().unwrap();
    let first = whole
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let again = Api::admin(&gateway).with("Last-Event-ID", first);
    let rest = events(&replay(&again, OF_SESSIONS, "05", "").await.ok());
    assert_eq!(statuses(&rest), ["stopped", "running"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_requests_are_checked() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.get("/restconf/streams/nothing/JSON")
        .await
        .is(404, "invalid-value");
    api.post(ALL, json!({}))
        .await
        .is(405, "operation-not-supported");
    let xml = Api::admin(&gateway).with("Accept", "application/yang-data+json");
    xml.get(ALL).await.is(406, "invalid-value");
    for query in [
        "stop-time=2026-06-01T12:00:00Z",
        "start-time=2026-06-01T11:00:00Z&stop-time=2026-06-01T10:00:00Z",
        "start-time=2026-06-01T13:00:00Z",
        "start-time=yesterday",
        "filter=nonsense",
        "filter=%2Fnothing%3Ahere",
        "depth=1",
        "group-id=a&group-id=b",
    ] {
        api.get(&format!("{ALL}?{query}"))
            .await
            .is(400, "invalid-value");
    }
    let token = gateway.token_of(TENANT, "tenant-portal").await;
    Api::new(&gateway, &token)
        .get(ALL)
        .await
        .is(403, "access-denied");
}

/// A stream that is open: what has come so far.
struct Open {
    stream: TlsStream<TcpStream>,
    text: String,
}

impl Open {
    async fn new(gateway: &Gateway, token: &str) -> Self {
        Self::on(gateway.connect().await, token).await
    }

    async fn on(mut stream: TlsStream<TcpStream>, token: &str) -> Self {
        let request = format!(
            "GET {OF_SESSIONS} HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut open = Self {
            stream,
            text: String::new(),
        };
        open.until("\r\n\r\n").await;
        open
    }

    /// Reads until `end` has come; false when the stream ends before.
    async fn until(&mut self, end: &str) -> bool {
        let mut piece = [0; 4096];
        while !self.text.contains(end) {
            let read = tokio::time::timeout(Duration::from_secs(30), self.stream.read(&mut piece));
            match read.await.unwrap() {
                Ok(0) | Err(_) => return false,
                Ok(length) => self
                    .text
                    .push_str(&String::from_utf8_lossy(&piece[..length])),
            }
        }
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_is_one_block_of_data() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let mut open = Open::new(&gateway, &gateway.token()).await;
    assert!(open.text.starts_with("HTTP/1.1 200"), "{}", open.text);
    api.send("POST", &format!("{SESSIONS}/session=s/start"), b"")
        .await
        .has_status(204);
    assert!(open.until("}\n\n").await, "{}", open.text);
    let block = open.text.split("id: ").nth(1).unwrap();
    let lines: Vec<&str> = block.lines().collect();
    assert!(
        lines[0].parse::<u64>().is_ok()
            && lines[1].starts_with("data: {\"ietf-restconf:notification\""),
        "{block}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_ends_with_its_token() {
    let gateway = Gateway::start().await;
    let (token, id) = gateway.new_token(TENANT, "tenant-user", None).await;
    let mut open = Open::new(&gateway, &token).await;
    assert_eq!(gateway.live_sessions(), 1);
    gateway.revoke(TENANT, &id).await;
    assert!(open.until(": ended: ").await, "{}", open.text);
    assert!(!open.until("data: ").await, "{}", open.text);
    gateway.until(|gateway| gateway.live_sessions() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_node_replays_and_hears_what_this_one_tells() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = |action| format!("{SESSIONS}/session=s/{action}");
    api.send("POST", &path("start"), b"").await.has_status(204);
    gateway.pass(Duration::from_secs(1));
    // It knows nothing but what the store has.
    let other = gateway.another_node().await;
    let stream = gateway.tls(other.address()).await;
    let mut open = Open::on(stream, &gateway.token()).await;
    api.send("POST", &path("stop"), b"").await.has_status(204);
    assert!(open.until("\"stopped\"").await, "{}", open.text);
    assert!(!open.text.contains("\"running\""), "{}", open.text);
    let times = "start-time=2026-06-01T11:00:00Z&stop-time=2026-06-01T12:00:01Z";
    let request = format!(
        "GET {OF_SESSIONS}?{times} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
        gateway.token()
    );
    let mut replay = Open {
        stream: gateway.tls(other.address()).await,
        text: String::new(),
    };
    replay.stream.write_all(request.as_bytes()).await.unwrap();
    replay.until("never").await;
    let (running, stopped) = (
        replay.text.find("\"running\""),
        replay.text.find("\"stopped\""),
    );
    assert!(running.is_some() && running < stopped, "{}", replay.text);
    other.drain().await;
}
