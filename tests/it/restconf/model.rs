//! Every constraint of the data model (restconf-pki 2.3): one document that holds it, one that breaks it.

use serde_json::Value;
use serde_json::json;
use tollgate::schema::Schema;
use tollgate::schema::Source;

const ENDPOINT: (&str, &str) = (
    "Accedian-service-endpoint:service-endpoints",
    "service-endpoint",
);
const SESSION: (&str, &str) = ("Accedian-session:sessions", "session");
const POLICY: (&str, &str) = ("Accedian-alert:alert-policies", "alert-policy");

fn is_valid(schema: &Schema, (container, list): (&str, &str), entry: &Value) -> Result<(), String> {
    let Value::Object(document) = json!({ container: { list: [entry] } }) else {
        panic!();
    };
    schema
        .validate(&document)
        .map(drop)
        .map_err(|fault| format!("{fault:?}"))
}

#[track_caller]
fn check(list: (&str, &str), good: &[Value], bad: &[Value]) {
    let schema = Schema::load(Source::Embedded).unwrap();
    for entry in good {
        assert_eq!(is_valid(&schema, list, entry), Ok(()), "{entry}");
    }
    for entry in bad {
        assert!(is_valid(&schema, list, entry).is_err(), "{entry}");
    }
}

fn endpoint(more: Value) -> Value {
    let mut entry = json!({ "endpoint-id": "e" });
    entry
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    entry
}

/// A session of this type whose first endpoint has this content.
fn protocol(kind: &str, content: Value) -> Value {
    let name = format!("Accedian-session-{kind}:{kind}");
    json!({
        "session-id": "s", "session-type": format!("Accedian-session-type:{kind}"),
        "service-endpoints": [{ "endpoint-id": "e", "session-protocol": { name: content } }],
    })
}

fn sender(kind: &str, content: Value) -> Value {
    protocol(kind, json!({ "session-sender": content }))
}

#[test]
fn identifiers_have_their_length_and_letters() {
    let id = |id: &str| json!({ "endpoint-id": id });
    let long = "x".repeat(128);
    check(
        ENDPOINT,
        &[id("a"), id("0-_.Z"), id(&long)],
        &[
            id(""),
            id("-a"),
            id("a b"),
            id("é"),
            id(&format!("{long}x")),
        ],
    );
}

#[test]
fn endpoint_has_the_configuration_of_its_type() {
    let of = |kind: &str, config: &str| {
        endpoint(json!({
            "type": format!("Accedian-service-endpoint-type:{kind}-endpoint"),
            "config": { format!("Accedian-service-endpoint-{config}:{config}-config"): {} },
        }))
    };
    let vlan = |id: Value| {
        endpoint(json!({
            "type": "Accedian-service-endpoint-type:ne-endpoint",
            "config": { "Accedian-service-endpoint-ne:ne-config": { "vlan-id": id } },
        }))
    };
    let kinds = ["ne", "ssc", "nid", "unmanaged"];
    let good: Vec<_> = kinds
        .iter()
        .map(|kind| of(kind, kind))
        .chain([vlan(json!(0)), vlan(json!(4095))])
        .collect();
    let nid = |mac: &str| {
        endpoint(json!({
            "type": "Accedian-service-endpoint-type:nid-endpoint",
            "config": { "Accedian-service-endpoint-nid:nid-config": { "mac-address": mac } },
        }))
    };
    check(
        ENDPOINT,
        &good,
        &[
            vlan(json!(4096)),
            vlan(json!("123")),
            nid("00:11"),
            endpoint(json!({ "type": "Accedian-session-type:echo" })),
        ],
    );
    let ne = json!({ "Accedian-service-endpoint-ne:ne-config": { "ne-id": "x" } });
    let foreign =
        endpoint(json!({ "type": "Accedian-service-endpoint-type:nid-endpoint", "config": ne }));
    check(ENDPOINT, &[nid("00:11:22:33:44:55")], &[foreign]);
}

#[test]
fn location_has_both_coordinates_in_range() {
    let at = |place: Value| endpoint(json!({ "geo-location": place }));
    check(
        ENDPOINT,
        &[
            at(json!({ "latitude": "-90.0", "longitude": "180.0" })),
            at(json!({})),
        ],
        &[
            at(json!({ "latitude": "1.0" })),
            at(json!({ "longitude": "1.0" })),
            at(json!({ "latitude": "90.000001", "longitude": "0.0" })),
            at(json!({ "latitude": "0.0", "longitude": "-180.000001" })),
            at(json!({ "latitude": 1.0, "longitude": "0.0" })),
        ],
    );
}

#[test]
fn session_has_a_type_and_the_protocol_of_it() {
    let foreign = json!({
        "session-id": "s", "session-type": "Accedian-session-type:echo",
        "service-endpoints": [{ "endpoint-id": "e", "session-protocol": { "Accedian-session-twamp-light:twamp-light": { "session-sender": { "admin-state": true } } } }],
    });
    check(
        SESSION,
        &[sender("twamp-light", json!({ "admin-state": true }))],
        &[
            foreign,
            json!({ "session-id": "s" }),
            json!({ "session-type": "Accedian-session-type:echo" }),
        ],
    );
    let with = |topology: Vec<String>| json!({ "session-id": "s", "session-type": "Accedian-session-type:echo", "metadata": { "topology": topology } });
    let tags = |count: usize| (0..count).map(|tag| tag.to_string()).collect();
    check(
        SESSION,
        &[with(tags(25)), with(vec!["x".repeat(100)])],
        &[
            with(tags(26)),
            with(vec!["x".repeat(101)]),
            with(vec![String::new()]),
            with(vec!["a".to_owned(), "a".to_owned()]),
        ],
    );
}

