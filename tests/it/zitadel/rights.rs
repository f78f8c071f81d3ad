//! Nobody touches whose roles exceed its own: every path that writes, before and after a demotion (iam section 8, 6).

use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::Api;
use super::pats;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::http::text;

/// Everything that writes to a user, or to its token or authorization.
fn writes(user: &str, token: &str) -> Vec<(&'static str, String, Value)> {
    let management = format!("/management/v1/users/{user}");
    let grant = json!({ "projectId": "analytics", "roleKeys": ["service-account-manager"] });
    let expires = json!({ "expirationDate": "2027-01-01T00:00:00Z" });
    vec![
        (
            "PUT",
            format!("{management}/machine"),
            json!({ "name": "x" }),
        ),
        ("POST", format!("{management}/pats"), expires.clone()),
        ("DELETE", format!("{management}/pats/{token}"), Value::Null),
        ("POST", format!("/v2/users/{user}/pats"), expires),
        (
            "DELETE",
            format!("/v2/users/{user}/pats/{token}"),
            Value::Null,
        ),
        ("PUT", format!("{management}/grants/{user}"), grant),
        ("DELETE", format!("{management}/grants/{user}"), Value::Null),
        (
            "DELETE",
            "/management/v1/user_grants/_bulk".to_owned(),
            json!({ "grantId": [user] }),
        ),
        ("POST", format!("{management}/_deactivate"), json!({})),
        ("POST", format!("{management}/_reactivate"), json!({})),
        ("POST", format!("{management}/_lock"), json!({})),
        ("POST", format!("{management}/_unlock"), json!({})),
        ("DELETE", management, Value::Null),
    ]
}

/// A user that is active cannot be reactivated, which is told before a missing right (iam 2.2).
async fn prepare(gateway: &Gateway, user: &str, path: &str) {
    let user = user.parse().unwrap();
    if path.ends_with("_reactivate") || path.ends_with("_unlock") {
        gateway.disable(TENANT, &user).await;
    } else {
        gateway.enable(TENANT, &user).await;
    }
}

async fn send(api: &Api<'_>, (method, path, body): &(&str, String, Value)) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    api.send(method, path, body.as_bytes()).await
}

#[tokio::test]
async fn no_path_leads_to_more_than_ones_own_roles() {
    let gateway = Gateway::start().await;
    let creator = gateway.new_account(TENANT, "tenant-admin").await;
    let token = gateway.token_for(TENANT, &creator).await;
    let api = Api::new(&gateway, &token);
    let user = api.new_machine("mighty").await;
    let grants = format!("/management/v1/users/{user}/grants");
    let grant = |role: &str| json!({ "projectId": "analytics", "roleKeys": [role] });
    api.post(&grants, grant("skylight-admin")).await.is(403, 7);
    api.post(&grants, grant("tenant-admin")).await.ok();
    let pat = text(&api.post(&pats(&user), json!({})).await.ok()["tokenId"]);

    // The creator is demoted: what it has made is above it now.
    gateway
        .set_roles(TENANT, &creator, &["service-account-manager"])
        .await;
    for write in writes(&user, &pat) {
        prepare(&gateway, &user, &write.1).await;
        let answer = send(&api, &write).await;
        assert_eq!(answer.status, 403, "{write:?}: {}", answer.body);
        answer.is(403, 7);
        assert_eq!(
            answer.body["details"][0]["id"], "GW-RolesExceed",
            "{write:?}"
        );
    }
    gateway
        .set_roles(TENANT, &creator, &["tenant-contributor"])
        .await;
    for write in writes(&user, &pat) {
        prepare(&gateway, &user, &write.1).await;
        let answer = send(&api, &write).await;
        assert_eq!(answer.status, 403, "{write:?}: {}", answer.body);
        assert_eq!(
            answer.body["details"][0]["id"], "GW-Permission",
            "{write:?}"
        );
    }
    // And back: each of them works, so that none was refused for another reason.
    gateway.set_roles(TENANT, &creator, &["tenant-admin"]).await;
    for (number, write) in writes(&user, &pat).iter().enumerate() {
        // The second removal of the token or of the roles finds none.
        let is_again = matches!(number, 4 | 7);
        prepare(&gateway, &user, &write.1).await;
        let answer = send(&api, write).await;
        assert!(
            answer.status == 200 || is_again && answer.status == 404,
            "{write:?}: {}",
            answer.body
        );
    }
}
