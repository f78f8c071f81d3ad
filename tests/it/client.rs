//! A gNMI client for the tests: the generated one, with a credential, a deadline on every wait, and short words.

use std::fmt::Write;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::g_nmi_client::GNmiClient;
use tollgate::wire::proto::gnmi_ext as ext;
use tonic::Code;
use tonic::Request;
use tonic::Status;
use tonic::Streaming;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;

/// Long enough for a loaded machine; a test that waits so long has failed.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A connection and the metadata that goes with each RPC.
#[derive(Clone)]
pub struct Client {
    pub inner: GNmiClient<Channel>,
    metadata: MetadataMap,
}

impl Client {
    pub fn new(channel: Channel) -> Self {
        let inner = GNmiClient::new(channel)
            .max_decoding_message_size(64 << 20)
            .max_encoding_message_size(64 << 20);
        Self {
            inner,
            metadata: MetadataMap::new(),
        }
    }

    /// The same connection with one more metadata value.
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.metadata.append(key, value.parse().unwrap());
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.metadata.clone();
        request
    }

    pub async fn capabilities(&self) -> Result<pb::CapabilityResponse, Status> {
        let request = self.request(pb::CapabilityRequest::default());
        in_time(self.inner.clone().capabilities(request))
            .await
            .map(tonic::Response::into_inner)
    }

    pub async fn get(&self, request: pb::GetRequest) -> Result<pb::GetResponse, Status> {
        let request = self.request(request);
        in_time(self.inner.clone().get(request))
            .await
            .map(tonic::Response::into_inner)
    }

    pub async fn set(&self, request: pb::SetRequest) -> Result<pb::SetResponse, Status> {
        let request = self.request(request);
        in_time(self.inner.clone().set(request))
            .await
            .map(tonic::Response::into_inner)
    }

    /// Opens a stream and sends `first` on it.
    pub async fn open(&self, first: pb::SubscribeRequest) -> Result<Stream, Status> {
        let (tx, rx) = mpsc::channel(16);
        tx.send(first).await.unwrap();
        let request = self.request(ReceiverStream::new(rx));
        let response = in_time(self.inner.clone().subscribe(request)).await?;
        let metadata = response.metadata().clone();
        Ok(Stream {
            tx: Some(tx),
            rx: response.into_inner(),
            metadata,
        })
    }

    pub async fn subscribe(&self, list: pb::SubscriptionList) -> Result<Stream, Status> {
        self.open(first(list)).await
    }

    /// The status with which a Subscribe ends that should fail, whether at once or on its first message.
    pub async fn refused(&self, first: pb::SubscribeRequest) -> Status {
        match self.open(first).await {
            Ok(mut stream) => stream.end().await,
            Err(status) => status,
        }
    }
}

/// An open Subscribe.
pub struct Stream {
    pub tx: Option<mpsc::Sender<pb::SubscribeRequest>>,
    pub rx: Streaming<pb::SubscribeResponse>,
    pub metadata: MetadataMap,
}

/// One response, in few words.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Atomic {
        prefix: String,
        leaves: Vec<(String, pb::typed_value::Value)>,
    },
    Delete(String),
    Sync,
    Update(Leaf),
}

/// One delivered leaf, its path absolute.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    pub path: String,
    pub target: String,
    pub origin: String,
    pub timestamp: i64,
    pub value: pb::typed_value::Value,
    pub duplicates: u32,
}

impl Stream {
    /// The next response.
    pub async fn next(&mut self) -> Event {
        match self.try_next().await {
            Ok(Some(event)) => event,
            Ok(None) => panic!("the stream ended with OK"),
            Err(status) => panic!("the stream ended: {status:?}"),
        }
    }

    pub async fn try_next(&mut self) -> Result<Option<Event>, Status> {
        Ok(in_time(self.rx.message()).await?.map(event))
    }

    /// The next response, which must be an update.
    pub async fn update(&mut self) -> Leaf {
        match self.next().await {
            Event::Update(leaf) => leaf,
            other => panic!("not an update: {other:?}"),
        }
    }

    /// The updates up to the sync, sorted by path.
    pub async fn until_sync(&mut self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        loop {
            match self.next().await {
                Event::Sync => break,
                Event::Update(leaf) => leaves.push(leaf),
                other => panic!("not an update: {other:?}"),
            }
        }
        leaves.sort_by(|a, b| a.path.cmp(&b.path));
        leaves
    }

    /// Reads until the stream ends and tells how.
    pub async fn end(&mut self) -> Status {
        loop {
            match self.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Status::ok(""),
                Err(status) => return status,
            }
        }
    }

    pub async fn send(&self, request: pb::SubscribeRequest) {
        self.tx.as_ref().unwrap().send(request).await.unwrap();
    }

    pub async fn poll(&self) {
        self.send(poll()).await;
    }

    /// Closes the sending half.
    pub fn half_close(&mut self) {
        self.tx = None;
    }
}

/// Waits for `future`, but not for ever.
pub async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("nothing happened within the deadline")
}

/// A first message with this list.
pub fn first(list: pb::SubscriptionList) -> pb::SubscribeRequest {
    pb::SubscribeRequest {
        request: Some(pb::subscribe_request::Request::Subscribe(list)),
        extension: Vec::new(),
    }
}

pub fn poll() -> pb::SubscribeRequest {
    pb::SubscribeRequest {
        request: Some(pb::subscribe_request::Request::Poll(pb::Poll {})),
        extension: Vec::new(),
    }
}

/// A STREAM list of ON_CHANGE subscriptions, encoding PROTO.
pub fn on_change(paths: &[&str]) -> pb::SubscriptionList {
    list(
        pb::subscription_list::Mode::Stream,
        paths
            .iter()
            .map(|path| subscription(path, pb::SubscriptionMode::OnChange)),
    )
}

