//! The load generator against the gateway: bounded by counts, so that no test waits for a clock.

use std::sync::Arc;
use std::time::Duration;

use tollgate::load;
use tollgate::secret::Secret;
use tollgate::transport::Trust;
use tollgate::wire::proto::gnmi as pb;

use crate::client::in_time;
use crate::gateway::Gateway;

const UPDATES: u64 = 400;

fn config(gateway: &Gateway) -> load::Config {
    load::Config {
        publish_address: None,
        reconnect_interval: None,
        address: gateway.address.to_string(),
        tls: Arc::new(Trust::Anybody.client_config(&[b"h2"]).unwrap()),
        credential: load::Credential::Bearer(Secret::new(gateway.token())),
        connections: 2,
        stream_window: load::STREAM_WINDOW_BYTES,
        sources: vec!["127.0.0.2".parse().unwrap(), "127.0.0.3".parse().unwrap()],
        readers: load::Readers {
            subscriptions: 8,
            mode: load::Mode::Stream,
            sampling: load::Sampling::OnChange,
            paths: Vec::new(),
            target: String::new(),
            encoding: pb::Encoding::Proto,
            slow: 0,
            stalled: 0,
        },
        writers: Some(load::Writers {
            publishers: 2,
            leaves: 10,
            rate: 0,
            batch: 5,
            updates: Some(UPDATES),
        }),
        duration: Duration::from_mins(1),
        warm_up: Duration::ZERO,
        server_process: None,
    }
}

async fn run(gateway: &Gateway, config: load::Config) -> load::Report {
    in_time(load::run(config, gateway.clock.clone(), |_| ()))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stream_gets_every_leafs_last_value() {
    let gateway = Gateway::start().await;
    for encoding in [pb::Encoding::Proto, pb::Encoding::JsonIetf] {
        let mut config = config(&gateway);
        config.readers.encoding = encoding;
        let report = run(&gateway, config).await;
        assert!(report.clean, "{report}");
        assert!(report.delivery_rate > 0.0, "{report}");
        assert!(!report.behind_offered_rate, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_reader_resumes_with_the_latest_values() {
    let gateway = Gateway::start().await;
    let mut config = config(&gateway);
    config.readers.stalled = 1;
    if let Some(writers) = &mut config.writers {
        writers.updates = Some(20_000);
    }
    let report = run(&gateway, config).await;
    assert!(report.clean, "{report}");
    assert!(report.laggard_coalesced > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_connections_lose_nothing() {
    let gateway = Gateway::start().await;
    let mut config = config(&gateway);
    config.reconnect_interval = Some(Duration::from_millis(5));
    if let Some(writers) = &mut config.writers {
        writers.updates = Some(20_000);
    }
    let report = run(&gateway, config).await;
    assert!(report.clean, "{report}");
    assert!(report.reconnects > 1, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_and_once_read_round_after_round() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/own/value", crate::client::int(1));
    for mode in [load::Mode::Poll, load::Mode::Once] {
        let mut config = config(&gateway);
        config.readers.mode = mode;
        config.readers.paths = vec![crate::client::path("/own")];
        let report = run(&gateway, config).await;
        assert!(report.errors.is_empty(), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_streams_and_writes_are_errors_by_status() {
    let gateway = Gateway::start().await;
    let mut config = config(&gateway);
    config.credential = load::Credential::None;
    config.duration = Duration::from_millis(1);
    let report = run(&gateway, config).await;
    assert!(!report.clean);
    assert_eq!(report.errors.get("Unauthenticated"), Some(&8), "{report}");
    assert!(
        report.errors.contains_key("set: Unauthenticated"),
        "{report}"
    );
}

#[tokio::test]
async fn settings_without_sense_are_refused_before_connecting() {
    let gateway = Gateway::start().await;
    let mut none = config(&gateway);
    none.connections = 0;
    let mut nothing_to_read = config(&gateway);
    nothing_to_read.writers = None;
    for config in [none, nothing_to_read] {
        let outcome = load::run(config, gateway.clock.clone(), |_| ()).await;
        assert!(matches!(outcome, Err(load::Error::Config(_))));
    }
}
