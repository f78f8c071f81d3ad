//! What operators write, and what they are told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn load(text: &str) -> Result<Settings, Mistakes> {
    Settings::load(&Sources::new().with_text("tollgate.toml", text))
}

/// Every value of the settings: the rooms' configurations have no equality of their own.
fn shown(settings: &Settings) -> String {
    format!("{settings:?}")
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[track_caller]
fn check_mistakes(sources: &Sources, expected: &[&str]) {
    let mistakes = Settings::load(sources).unwrap_err().to_string();
    assert_eq!(mistakes.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn defaults_need_no_file() {
    let settings = Settings::load(&Sources::new()).unwrap();
    assert_eq!(shown(&settings), shown(&load("").unwrap()));
    assert_eq!(
        settings.gateway.transport.listen,
        "0.0.0.0:443".parse().unwrap()
    );
    assert_eq!(settings.admin.listen, "127.0.0.1:9464".parse().unwrap());
    assert!(matches!(&settings.gateway.certificate, Certificate::Own(names) if names.len() == 3));
}

#[test]
fn file_gives_typed_values() {
    let settings = load(
        r#"
        [gateway]
        listen = "[::]:8443"
        names = ["gw.example", "192.0.2.1"]
        handshake_deadline = "250ms"
        max_connections = 20_000
        send_buffer = "128KiB"
        drain_grace = "1m"
        client_ca_file = "/etc/tollgate/clients.pem"
        client_crl_file = "/etc/tollgate/clients.crl"
        [store]
        data_dir = "/srv/tollgate"
        [log]
        level = "info,tollgate::iam=debug"
        format = "json"
        "#,
    )
    .unwrap();
    let transport = &settings.gateway.transport;
    assert_eq!(transport.listen, "[::]:8443".parse().unwrap());
    assert_eq!(transport.handshake_deadline, Duration::from_millis(250));
    assert_eq!(transport.max_connections, 20_000);
    assert_eq!(transport.send_buffer_bytes, 131_072);
    assert_eq!(settings.gateway.drain_grace, Duration::from_mins(1));
    assert!(transport.drain_deadline > settings.gateway.drain_grace);
    assert_eq!(
        settings.gateway.clients.ca_file,
        Some(PathBuf::from("/etc/tollgate/clients.pem"))
    );
    assert_eq!(settings.data_dir, PathBuf::from("/srv/tollgate"));
    assert_eq!(settings.log.format, LogFormat::Json);
}

#[test]
fn flag_goes_before_environment_before_file() {
    let port = |sources: &Sources| Settings::load(sources).unwrap().admin.listen.port();
    let sources = Sources::new().with_text("f", "[admin]\nlisten = '127.0.0.1:1'");
    assert_eq!(port(&sources), 1);
    let sources = sources.with_environment(variables(&[("TOLLGATE_ADMIN_LISTEN", "127.0.0.1:2")]));
    assert_eq!(port(&sources), 2);
    let sources = sources.with_flag("admin.listen", "127.0.0.1:3");
    assert_eq!(port(&sources), 3);
    assert_eq!(port(&sources.with_flag("admin.listen", "127.0.0.1:4")), 4);
}

#[test]
fn environment_takes_lists_numbers_and_nothing() {
    let sources = Sources::new().with_environment(variables(&[
        ("TOLLGATE_GATEWAY_NAMES", "a.example, 10.0.0.1"),
        ("TOLLGATE_GATEWAY_MAX_CONNECTIONS", "1_000"),
        ("TOLLGATE_GATEWAY_CERT_FILE", ""),
        // What Kubernetes sets for a service called tollgate-gateway.
        ("TOLLGATE_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("TOLLGATE_GATEWAY_PORT_443_TCP_ADDR", "10.0.0.1"),
        ("HOME", "/root"),
    ]));
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(settings.gateway.transport.max_connections, 1_000);
    assert!(matches!(&settings.gateway.certificate, Certificate::Own(names) if names.len() == 2));
}

#[test]
fn every_mistake_is_reported_with_its_line_and_key() {
    let text = r#"listen = "0.0.0.0:443"
[gateway]
listen = "localhost"
handshake_deadline = 30
header_deadline = "5 parsecs"
keepalive_interval = "2h"
max_conections = 5
max_connections = 0
max_streams_per_connection = "many"
stream_window = "1"
send_buffer = 65536
names = ["ok.example", "not ok"]
cert_file = "server.pem"
[admin.listen]
port = 1
[gateways]
listen = "0.0.0.0:443"
[log]
level = "verbose"
format = 1979-05-27
"#;
    let sources = Sources::new()
        .with_text("t.toml", text)
        .with_environment(variables(&[
            ("TOLLGATE_STORE_DATADIR", "/x"),
            ("TOLLGATE_GATEWAY_DRAIN_GRACE", "soon"),
        ]))
        .with_flag("log.colour", "yes");
    check_mistakes(
        &sources,
        &[
            "t.toml:1: listen: unknown key, did you mean `admin.listen`?",
            "t.toml:3: gateway.listen: expected an ip address with a port, such as \"0.0.0.0:443\" or \"[::]:443\"",
            "t.toml:4: gateway.handshake_deadline: expected a duration with a unit, such as \"30s\" or \"250ms\"",
            "t.toml:5: gateway.header_deadline: expected a duration with a unit, such as \"30s\" or \"250ms\"",
            "t.toml:6: gateway.keepalive_interval: must be between 100ms and 1h",
            "t.toml:7: gateway.max_conections: unknown key, did you mean `gateway.max_connections`?",
            "t.toml:8: gateway.max_connections: must be between 1 and 1000000",
            "t.toml:9: gateway.max_streams_per_connection: expected a whole number",
            "t.toml:10: gateway.stream_window: expected a size with a unit, such as \"64KiB\" or \"4MiB\"",
            "t.toml:11: gateway.send_buffer: expected a size with a unit, such as \"64KiB\" or \"4MiB\"",
            "t.toml:12: gateway.names: expected host names or ip addresses",
            "t.toml:13: gateway.cert_file: needs `gateway.key_file` too",
            "t.toml:14: admin.listen: expected an ip address with a port, such as \"0.0.0.0:443\" or \"[::]:443\"",
            "t.toml:15: admin.listen.port: unknown key",
            "t.toml:16: gateways: unknown key, did you mean `gateway`?",
            "t.toml:19: log.level: expected a level, or levels per part such as \"info,tollgate::iam=debug\"",
            "t.toml:20: log.format: expected \"text\" or \"json\"",
            "environment TOLLGATE_GATEWAY_DRAIN_GRACE: gateway.drain_grace: expected a duration with a unit, such as \"30s\" or \"250ms\"",
            "environment TOLLGATE_STORE_DATADIR: unknown key, did you mean `TOLLGATE_STORE_DATA_DIR`?",
            "flag log.colour: log.colour: unknown key",
        ],
    );
}

#[test]
fn text_that_is_not_toml_names_its_line() {
    let mistakes = load("[gateway]\nlisten = \n").unwrap_err();
    let [mistake] = mistakes.as_slice() else {
        panic!("{mistakes}")
    };
    assert!(
        matches!(&mistake.origin, Origin::File { line: 2, .. }),
        "{mistake}"
    );
    assert!(matches!(&mistake.fault, Fault::Syntax(_)));
    assert!(load("[gateway]\nlisten = 'a'\nlisten = 'b'").is_err());
    assert!(
        load("gateway = 3")
            .unwrap_err()
            .to_string()
            .contains("expected a section")
    );
    assert!(load("\"gateway.listen\" = '0.0.0.0:443'").is_err());
}

#[test]
fn printed_configuration_reads_back_and_says_where_from() {
    let sources = Sources::new()
        .with_text(
            "a.toml",
            "[gateway]\nnames = ['a.example']\n\n[log]\nlevel = 'debug'",
        )
        .with_environment(variables(&[("TOLLGATE_STORE_DATA_DIR", "/a \"b\"\\c")]))
        .with_flag("gateway.listen", "127.0.0.1:0");
    let text = print_config(&sources).unwrap();
    for line in [
        "listen = \"127.0.0.1:0\" # flag gateway.listen",
        "names = [\"a.example\"] # a.toml:2",
        "# cert_file is not set",
        "handshake_deadline = \"10s\" # default",
        "send_buffer = \"64KiB\" # default",
        "level = \"debug\" # a.toml:5",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "no `{line}` in\n{text}"
        );
    }
    assert_eq!(
        shown(&load(&text).unwrap()),
        shown(&Settings::load(&sources).unwrap())
    );
}

#[test]
fn check_config_counts_what_is_given() {
    let sources = Sources::new().with_flag("log.level", "debug");
    assert!(
        check_config(&sources)
            .unwrap()
            .starts_with("configuration is good: 1 of ")
    );
    assert!(check_config(&sources.with_flag("log.level", "loud")).is_err());
}

#[test]
fn documentation_has_every_key_with_default_and_limits() {
    let table = documentation();
    let row = "| `gateway.handshake_deadline` | `TOLLGATE_GATEWAY_HANDSHAKE_DEADLINE` | duration, 100ms to 1h | `\"10s\"` |";
    assert!(table.contains(row), "{table}");
    assert!(table.contains("| `gateway.cert_file` | `TOLLGATE_GATEWAY_CERT_FILE` | path |  |"));
    let rows = table.lines().skip(2);
    assert!(
        rows.clone().all(|row| row.matches('|').count() == 6),
        "{table}"
    );
    assert!(
        table.contains("| `measure.sessions[].destination` |  | address |  |"),
        "{table}"
    );
}

#[test]
fn measurement_sessions_are_rows_of_the_file() {
    let text = r#"
        [measure]
        reflector_listen = "0.0.0.0:862"
        reflector_allow = ["192.0.2.0/24"]
        [[measure.sessions]]
        tenant = "pca"
        id = "one"
        destination = "192.0.2.1:862"
        interval = "10ms"
        labels = ["usage=europe-east"]
        source_location = "48.2, 16.37"
        [[measure.sessions]]
        tenant = "pca"
        id = "two"
        name = "Second"
        destination = "192.0.2.2:862"
        reflector_mode = "stateless"
    "#;
    let settings = load(text).unwrap();
    assert!(
        settings
            .measure
            .reflector
            .as_ref()
            .is_some_and(|reflector| reflector.allow.len() == 1)
    );
    let [one, two] = &settings.measure.sessions[..] else {
        panic!("{settings:?}")
    };
    assert_eq!(one.tenant.as_str(), "pca");
    assert_eq!(
        (&*one.sender.object.name, &*two.sender.object.name),
        ("one", "Second")
    );
    assert!(one.sender.object.source.is_some());
    let printed = print_config(&Sources::new().with_text("m.toml", text)).unwrap();
    assert_eq!(printed.matches("[[measure.sessions]]").count(), 2);
    assert_eq!(shown(&load(&printed).unwrap()), shown(&settings));
}

#[test]
fn mistakes_in_rows_name_the_row() {
    let text = "[[measure.sessions]]\ntenant = 'a'\nid = 'a'\ndestination = '192.0.2.1:862'\nloss_timeout = '20s'\n\
                [[measure.sessions]]\nid = 1\nintervall = '1s'\npacket_size = 45\nsource_location = '91,0'\n";
    check_mistakes(
        &Sources::new().with_text("m", text),
        &[
            "m:5: measure.sessions[0].loss_timeout: loss timeout is not between 1 ms and the report interval",
            "m:6: measure.sessions[1].destination: is missing",
            "m:6: measure.sessions[1].tenant: is missing",
            "m:7: measure.sessions[1].id: expected text",
            "m:8: measure.sessions[1].intervall: unknown key, did you mean `measure.sessions[1].interval`?",
            "m:9: measure.sessions[1].packet_size: packet size is not 41 to 44 or 48 to 1472 octets",
            "m:10: measure.sessions[1].source_location: location is not within 90 degrees of latitude and 180 of longitude",
        ],
    );
    assert!(load("[measure]\nsessions = 3").is_err());
    assert!(load("[measure.sessions]\nid = 'a'").is_err());
    assert!(
        load("[measure]\nsessions = []")
            .unwrap()
            .measure
            .sessions
            .is_empty()
    );
}

#[test]
fn file_that_cannot_be_read_is_named() {
    let error = Sources::new()
        .with_file(&PathBuf::from("/nowhere/t.toml"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read configuration file /nowhere/t.toml"
    );
}

/// Lines of keys that exist with values of any kind: text that gets beyond the TOML parser.
fn plausible() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        "listen",
        "names",
        "level",
        "send_buffer",
        "drain_grace",
        "interval",
        "labels",
        "id",
        "[a-z_]{1,9}"
    ];
    let value = prop_oneof![
        "-?[0-9]{1,20}",
        "'[0-9]{0,25} ?(s|ms|d|KiB|TiB|x)?'",
        "\\[('[a-z.:*0-9]{0,9}', ?){0,3}\\]",
        "\\{ [a-z]{1,5} = 1 \\}",
        "(true|1e9|inf|1979-05-27)",
    ];
    let section = prop_oneof!["gateway", "admin", "store", "log", "measure", "[a-z]{1,5}"];
    let line = prop_oneof![
        4 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => section.clone().prop_map(|name| format!("[{name}]")),
        1 => section.prop_map(|name| format!("[[{name}.sessions]]")),
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), plausible()], word in any::<String>()) {
        let sources = Sources::new()
            .with_text("t", &text)
            .with_flag("gateway.drain_grace", &word)
            .with_environment(vec![("TOLLGATE_GATEWAY_NAMES".to_owned(), word.clone())]);
        if let Err(mistakes) = Settings::load(&sources) {
            prop_assert!(!mistakes.as_slice().is_empty());
        }
        if let Ok(settings) = load(&text) {
            let printed = print_config(&Sources::new().with_text("t", &text)).unwrap();
            prop_assert_eq!(shown(&load(&printed).unwrap()), shown(&settings));
        }
    }

    #[test]
    fn durations_and_sizes_read_back(nanos in 0..=u64::MAX, port in any::<u16>()) {
        use super::raw::Given;
        use super::setting::{Bytes, Setting};
        let word = |text: String| Given::Word(text.trim_matches('"').to_owned());
        let duration = Duration::from_nanos(nanos);
        prop_assert_eq!(Duration::read(&word(duration.write())), Ok(duration));
        prop_assert_eq!(Bytes::read(&word(Bytes(nanos).write())), Ok(Bytes(nanos)));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        prop_assert_eq!(SocketAddr::read(&word(address.write())), Ok(address));
    }
}