#[test]
fn ranges_of_each_protocol_end_where_they_should() {
    for (kind, path, low, high) in [
        ("twamp-light", "report-interval", 1, 900),
        ("echo", "report-interval", 1, 900),
        ("throughput", "report-interval", 1, 60),
        ("throughput", "duration", 0, 86_400),
        ("throughput", "parallel", 1, 128),
        ("throughput", "network-mtu", 0, 9_000),
        ("twamp-light", "test-packets/payload-size", 41, 1_472),
        ("echo", "test-packets/payload-size", 20, 1_472),
        ("twamp-light", "test-packets/rate", 1, 1_000),
        ("twamp-light", "test-packets/number-of-packets", 10, 250_000),
        ("twamp-light", "test-packets/dscp", 0, 63),
        ("twamp-light", "test-packets/vlan-priority", 0, 7),
        ("y1564", "test-config/step-duration", 1, 60),
        ("y1564", "test-config/test-duration", 1, 1_440),
        ("rfc2544", "test-config/jumbo-frame-size", 64, 10_240),
        ("rfc2544", "test-config/binary-duration", 1, 10),
    ] {
        let at = |number: i64| {
            let value = path
                .rsplit('/')
                .fold(json!(number), |value, name| json!({ name: value }));
            sender(kind, value)
        };
        check(SESSION, &[at(low), at(high)], &[at(low - 1), at(high + 1)]);
    }
    let packets = |value: Value| {
        sender(
            "twamp-light",
            json!({ "test-packets": { "number-of-packets": value } }),
        )
    };
    check(
        SESSION,
        &[packets(json!("continuous"))],
        &[packets(json!("endless"))],
    );
}

#[test]
fn conditions_inside_a_session_hold() {
    let udp = |admin: bool, kind: &str| {
        protocol(
            "echo",
            json!({ "protocol-type": kind, "session-sender": { "admin-state": admin, "udp": { "reflector-udp-port": 7 } } }),
        )
    };
    check(
        SESSION,
        &[udp(true, "udp")],
        &[udp(false, "udp"), udp(true, "icmp")],
    );
    let layer3 = |admin: bool, more: Value| {
        protocol(
            "rfc2544",
            json!({ "session-sender": { "admin-state": admin, "layer3": more } }),
        )
    };
    check(
        SESSION,
        &[
            layer3(true, json!({ "source-udp-port": "autoallocate" })),
            sender("rfc2544", json!({ "admin-state": false })),
        ],
        &[
            layer3(true, json!({ "dscp": 1 })),
            layer3(false, json!({ "source-udp-port": 1 })),
        ],
    );
    let vlans = |vlans: Value| sender("rfc2544", vlans);
    check(
        SESSION,
        &[vlans(
            json!({ "vlan-1": { "id": 1 }, "vlan-2": { "id": 2, "tpid": "0x88a8" } }),
        )],
        &[
            vlans(json!({ "vlan-2": { "id": 2 } })),
            vlans(json!({ "vlan-1": {} })),
            vlans(json!({ "vlan-1": { "id": 1, "tpid": "0x1" } })),
        ],
    );
    let services = |count: usize| {
        let services: Vec<_> = (0..count)
            .map(|it| json!({ "service-name": it.to_string() }))
            .collect();
        sender("y1564", json!({ "service": services }))
    };
    check(SESSION, &[services(8)], &[services(9)]);
    let emix = |kind: &str, sequence: &str| {
        sender(
            "y1564",
            json!({ "service": [{ "service-name": "x", "frame-size-type": kind, "emix-size-sequence": sequence }] }),
        )
    };
    check(
        SESSION,
        &[emix("emix", "abcdefgu")],
        &[
            emix("fixed", "a"),
            emix("emix", "x"),
            emix("emix", "aaaaaaaaa"),
        ],
    );
}

#[test]
fn alert_policy_has_conditions_of_its_type() {
    let policy = |kind: &str, conditions: Value| {
        json!({
            "policy-id": "p", "policy-type": format!("Accedian-alert-type:{kind}"),
            "policy": { format!("Accedian-alert-{kind}:{kind}-policy"): { "conditions": conditions } },
        })
    };
    let condition = |on: Value| json!([{ "condition-id": "1", "metric-type": "jitter-p95", "triggers-on": on }]);
    let text = |length: usize| {
        let mut entry = policy("metric", condition(json!({ "threshold": "1.0" })));
        entry["description"] = json!("x".repeat(length));
        entry
    };
    check(
        POLICY,
        &[
            policy(
                "metric",
                condition(json!({ "threshold": "1000.0", "comparator": "gt", "ratio": 0 })),
            ),
            policy("metric-baseline", condition(json!({ "threshold": 999 }))),
            text(512),
        ],
        &[
            policy("metric", json!([])),
            policy("metric", condition(json!({}))),
            policy(
                "metric",
                condition(json!({ "threshold": "1.0", "ratio": 101 })),
            ),
            policy("metric-baseline", condition(json!({ "threshold": 0 }))),
            policy(
                "metric",
                json!([{ "condition-id": "1", "metric-type": "nothing", "triggers-on": { "threshold": "1.0" } }]),
            ),
            policy(
                "metric",
                json!([{ "condition-id": "1", "triggers-on": { "threshold": "1.0" } }]),
            ),
            json!({ "policy-id": "p" }),
            text(513),
        ],
    );
}
