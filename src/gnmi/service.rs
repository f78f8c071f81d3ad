//! The service: what its RPCs share, and how each runs.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use axum::response::Response;
use http::HeaderValue;
use http::Request;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::Streaming;
use tonic::body::Body;
use tonic::codec::BufferSettings;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::iam::Action;
use crate::iam::Identity;
use crate::iam::LiveSession;
use crate::iam::Permit;
use crate::telemetry::Core;
use crate::wire::proto::gnmi as pb;

use super::admission::Admission;
use super::admission::Asker;
use super::arbitration::Arbitration;
use super::capabilities::capabilities;
use super::compression::accepts_gzip;
use super::config::Config;
use super::error::Error;
use super::get::get;
use super::provisioned::Mirror;
use super::provisioned::narrow;
use super::provisioned::need;
use super::reach::check_set;
use super::reach::narrow_get;
use super::refusals::Refusals;
use super::request::read_get;
use super::request::read_set;
use super::set::Writer;
use super::set::set;
use super::status;
use super::stream::SubscribeBody;

/// The gNMI service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service(pub(super) Arc<Shared>);

/// What all RPCs share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) core: Core,
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) mirror: Mirror,
    pub(super) arbitration: Arbitration,
    admission: Admission,
    refusals: Refusals,
    streams: Arc<AtomicUsize>,
}

/// A Subscribe that has been let in.
struct Admitted {
    session: LiveSession,
    asker: Asker,
    slot: StreamSlot,
    encoding: Option<CompressionEncoding>,
}

/// One open stream among all. Gives its place back when dropped.
#[derive(Debug)]
pub(super) struct StreamSlot(Arc<AtomicUsize>);

impl Service {
    /// A service that reads and writes `core`, and the configuration in `datastore`, for those whom `identity` knows.
    pub fn new(
        core: Core,
        datastore: Datastore,
        identity: &Identity,
        clock: Clock,
        config: Config,
    ) -> Self {
        let mirror = Mirror::new(datastore, core.clone(), clock.clone());
        let (authenticator, registry) = (identity.authenticator.clone(), identity.registry.clone());
        Self(Arc::new(Shared {
            core,
            clock,
            config,
            mirror,
            admission: Admission::new(authenticator, registry),
            arbitration: Arbitration::default(),
            refusals: Refusals::default(),
            streams: Arc::default(),
        }))
    }

    /// Open Subscribe RPCs.
    pub fn streams(&self) -> usize {
        self.0.streams.load(Ordering::Relaxed)
    }

    /// Follows the datastore until cancelled: subscribers are told of its changes.
    pub async fn follow(self, stop: CancellationToken) {
        self.0.mirror.follow(stop).await;
    }

    pub(super) async fn capabilities(&self, request: Request<axum::body::Body>) -> Response {
        let (parts, body) = request.into_parts();
        if let Err(status) = self.0.admission.authenticate(&parts).await {
            return refuse(status);
        }
        let shared = Arc::clone(&self.0);
        self.unary(
            parts,
            body,
            move |request: pb::CapabilityRequest| async move {
                capabilities(&request, shared.mirror.datastore().schema())
            },
        )
        .await
    }

    pub(super) async fn get(&self, request: Request<axum::body::Body>) -> Response {
        let (parts, body) = request.into_parts();
        let (permit, asker) = match self.0.admission.admit(&parts, Action::Read).await {
            Ok(admitted) => admitted,
            Err(status) => return refuse(status),
        };
        let shared = Arc::clone(&self.0);
        self.unary(parts, body, move |request: pb::GetRequest| async move {
            let answered = shared.get(&permit, request).await;
            answered.inspect_err(|error| asker.note(error))
        })
        .await
    }

    pub(super) async fn set(&self, request: Request<axum::body::Body>) -> Response {
        let (parts, body) = request.into_parts();
        let (writer, asker) = match self.0.admission.admit(&parts, Action::Write).await {
            Ok((permit, asker)) => {
                let (actor, origin) = (asker.actor(), asker.origin().clone());
                let writer = Writer {
                    permit,
                    actor,
                    origin,
                };
                (writer, asker)
            }
            Err(status) => return refuse(status),
        };
        let shared = Arc::clone(&self.0);
        self.unary(parts, body, move |request: pb::SetRequest| async move {
            let answered = shared.set(writer, request).await;
            answered.inspect_err(|error| asker.note(error))
        })
        .await
    }

    pub(super) async fn subscribe(&self, request: Request<axum::body::Body>) -> Response {
        let (parts, mut body) = request.into_parts();
        match self.admit_stream(&parts).await {
            Ok(admitted) => self.stream(&parts, body, admitted),
            Err(status) => {
                self.0.refusals.hear(&mut body).await;
                refuse(status)
            }
        }
    }

