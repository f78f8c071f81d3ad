//! The naive way: stock tonic, a broadcast channel, and a clone and an encoding of each message for each subscriber.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::Request;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;
use tokio_stream::StreamExt as _;
use tollgate::clock::Clock;
use tonic::Status;
use tonic::Streaming;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

/// The messages as tonic makes them when nothing is chosen.
#[allow(
    dead_code,
    missing_docs,
    unused_qualifications,
    deprecated,
    clippy::all,
    clippy::pedantic,
    reason = "generated code"
)]
mod proto {
    pub mod gnmi {
        include!(concat!(env!("OUT_DIR"), "/stock/gnmi.rs"));
    }
    pub mod gnmi_ext {
        include!(concat!(env!("OUT_DIR"), "/stock/gnmi_ext.rs"));
    }
}

use proto::gnmi as pb;

#[derive(Clone)]
struct Naive {
    leaves: Arc<Mutex<BTreeMap<String, pb::SubscribeResponse>>>,
    changes: broadcast::Sender<pb::SubscribeResponse>,
    clock: Clock,
}

/// Serves for ever, and prints its address.
pub async fn serve() {
    let naive = Naive {
        leaves: Arc::default(),
        changes: broadcast::Sender::new(LAG),
        clock: Clock::system(),
    };
    let router = Router::new()
        .route("/gnmi.gNMI/Set", post(set))
        .route("/gnmi.gNMI/Subscribe", post(subscribe))
        .with_state(naive);
    let acceptor = TlsAcceptor::from(Arc::new(tls()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            tcp.set_nodelay(true).unwrap();
            let Ok(tls) = acceptor.accept(tcp).await else {
                return;
            };
            let service = TowerToHyperService::new(router);
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http2().max_concurrent_streams(1_000);
            let served = builder.serve_connection(TokioIo::new(tls), service);
            drop(served.await);
        });
    }
}

fn tls() -> ServerConfig {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    // As the gateway: tickets would only add to its memory.
    config.send_tls13_tickets = 0;
    config
}

async fn set(State(naive): State<Naive>, request: Request<axum::body::Body>) -> Response {
    let service = service_fn(move |request: tonic::Request<pb::SetRequest>| {
        let naive = naive.clone();
        async move {
            let request = request.into_inner();
            let timestamp = naive.clock.now().nanos();
            for update in request.update.into_iter().chain(request.replace) {
                let key = format!("{:?}", update.path);
                let notification = pb::Notification {
                    timestamp,
                    prefix: request.prefix.clone(),
                    update: vec![update],
                    ..Default::default()
                };
                let response = pb::subscribe_response::Response::Update(notification);
                let message = pb::SubscribeResponse {
                    response: Some(response),
                    extension: Vec::new(),
                };
                naive.leaves.lock().insert(key, message.clone());
                // Nobody may listen.
                let _count = naive.changes.send(message);
            }
            let answer = pb::SetResponse {
                timestamp,
                ..Default::default()
            };
            Ok::<_, Status>(tonic::Response::new(answer))
        }
    });
    let mut grpc = Grpc::new(ProstCodec::<pb::SetResponse, pb::SetRequest>::default());
    grpc.unary(service, request)
        .await
        .map(axum::body::Body::new)
}

async fn subscribe(State(naive): State<Naive>, request: Request<axum::body::Body>) -> Response {
    let service = service_fn(
        move |request: tonic::Request<Streaming<pb::SubscribeRequest>>| {
            let naive = naive.clone();
            async move {
                let mut requests = request.into_inner();
                requests.message().await?;
                Ok::<_, Status>(tonic::Response::new(naive.stream(requests)))
            }
        },
    );
    let codec = ProstCodec::<pb::SubscribeResponse, pb::SubscribeRequest>::default();
    let answer = Grpc::new(codec).streaming(service, request).await;
    answer.map(axum::body::Body::new)
}

impl Naive {
    /// What exists, a sync, and what changes.
    fn stream(
        &self,
        requests: Streaming<pb::SubscribeRequest>,
    ) -> impl Stream<Item = Result<pb::SubscribeResponse, Status>> + Send + use<> {
        let changes = self.changes.subscribe();
        let existing: Vec<_> = self.leaves.lock().values().cloned().collect();
        let sync = pb::SubscribeResponse {
            response: Some(pb::subscribe_response::Response::SyncResponse(true)),
            extension: Vec::new(),
        };
        let first = tokio_stream::iter(existing.into_iter().chain([sync]).map(Ok));
        let changes = futures_util::stream::unfold(
            (changes, requests),
            |(mut changes, requests)| async move {
                let change = match changes.recv().await {
                    Ok(change) => Ok(change),
                    Err(RecvError::Lagged(_)) => Err(Status::resource_exhausted("lagged")),
                    Err(RecvError::Closed) => return None,
                };
                Some((change, (changes, requests)))
            },
        );
        first.chain(changes)
    }
}

/// Changes that a subscriber may lag behind: enough that none ends.
const LAG: usize = 1 << 16;