pub fn once(paths: &[&str]) -> pb::SubscriptionList {
    list(
        pb::subscription_list::Mode::Once,
        paths
            .iter()
            .map(|path| subscription(path, pb::SubscriptionMode::TargetDefined)),
    )
}

pub fn list(
    mode: pb::subscription_list::Mode,
    subscriptions: impl IntoIterator<Item = pb::Subscription>,
) -> pb::SubscriptionList {
    pb::SubscriptionList {
        mode: mode.into(),
        encoding: pb::Encoding::Proto.into(),
        subscription: subscriptions.into_iter().collect(),
        ..Default::default()
    }
}

pub fn subscription(path_text: &str, mode: pb::SubscriptionMode) -> pb::Subscription {
    pb::Subscription {
        path: Some(path(path_text)),
        mode: mode.into(),
        ..Default::default()
    }
}

pub fn sample(path_text: &str, interval: Duration) -> pb::Subscription {
    pb::Subscription {
        sample_interval: u64::try_from(interval.as_nanos()).unwrap(),
        ..subscription(path_text, pb::SubscriptionMode::Sample)
    }
}

/// A protobuf path from its textual form `/a/b[k=v]`; no escapes.
pub fn path(text: &str) -> pb::Path {
    let elem = text.trim_matches('/').split_inclusive('/').fold(
        Vec::<String>::new(),
        |mut elems, piece| {
            // A slash within a key belongs to it.
            match elems.last_mut() {
                Some(open) if open.matches('[').count() > open.matches(']').count() => {
                    open.push_str(piece);
                }
                _ => elems.push(piece.to_owned()),
            }
            elems
        },
    );
    pb::Path {
        elem: elem
            .iter()
            .map(|elem| elem.strip_suffix('/').unwrap_or(elem))
            .filter(|elem| !elem.is_empty())
            .map(path_elem)
            .collect(),
        ..Default::default()
    }
}

fn path_elem(text: &str) -> pb::PathElem {
    let (name, keys) = text.split_at(text.find('[').unwrap_or(text.len()));
    let key = keys
        .split('[')
        .filter_map(|key| key.strip_suffix(']')?.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    pb::PathElem {
        name: name.to_owned(),
        key,
    }
}

pub fn prefix(target: &str) -> pb::Path {
    pb::Path {
        target: target.to_owned(),
        ..Default::default()
    }
}

pub fn with_origin(origin: &str, path: pb::Path) -> pb::Path {
    pb::Path {
        origin: origin.to_owned(),
        ..path
    }
}

pub fn update(path_text: &str, value: pb::typed_value::Value) -> pb::Update {
    pb::Update {
        path: Some(path(path_text)),
        val: Some(pb::TypedValue { value: Some(value) }),
        ..Default::default()
    }
}

pub fn int(value: i64) -> pb::typed_value::Value {
    pb::typed_value::Value::IntVal(value)
}

pub fn string(text: &str) -> pb::typed_value::Value {
    pb::typed_value::Value::StringVal(text.to_owned())
}

pub fn json(text: &str) -> pb::typed_value::Value {
    pb::typed_value::Value::JsonVal(text.to_owned().into())
}

pub fn depth(level: u32) -> ext::Extension {
    ext::Extension {
        ext: Some(ext::extension::Ext::Depth(ext::Depth { level })),
    }
}

/// The textual form of prefix and path together.
pub fn text(prefix: Option<&pb::Path>, path: &pb::Path) -> String {
    let elems = prefix
        .into_iter()
        .flat_map(|prefix| &prefix.elem)
        .chain(&path.elem);
    let mut text = String::new();
    for elem in elems {
        write!(text, "/{}", elem.name).unwrap();
        for (key, value) in &elem.key {
            write!(text, "[{key}={value}]").unwrap();
        }
    }
    if text.is_empty() {
        "/".to_owned()
    } else {
        text
    }
}

fn event(response: pb::SubscribeResponse) -> Event {
    let notification = match response.response.expect("a response says something") {
        pb::subscribe_response::Response::SyncResponse(true) => return Event::Sync,
        pb::subscribe_response::Response::Update(notification) => notification,
        other => panic!("unexpected response: {other:?}"),
    };
    assert!(
        notification.timestamp > 0,
        "gNMI spec 2.1: the timestamp is mandatory"
    );
    let prefix = notification.prefix.as_ref();
    if notification.atomic {
        let leaves = notification.update.iter().map(|update| {
            (
                text(prefix, update.path.as_ref().unwrap()),
                update.val.clone().unwrap().value.unwrap(),
            )
        });
        return Event::Atomic {
            prefix: text(prefix, &pb::Path::default()),
            leaves: leaves.collect(),
        };
    }
    if let [deleted] = notification.delete.as_slice() {
        assert!(notification.update.is_empty());
        return Event::Delete(text(prefix, deleted));
    }
    let [update] = notification.update.as_slice() else {
        panic!("gNMI spec 2.2.3: one leaf per notification, got {notification:?}");
    };
    Event::Update(Leaf {
        path: text(
            prefix,
            update.path.as_ref().expect("an update always has a path"),
        ),
        target: prefix
            .map(|prefix| prefix.target.clone())
            .unwrap_or_default(),
        origin: prefix
            .map(|prefix| prefix.origin.clone())
            .unwrap_or_default(),
        timestamp: notification.timestamp,
        value: update.val.clone().unwrap().value.unwrap(),
        duplicates: update.duplicates,
    })
}

/// Asserts code and a part of the message at once.
#[track_caller]
pub fn assert_status(status: &Status, code: Code, part: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    assert!(
        status.message().contains(part),
        "`{}` does not name `{part}`",
        status.message()
    );
}