    async fn admit_stream(&self, parts: &Parts) -> Result<Admitted, Status> {
        let shared = &self.0;
        let limit = shared.config.max_streams_per_principal;
        let session = shared.admission.open(parts, Action::Read, limit).await?;
        let slot = shared.slot()?;
        let encoding = read_encoding(parts)?;
        let principal = Arc::clone(session.principal());
        let asker = shared.admission.asker(parts, principal)?;
        Ok(Admitted {
            session,
            asker,
            slot,
            encoding,
        })
    }

    fn stream(&self, parts: &Parts, body: axum::body::Body, admitted: Admitted) -> Response {
        let shared = Arc::clone(&self.0);
        let Admitted {
            session,
            asker,
            slot,
            encoding,
        } = admitted;
        let decoder = ProstCodec::<pb::SubscribeResponse, pb::SubscribeRequest>::raw_decoder(
            BufferSettings::new(REQUEST_BUFFER, REQUEST_BUFFER),
        );
        let limit = Some(shared.config.max_message_bytes);
        let requests = Streaming::new_request(decoder, body, encoding, limit);
        let principal = session.principal();
        let ends = principal.token.is_some() || principal.certificate.is_some();
        let expires = ends.then_some(principal.expires);
        let compresses = accepts_gzip(&parts.headers);
        let body = SubscribeBody::new(shared, (session, asker), requests, compresses, slot);

        let mut response = Response::new(axum::body::Body::new(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        if compresses {
            headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        }
        if let Some(expires) = expires.and_then(|at| HeaderValue::try_from(at.to_string()).ok()) {
            headers.insert("x-token-expires-at", expires);
        }
        response
    }

    /// Runs an RPC with one message each way.
    async fn unary<M, N, F>(
        &self,
        parts: Parts,
        body: axum::body::Body,
        answer: impl FnOnce(M) -> F + Send,
    ) -> Response
    where
        M: prost::Message + Default + Send + 'static,
        N: prost::Message + Default + Send + 'static,
        F: Future<Output = Result<N, Error>> + Send,
    {
        let mut answer = Some(answer);
        let service = service_fn(move |request: tonic::Request<M>| {
            let answer = answer.take().map(|answer| answer(request.into_inner()));
            async {
                let answered = match answer {
                    Some(answer) => answer.await.map_err(Status::from),
                    None => Err(Status::internal("a unary call has one message")),
                };
                answered.map(tonic::Response::new)
            }
        });
        let mut grpc = Grpc::new(ProstCodec::<N, M>::default())
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(self.0.config.max_message_bytes);
        let response = grpc.unary(service, Request::from_parts(parts, body)).await;
        status::with_our_codes(response).map(axum::body::Body::new)
    }
}

impl Shared {
    async fn get(
        &self,
        permit: &Permit,
        request: pb::GetRequest,
    ) -> Result<pb::GetResponse, Error> {
        let schema = self.mirror.datastore().schema();
        let request = read_get(&request, &self.config, schema)?;
        let request = narrow(narrow_get(request, permit.reach())?, permit, &self.core)?;
        let patterns = request.paths.iter().flat_map(|(patterns, _)| patterns);
        let need = need(&request.selector, patterns);
        self.mirror.refresh(permit.tenant(), need).await?;
        get(self, permit, &request)
    }

    async fn set(&self, writer: Writer, request: pb::SetRequest) -> Result<pb::SetResponse, Error> {
        let request = read_set(&request, &self.config)?;
        check_set(&request, writer.permit.reach())?;
        set(self, writer, request).await
    }

    /// A full server is UNAVAILABLE: another attempt may succeed (gNMI rule 2).
    fn slot(&self) -> Result<StreamSlot, Status> {
        let slot = StreamSlot(Arc::clone(&self.streams));
        if self.streams.fetch_add(1, Ordering::Relaxed) >= self.config.max_streams {
            return Err(Status::unavailable(
                "the gateway has as many streams as it may have",
            ));
        }
        Ok(slot)
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refuse(status: Status) -> Response {
    status.into_http::<Body>().map(axum::body::Body::new)
}

/// How the client compresses its messages.
fn read_encoding(parts: &Parts) -> Result<Option<CompressionEncoding>, Status> {
    match parts
        .headers
        .get("grpc-encoding")
        .map(HeaderValue::as_bytes)
    {
        None | Some(b"identity") => Ok(None),
        Some(b"gzip") => Ok(Some(CompressionEncoding::Gzip)),
        Some(_) => {
            let mut status = Status::unimplemented("grpc-encoding: only gzip is offered");
            let offered = tonic::metadata::MetadataValue::from_static("identity,gzip");
            status
                .metadata_mut()
                .insert("grpc-accept-encoding", offered);
            Err(status)
        }
    }
}

/// Bytes that a stream sets aside for its requests, of which most clients send one; a longer one makes it grow. The
/// library's own 8 KiB would be half of what an idle stream costs.
const REQUEST_BUFFER: usize = 128;
