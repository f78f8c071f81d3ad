//! Bad requests: each gets its exact code and a message that names the part at fault, and nobody else notices.

use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi_ext as ext;
use tonic::Code;

use crate::client::assert_status;
use crate::client::depth;
use crate::client::first;
use crate::client::int;
use crate::client::list;
use crate::client::on_change;
use crate::client::once;
use crate::client::path;
use crate::client::poll;
use crate::client::subscription;
use crate::client::with_origin;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_get_their_exact_code_and_message() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let one = |path: pb::Path| {
        list(
            pb::subscription_list::Mode::Once,
            [pb::Subscription {
                path: Some(path),
                ..Default::default()
            }],
        )
    };
    let elem = |name: &str, key: &str| pb::Path {
        elem: vec![pb::PathElem {
            name: name.to_owned(),
            key: [(key.to_owned(), "v".to_owned())].into(),
        }],
        ..Default::default()
    };
    let long = |len: usize| pb::Path {
        elem: vec![pb::PathElem {
            name: "x".repeat(len),
            ..Default::default()
        }],
        ..Default::default()
    };
    for (what, request, code, part) in [
        (
            "poll first",
            poll(),
            Code::InvalidArgument,
            "SubscriptionList",
        ),
        (
            "empty first",
            pb::SubscribeRequest::default(),
            Code::InvalidArgument,
            "SubscriptionList",
        ),
        (
            "no subscriptions",
            first(pb::SubscriptionList::default()),
            Code::InvalidArgument,
            "subscription",
        ),
        (
            "mode 9",
            first(pb::SubscriptionList {
                mode: 9,
                ..once(&["/a"])
            }),
            Code::InvalidArgument,
            "mode",
        ),
        (
            "encoding 99",
            first(pb::SubscriptionList {
                encoding: 99,
                ..once(&["/a"])
            }),
            Code::InvalidArgument,
            "encoding",
        ),
        (
            "encoding ASCII",
            first(pb::SubscriptionList {
                encoding: pb::Encoding::Ascii.into(),
                ..once(&["/a"])
            }),
            Code::Unimplemented,
            "ASCII",
        ),
        (
            "encoding BYTES",
            first(pb::SubscriptionList {
                encoding: pb::Encoding::Bytes.into(),
                ..once(&["/a"])
            }),
            Code::Unimplemented,
            "BYTES",
        ),
        (
            "subscription mode 7",
            first(list(
                pb::subscription_list::Mode::Stream,
                [pb::Subscription {
                    mode: 7,
                    ..subscription("/a", pb::SubscriptionMode::OnChange)
                }],
            )),
            Code::InvalidArgument,
            "mode",
        ),
        (
            "origin twice",
            first(pb::SubscriptionList {
                prefix: Some(with_origin("openconfig", pb::Path::default())),
                ..one(with_origin("accedian", path("/a")))
            }),
            Code::InvalidArgument,
            "origin",
        ),
        (
            "target in a path",
            first(one(pb::Path {
                target: "t".to_owned(),
                ..path("/a")
            })),
            Code::InvalidArgument,
            "target",
        ),
        (
            "nameless elem",
            first(one(elem("", "k"))),
            Code::InvalidArgument,
            "elem",
        ),
        (
            "nameless key",
            first(one(elem("a", ""))),
            Code::InvalidArgument,
            "key",
        ),
        (
            "1 MiB elem",
            first(one(long(1 << 20))),
            Code::InvalidArgument,
            "path",
        ),
        (
            "too many elems",
            first(one(path(&"/a".repeat(1_000)))),
            Code::InvalidArgument,
            "elem",
        ),
        (
            "qos 64",
            first(pb::SubscriptionList {
                qos: Some(pb::QosMarking { marking: 64 }),
                ..once(&["/a"])
            }),
            Code::InvalidArgument,
            "qos",
        ),
    ] {
        let status = client.refused(request).await;
        assert_eq!(status.code(), code, "{what}: {status:?}");
        assert!(
            status
                .message()
                .to_lowercase()
                .contains(&part.to_lowercase()),
            "{what}: `{}` does not name {part}",
            status.message()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oversize_requests_are_refused_and_cost_the_connection_nothing() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let mut bystander = client.subscribe(on_change(&["/a"])).await.unwrap();
    bystander.until_sync().await;

    let many: Vec<&str> = vec!["/a"; 100_000];
    let status = client.refused(first(once(&many))).await;
    assert_status(&status, Code::InvalidArgument, "subscription");
    let huge = pb::GetRequest {
        path: vec![path(&format!("/{}", "x".repeat(6 << 20)))],
        ..Default::default()
    };
    assert_status(
        &client.get(huge).await.unwrap_err(),
        Code::ResourceExhausted,
        "",
    );

    gateway.publish("", "/a/b", int(2));
    assert_eq!(bystander.update().await.value, int(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_are_ignored_or_refused_by_kind() {
    use ext::extension::Ext;
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let client = gateway.client().await;
    let with = |extension| pb::SubscribeRequest {
        extension: vec![ext::Extension { ext: extension }],
        ..first(once(&["/a"]))
    };
    let registered = Ext::RegisteredExt(ext::RegisteredExtension {
        id: 999,
        msg: "x".into(),
    });
    for ignored in [None, Some(registered)] {
        assert_eq!(
            client
                .open(with(ignored))
                .await
                .unwrap()
                .until_sync()
                .await
                .len(),
            1
        );
    }
    let history = Ext::History(ext::History {
        request: Some(ext::history::Request::SnapshotTime(1)),
    });
    let config = Ext::ConfigSubscription(ext::ConfigSubscription {
        action: Some(ext::config_subscription::Action::Start(
            ext::ConfigSubscriptionStart {},
        )),
    });
    for (unsupported, part) in [(history, "history"), (config, "config")] {
        assert_status(
            &client.refused(with(Some(unsupported))).await,
            Code::Unimplemented,
            part,
        );
    }
    let commit = Ext::Commit(ext::Commit {
        id: "c".to_owned(),
        action: None,
    });
    let set = pb::SetRequest {
        extension: vec![ext::Extension { ext: Some(commit) }],
        ..Default::default()
    };
    assert_status(
        &client.set(set).await.unwrap_err(),
        Code::Unimplemented,
        "commit",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_extension_is_refused_on_capabilities_and_set() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;

    let request = client.request(pb::CapabilityRequest {
        extension: vec![depth(1)],
    });
    let status = client
        .inner
        .clone()
        .capabilities(request)
        .await
        .unwrap_err();
    assert_status(&status, Code::InvalidArgument, "depth");
    let set = pb::SetRequest {
        extension: vec![depth(1)],
        ..Default::default()
    };
    assert_status(
        &client.set(set).await.unwrap_err(),
        Code::InvalidArgument,
        "depth",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_leaves_nothing_behind() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    assert_eq!(gateway.live_sessions(), 1);

    drop(stream);
    drop(client);

    gateway.until(|gateway| gateway.live_sessions() == 0).await;
    gateway.publish("", "/a/b", int(1));
}

/// Bytes that are no message, or hold text that is not UTF-8.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_invalid_arguments() {
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let mut grpc = tonic::client::Grpc::new(gateway.channel().await);
    for (what, bytes) in [
        ("truncated", &[0x0a, 0x7f, 0x01][..]),
        ("wire type 7", &[0x0f, 0x00][..]),
    ] {
        check_all(&mut grpc, &token, what, bytes).await;
    }
    // SubscribeRequest.subscribe.prefix.origin; GetRequest.prefix.origin and SetRequest.prefix.origin.
    check(
        &mut grpc,
        &token,
        "Subscribe",
        "invalid UTF-8",
        &[10, 5, 10, 3, 18, 1, 0xff],
    )
    .await;
    for method in ["Get", "Set"] {
        check(
            &mut grpc,
            &token,
            method,
            "invalid UTF-8",
            &[10, 3, 18, 1, 0xff],
        )
        .await;
    }
}

type Raws = tonic::client::Grpc<tonic::transport::Channel>;

async fn check_all(grpc: &mut Raws, token: &str, what: &str, bytes: &[u8]) {
    for method in ["Get", "Set", "Subscribe"] {
        check(grpc, token, method, what, bytes).await;
    }
}

async fn check(grpc: &mut Raws, token: &str, method: &str, what: &str, bytes: &[u8]) {
    grpc.ready().await.unwrap();
    let path = format!("/gnmi.gNMI/{method}").parse().unwrap();
    let mut request = tonic::Request::new(tokio_stream::once(Raw(bytes.to_vec())));
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let status = match grpc.streaming(request, path, RawCodec).await {
        Err(status) => status,
        Ok(answers) => answers.into_inner().message().await.unwrap_err(),
    };
    assert_eq!(
        status.code(),
        Code::InvalidArgument,
        "{method} {what}: {status:?}"
    );
}

/// A message as raw bytes.
#[derive(Debug)]
struct Raw(Vec<u8>);

struct RawCodec;

impl tonic::codec::Codec for RawCodec {
    type Encode = Raw;
    type Decode = Raw;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for RawCodec {
    type Item = Raw;
    type Error = tonic::Status;

    fn encode(
        &mut self,
        item: Raw,
        out: &mut tonic::codec::EncodeBuf<'_>,
    ) -> Result<(), Self::Error> {
        bytes::BufMut::put_slice(out, &item.0);
        Ok(())
    }
}

impl tonic::codec::Decoder for RawCodec {
    type Item = Raw;
    type Error = tonic::Status;

    fn decode(
        &mut self,
        source: &mut tonic::codec::DecodeBuf<'_>,
    ) -> Result<Option<Raw>, Self::Error> {
        let mut bytes = vec![0; bytes::Buf::remaining(source)];
        bytes::Buf::copy_to_slice(source, &mut bytes);
        Ok(Some(Raw(bytes)))
    }
}
