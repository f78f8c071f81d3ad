//! What is done on the IAM port reaches open gNMI streams at once (iam R4).

use serde_json::json;
use tonic::Code;

use crate::client::Stream;
use crate::client::on_change;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

use super::Api;
use super::pats;
use super::text;

/// A service user with a role, its token's id, and a stream that it has open.
async fn streaming(gateway: &Gateway, api: &Api<'_>) -> (String, String, Stream) {
    let user = gateway.new_account(TENANT, "tenant-user").await.to_string();
    let made = api.post(&pats(&user), json!({})).await.ok();
    let client = gateway.anonymous().await.bearer(&text(&made["token"]));
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    (user, text(&made["tokenId"]), stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_what_carries_them() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    for (what, code) in [
        ("token", Code::Unauthenticated),
        ("grant", Code::PermissionDenied),
        ("inactive grant", Code::PermissionDenied),
        ("state", Code::Unauthenticated),
        ("user", Code::Unauthenticated),
    ] {
        let (user, token, mut stream) = streaming(&gateway, &api).await;
        let path = format!("/management/v1/users/{user}");
        match what {
            "token" => api.delete(&format!("{path}/pats/{token}")).await.ok(),
            "grant" => api.delete(&format!("{path}/grants/{user}")).await.ok(),
            "inactive grant" => {
                let path = format!("{path}/grants/{user}/_deactivate");
                api.post(&path, json!({})).await.ok()
            }
            "state" => {
                let path = format!("{path}/_deactivate");
                api.post(&path, json!({})).await.ok()
            }
            _ => api.delete(&path).await.ok(),
        };
        gateway.until(|gateway| gateway.live_sessions() == 0).await;
        assert_eq!(stream.try_next().await.unwrap_err().code(), code, "{what}");
    }
}
