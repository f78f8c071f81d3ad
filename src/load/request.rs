//! The requests of a run.

use bytes::BufMut;
use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderValue;
use prost::Message;

use crate::wire::GNMI_SERVICE;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::subscribe_request::Request;

use super::config::Config;
use super::config::Credential;
use super::config::Mode;
use super::config::Readers;
use super::config::Sampling;
use super::error::Error;
use super::leaves::value;

/// The metadata that go with every RPC.
pub(super) fn metadata(credential: &Credential) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| Error::Credential)?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    };
    match credential {
        Credential::None => {}
        Credential::Bearer(token) => {
            put("authorization", &format!("Bearer {}", token.expose()))?;
        }
        Credential::Password { username, password } => {
            put("username", username)?;
            put("password", password.expose())?;
        }
    }
    Ok(headers)
}

/// The head of every Subscribe (gRPC over HTTP/2, "Requests").
pub(super) fn head(address: &str, credential: &Credential) -> Result<http::Request<()>, Error> {
    let mut head = http::Request::post(format!("https://{address}/{GNMI_SERVICE}/Subscribe"))
        .body(())
        .map_err(|_| Error::Address(address.to_owned()))?;
    *head.headers_mut() = metadata(credential)?;
    let headers = head.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    Ok(head)
}

/// The first message of every stream, as a gRPC frame.
pub(super) fn subscribe(config: &Config, written: &pb::Path) -> Bytes {
    let readers = &config.readers;
    let paths = match readers.paths.as_slice() {
        [] => std::slice::from_ref(written),
        paths => paths,
    };
    let mode = match readers.mode {
        Mode::Once => pb::subscription_list::Mode::Once,
        Mode::Poll => pb::subscription_list::Mode::Poll,
        Mode::Stream => pb::subscription_list::Mode::Stream,
    };
    let list = pb::SubscriptionList {
        prefix: Some(prefix(&readers.target)),
        subscription: paths
            .iter()
            .map(|path| subscription(readers, path))
            .collect(),
        mode: mode.into(),
        encoding: readers.encoding.into(),
        ..Default::default()
    };
    framed(&pb::SubscribeRequest {
        request: Some(Request::Subscribe(list)),
        extension: Vec::new(),
    })
}

fn subscription(readers: &Readers, path: &pb::Path) -> pb::Subscription {
    let (mode, interval) = match readers.sampling {
        _ if readers.mode != Mode::Stream => (pb::SubscriptionMode::TargetDefined, 0),
        Sampling::OnChange => (pb::SubscriptionMode::OnChange, 0),
        Sampling::Every(interval) => (
            pb::SubscriptionMode::Sample,
            u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX),
        ),
    };
    pb::Subscription {
        path: Some(path.clone()),
        mode: mode.into(),
        sample_interval: interval,
        ..Default::default()
    }
}

/// One more round of a POLL, as a gRPC frame.
pub(super) fn poll() -> Bytes {
    framed(&pb::SubscribeRequest {
        request: Some(Request::Poll(pb::Poll {})),
        extension: Vec::new(),
    })
}

/// Everything that this run writes. No other run has the same id.
pub(super) fn root(run: &str) -> pb::Path {
    pb::Path {
        elem: vec![elem("load", None), elem("run", Some(("id", run)))],
        ..Default::default()
    }
}

/// A Set that gives each of these leaves its next counter. A leaf's path is as long as those of real devices: six
/// elements, two of them with a key.
pub(super) fn set(
    root: &pb::Path,
    target: &str,
    leaves: impl Iterator<Item = (usize, u32)>,
) -> pb::SetRequest {
    let update = leaves.map(|(leaf, counter)| {
        let interface = format!("ethernet-1/{leaf}");
        let mut path = root.clone();
        path.elem.extend([
            elem("interfaces", None),
            elem("interface", Some(("name", &interface))),
            elem("state", None),
            elem("in-octets", None),
        ]);
        let value = pb::typed_value::Value::UintVal(value(leaf, counter));
        pb::Update {
            path: Some(path),
            val: Some(pb::TypedValue { value: Some(value) }),
            ..Default::default()
        }
    });
    pb::SetRequest {
        prefix: Some(prefix(target)),
        update: update.collect(),
        ..Default::default()
    }
}

/// A Set that leaves nothing of the run behind.
pub(super) fn clean(root: &pb::Path, target: &str) -> pb::SetRequest {
    pb::SetRequest {
        prefix: Some(prefix(target)),
        delete: vec![root.clone()],
        ..Default::default()
    }
}

fn elem(name: &str, key: Option<(&str, &str)>) -> pb::PathElem {
    pb::PathElem {
        name: name.to_owned(),
        key: key
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect(),
    }
}

fn prefix(target: &str) -> pb::Path {
    pb::Path {
        target: target.to_owned(),
        ..Default::default()
    }
}

/// Compression flag, length, message.
fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut out = BytesMut::with_capacity(length + 5);
    out.put_u8(0);
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    out.put_slice(&message.encode_to_vec());
    out.freeze()
}
