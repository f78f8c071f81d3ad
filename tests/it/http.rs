//! A small HTTP/1.1 client for the two HTTP faces: one caller with its headers, and what it is answered.

use std::fmt::Write as _;
use std::marker::PhantomData;

use serde_json::Value;
use serde_json::json;

use crate::gateway::Gateway;
use crate::gateway::exchange;
use crate::mtls::Device;
use crate::openapi;

/// Which face a caller talks to.
pub trait Face {
    /// Whether it is on the IAM port.
    const ON_IAM_PORT: bool;
    /// Whether OpenAPI describes it.
    const IS_DESCRIBED: bool = true;
}

/// One caller of a face.
pub struct Api<'a, F> {
    pub gateway: &'a Gateway,
    pub headers: Vec<(String, String)>,
    /// Whose certificate the connections show.
    device: Option<&'a Device>,
    face: PhantomData<F>,
}

/// What a face has answered.
pub struct Answer<F> {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// A string where it is not JSON.
    pub body: Value,
    face: PhantomData<F>,
}

impl<F> Answer<F> {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn status_is(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

impl<'a, F: Face> Api<'a, F> {
    /// Without a credential.
    pub fn bare(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            device: None,
            face: PhantomData,
        }
    }

    /// The same, showing the certificate of `device`.
    pub fn on(self, device: &'a Device) -> Self {
        let device = Some(device);
        Self { device, ..self }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    pub async fn send(&self, method: &str, path: &str, sent: &[u8]) -> Answer<F> {
        let is_host = |(name, _): &(String, String)| name.eq_ignore_ascii_case("host");
        let host = if self.headers.iter().any(is_host) {
            ""
        } else {
            "host: gw\r\n"
        };
        let mut request = format!("{method} {path} HTTP/1.1\r\n{host}connection: close\r\n");
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "content-length: {}\r\n\r\n", sent.len()).unwrap();
        let mut request = request.into_bytes();
        request.extend_from_slice(sent);
        let answer = if let Some(device) = self.device {
            let stream = device.connect(self.gateway, &[b"http/1.1"]).await;
            exchange(stream.unwrap(), &request).await
        } else if F::ON_IAM_PORT {
            self.gateway.iam_exchange(&request).await
        } else {
            self.gateway.exchange(&request).await
        };
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let is_chunked = head.contains("transfer-encoding: chunked");
        let body = if is_chunked {
            whole(body)
        } else {
            body.to_owned()
        };
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let answer = Answer {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: serde_json::from_str(&body).unwrap_or_else(|_| json!(body)),
            face: PhantomData,
        };
        if F::IS_DESCRIBED {
            openapi::check(&openapi::Exchange {
                on_iam_port: F::ON_IAM_PORT,
                method,
                path,
                request: sent,
                status: answer.status,
                answer: &answer.body,
            });
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer<F> {
        self.send("GET", path, b"").await
    }

    pub async fn delete(&self, path: &str) -> Answer<F> {
        self.send("DELETE", path, b"").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer<F> {
        self.send("POST", path, body.to_string().as_bytes()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer<F> {
        self.send("PATCH", path, body.to_string().as_bytes()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer<F> {
        self.send("PUT", path, body.to_string().as_bytes()).await
    }
}

/// A body that came in chunks (RFC 9112 7.1).
fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&rest[..size]);
        chunks = &rest[(size + 2).min(rest.len())..];
    }
    body
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}
