//! The seeds' calls, and what every call answers (iam 2.5).

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tollgate::wire::proto::gnmi as pb;

use crate::gateway::Gateway;

use super::Api;
use super::MACHINES;
use super::ME;
use super::pats;
use super::person;
use super::text;

const SCOPES: [&str; 4] = [
    "openid",
    "profile",
    "urn:zitadel:iam:user:metadata",
    "urn:zitadel:iam:user:resourceowner",
];

fn one_leaf() -> pb::GetRequest {
    pb::GetRequest {
        path: vec![crate::client::path("/a")],
        encoding: pb::Encoding::JsonIetf.into(),
        ..pb::GetRequest::default()
    }
}

/// Seed 001, option B, for whoever holds `bearer`: returns the new token.
async fn two_steps(gateway: &Gateway, bearer: &str) -> String {
    let api = Api::new(gateway, bearer);
    let id = text(&api.get(ME).await.ok()["user"]["id"]);
    let body = b"{\n\"expirationDate\": \"2099-12-31T23:59:59Z\"\n}";
    let made = api.send("POST", &pats(&id), body).await.ok();
    let pat = format!("{}/{}", pats(&id), text(&made["tokenId"]));
    let read = api.get(&pat).await.ok();
    assert_eq!(read["token"]["expirationDate"], "2099-12-31T23:59:59Z");
    text(&made["token"])
}

#[tokio::test]
async fn seed_001_works_for_a_machine_and_for_a_person() {
    let gateway = Gateway::start().await;
    let machine = gateway.token();
    let (_, person) = person(&gateway, "paula", "tenant-user").await;
    for bearer in [machine, person] {
        let token = two_steps(&gateway, &bearer).await;
        let client = gateway.anonymous().await.bearer(&token);
        client.capabilities().await.unwrap();
        assert_eq!(Api::new(&gateway, &token).get(ME).await.status, 200);
    }
}

#[tokio::test]
async fn me_is_the_caller_whatever_its_rights() {
    let gateway = Gateway::start().await;
    let (id, token) = person(
        &gateway,
        "Paula Portal".replace(' ', ".").as_str(),
        "tenant-portal",
    )
    .await;
    let answer = Api::new(&gateway, &token).get(ME).await;
    assert_eq!(answer.header("content-type").unwrap(), "application/json");
    assert_eq!(answer.header("cache-control").unwrap(), "no-store");
    let user = &answer.body["user"];
    let login_name = "Paula.Portal@pca";
    assert_eq!(
        *user,
        json!({
            "id": id.to_string(),
            "details": {
                "sequence": "1",
                "creationDate": "2026-06-01T12:00:00Z",
                "changeDate": "2026-06-01T12:00:00Z",
                "resourceOwner": "pca",
            },
            "state": "USER_STATE_ACTIVE",
            "userName": "Paula.Portal",
            "loginNames": [login_name],
            "preferredLoginName": login_name,
            "human": { "profile": { "firstName": "Paula.Portal", "displayName": "Paula.Portal" }, "email": {} },
        })
    );
    let token = gateway.token();
    let user = Api::new(&gateway, &token).get(ME).await.ok();
    // description is empty and the token type is the zero of its enumeration.
    assert_eq!(user["user"]["machine"], json!({ "name": "exporter" }));
}

#[tokio::test]
async fn seed_000_makes_a_service_user_with_a_role_and_a_token() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let body = json!({
        "user_name": "integrationUser@pca", "name": "Integration", "description": "x".repeat(500),
        "accessTokenType": "ACCESS_TOKEN_TYPE_BEARER", "unknown": { "a": [1] },
    });
    let made = api.post(MACHINES, body).await.ok();
    let user = text(&made["userId"]);
    assert_eq!(
        made["details"],
        json!({ "sequence": "1", "changeDate": "2026-06-01T12:00:00Z", "resourceOwner": "pca" })
    );
    let made = api.post(&pats(&user), json!({})).await.ok();
    let token = text(&made["token"]);
    let details =
        json!({ "sequence": "1", "creationDate": "2026-06-01T12:00:00Z", "resourceOwner": "pca" });
    assert_eq!(made["details"], details);

    // Not authorized yet: known, but without any right.
    let client = gateway.anonymous().await.bearer(&token);
    let denied = client.get(one_leaf()).await.unwrap_err();
    assert_eq!(denied.code(), tonic::Code::PermissionDenied);
    let grant = json!({ "projectId": "analytics", "roleKeys": ["tenant-user"] });
    let grants = format!("/management/v1/users/{user}/grants");
    let granted = api.post(&grants, grant).await.ok();
    assert_eq!(text(&granted["userGrantId"]), user);
    gateway.publish("", "/a", crate::client::int(1));
    gateway.core.pump();
    client.get(one_leaf()).await.unwrap();
}

#[tokio::test]
async fn tokens_are_listed_read_and_revoked() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("lister").await;
    let search = format!("{}/_search", pats(&user));
    assert_eq!(
        api.send("POST", &search, b"").await.ok(),
        json!({ "details": { "viewTimestamp": "2026-06-01T12:00:00Z" } })
    );
    let never = api.post(&pats(&user), json!({})).await.ok();
    gateway.pass(Duration::from_secs(1));
    let short = api
        .post(
            &pats(&user),
            json!({ "expirationDate": "2026-06-01T14:00:02+02:00" }),
        )
        .await
        .ok();
    gateway.pass(Duration::from_secs(1));
    let found = api
        .post(&search, json!({ "query": { "asc": true } }))
        .await
        .ok();
    assert_eq!(found["details"]["totalResult"], "2");
    assert_eq!(
        found["result"][0],
        json!({
            "id": never["tokenId"],
            "details": {
                "sequence": "1",
                "creationDate": "2026-06-01T12:00:00Z",
                "changeDate": "2026-06-01T12:00:00Z",
                "resourceOwner": "pca",
            },
            "expirationDate": "9999-12-31T23:59:59Z",
            "scopes": SCOPES,
        })
    );
    // The expired one is still listed; a list never shows a secret.
    assert_eq!(found["result"][1]["id"], short["tokenId"]);
    assert_eq!(found["result"][1]["expirationDate"], "2026-06-01T12:00:02Z");
    assert!(!found.to_string().contains("tgpat_"));
    let newest = json!({ "query": { "offset": "0", "limit": 1 } });
    let found = api.post(&search, newest).await.ok();
    assert_eq!(found["result"].as_array().unwrap().len(), 1);
    assert_eq!(found["result"][0]["id"], short["tokenId"]);

    let pat = format!("{}/{}", pats(&user), text(&never["tokenId"]));
    assert_eq!(api.get(&pat).await.ok()["token"]["id"], never["tokenId"]);
    let client = Api::new(&gateway, &text(&never["token"]));
    assert_eq!(client.get(ME).await.status, 200);
    let removed = api.delete(&pat).await.ok();
    assert!(removed["details"]["changeDate"].is_string());
    assert!(removed["details"].get("creationDate").is_none());
    client.get(ME).await.is(401, 16);
    api.delete(&pat).await.is(404, 5);
    api.get(&pat).await.is(404, 5);
    // Another user's token is not this user's.
    let other = api.new_machine("other").await;
    let pat = format!("{}/{}", pats(&other), text(&short["tokenId"]));
    api.delete(&pat).await.is(404, 5);
}

#[tokio::test]
async fn users_are_found_by_conditions() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    for name in ["web-a", "web-b", "Web-c", "db-a"] {
        gateway.pass(Duration::from_secs(1));
        api.new_machine(name).await;
    }
    let names = async |body: Value| -> Vec<String> {
        let found = api.post("/management/v1/users/_search", body).await.ok();
        let result = found["result"].as_array().cloned().unwrap_or_default();
        result.iter().map(|user| text(&user["userName"])).collect()
    };
    let machines = json!({ "typeQuery": { "type": "TYPE_MACHINE" } });
    let starting =
        |method: &str| json!({ "userNameQuery": { "userName": "web", "method": method } });
    let body = json!({ "queries": [machines], "query": { "limit": 2 } });
    assert_eq!(names(body).await, ["db-a", "Web-c"]);
    let starts = starting("TEXT_QUERY_METHOD_STARTS_WITH");
    let body = json!({ "queries": [starts], "query": { "asc": true } });
    assert_eq!(names(body).await, ["web-a", "web-b"]);
    let starts = starting("TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE");
    let body = json!({ "queries": [starts, machines], "query": { "asc": true, "offset": 1 } });
    assert_eq!(names(body).await, ["web-b", "Web-c"]);
    let body = json!({
        "queries": [{ "type_query": { "type": 1 } }],
        "sorting_column": "USER_FIELD_NAME_USER_NAME",
    });
    assert_eq!(names(body).await, ["anna"]);
    let nobody = json!({ "queries": [{ "displayNameQuery": { "displayName": "nobody" } }] });
    let found = api.post("/management/v1/users/_search", nobody).await.ok();
    assert!(found.get("result").is_none() && found["details"].get("totalResult").is_none());
    for queries in [
        json!([{}]),
        json!([{ "newQuery": {} }]),
        json!([{ "typeQuery": { "type": "X" } }]),
    ] {
        let body = json!({ "queries": queries });
        api.post("/management/v1/users/_search", body)
            .await
            .is(400, 3);
    }
}

#[tokio::test]
async fn users_are_deactivated_reactivated_and_deleted() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("worker").await;
    let path = format!("/management/v1/users/{user}");
    let token = text(&api.post(&pats(&user), json!({})).await.ok()["token"]);
    let own = Api::new(&gateway, &token);
    own.get(ME).await.ok();
    for (off, on) in [("_deactivate", "_reactivate"), ("_lock", "_unlock")] {
        let changed = api.post(&format!("{path}/{off}"), json!({})).await.ok();
        assert!(changed["details"]["changeDate"].is_string());
        let answer = own.get(ME).await;
        answer.is(401, 16);
        assert_eq!(answer.body["details"][0]["id"], "GW-AccountDisabled");
        assert_eq!(
            api.get(&path).await.ok()["user"]["state"],
            "USER_STATE_INACTIVE"
        );
        api.post(&format!("{path}/{off}"), json!({}))
            .await
            .is(400, 9);
        api.post(&format!("{path}/{on}"), json!({})).await.ok();
        // The same token counts again.
        own.get(ME).await.ok();
        api.post(&format!("{path}/{on}"), json!({}))
            .await
            .is(400, 9);
    }
    api.delete(&path).await.ok();
    own.get(ME).await.is(401, 16);
    api.delete(&path).await.is(404, 5);
    api.get(&path).await.is(404, 5);
    api.post(&pats(&user), json!({})).await.is(400, 9);
    api.new_machine("worker").await;
}

#[tokio::test]
async fn authorizations_are_given_changed_and_taken() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("worker").await;
    let grants = format!("/management/v1/users/{user}/grants");
    let grant = json!({ "projectId": "analytics", "roleKeys": ["tenant-user", "tenant-portal"] });
    for (body, code) in [
        (json!({ "roleKeys": ["tenant-user"] }), 3),
        (json!({ "projectId": "analytics" }), 3),
        (
            json!({ "projectId": "other", "roleKeys": ["tenant-user"] }),
            9,
        ),
        (json!({ "projectId": "analytics", "roleKeys": ["root"] }), 9),
        (
            json!({ "projectId": "analytics", "roleKeys": ["tenant-user"], "projectGrantId": "g" }),
            9,
        ),
    ] {
        api.post(&grants, body).await.is(400, code);
    }
    let id = text(&api.post(&grants, grant.clone()).await.ok()["userGrantId"]);
    api.post(&grants, grant).await.is(409, 6);
    let path = format!("{grants}/{id}");
    let read = api.get(&path).await.ok();
    assert_eq!(
        read["userGrant"]["roleKeys"],
        json!(["tenant-user", "tenant-portal"])
    );
    assert_eq!(read["userGrant"]["projectName"], "Analytics");
    assert_eq!(read["userGrant"]["state"], "USER_GRANT_STATE_ACTIVE");
    api.put(&path, json!({ "roleKeys": ["tenant-contributor"] }))
        .await
        .ok();
    let query = json!({ "queries": [{ "userIdQuery": { "userId": user } }] });
    let search = "/management/v1/users/grants/_search";
    let found = api.post(search, query.clone()).await.ok();
    assert_eq!(found["details"]["totalResult"], "1");
    assert_eq!(
        found["result"][0]["roleKeys"],
        json!(["tenant-contributor"])
    );
    api.get(&format!("{grants}/123456789012345678"))
        .await
        .is(404, 5);
    api.delete(&path).await.ok();
    api.delete(&path).await.is(404, 5);
    assert!(api.post(search, query).await.ok().get("result").is_none());

    let grant = json!({ "projectId": "analytics", "roleKeys": ["tenant-user"] });
    api.post(&grants, grant).await.ok();
    let bulk = "/management/v1/user_grants/_bulk";
    let several = json!({ "grantId": [id, "123456789012345678"] }).to_string();
    api.send("DELETE", bulk, several.as_bytes())
        .await
        .is(404, 5);
    let one = json!({ "grantId": [id] }).to_string();
    assert_eq!(
        api.send("DELETE", bulk, one.as_bytes()).await.ok(),
        json!({})
    );
    api.get(&path).await.is(404, 5);
    api.send("DELETE", bulk, b"{}").await.is(400, 3);
}

#[tokio::test]
async fn version_2_issues_finds_and_removes_tokens() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("worker").await;
    let path = format!("/v2/users/{user}/pats");
    api.post(&path, json!({})).await.is(400, 3);
    let expires = json!({ "expirationDate": "2027-01-01T00:00:00Z" });
    let made = api.post(&path, expires.clone()).await.ok();
    assert_eq!(made["creationDate"], "2026-06-01T12:00:00Z");
    let id = text(&made["tokenId"]);
    let token = Api::new(&gateway, &text(&made["token"]));
    token.get(ME).await.ok();
    let search = "/v2/users/pats/search";
    let by_user = json!({ "filters": [{ "userIdFilter": { "id": user } }] });
    assert_eq!(
        api.post(search, by_user).await.ok(),
        json!({
            "pagination": { "totalResult": "1", "appliedLimit": "100" },
            "result": [{
                "creationDate": "2026-06-01T12:00:00Z",
                "changeDate": "2026-06-01T12:00:00Z",
                "id": id,
                "userId": user,
                "organizationId": "pca",
                "expirationDate": "2027-01-01T00:00:00Z",
            }],
        })
    );
    let all = api.post(search, json!({})).await.ok();
    assert_eq!(all["pagination"]["totalResult"], "2");
    let before = json!({ "filters": [{ "expirationDateFilter": {
        "timestamp": "2028-01-01T00:00:00Z", "method": "TIMESTAMP_FILTER_METHOD_BEFORE",
    } }] });
    assert_eq!(api.post(search, before).await.ok()["result"][0]["id"], id);
    api.post(search, json!({ "pagination": { "limit": 1001 } }))
        .await
        .is(400, 3);
    api.post(search, json!({ "filters": [{}] }))
        .await
        .is(400, 3);
    // Who may not manage sees its own alone.
    assert_eq!(
        token.post(search, json!({})).await.ok()["pagination"]["totalResult"],
        "1"
    );
    let pat = format!("{path}/{id}");
    assert!(api.delete(&pat).await.ok()["deletionDate"].is_string());
    token.get(ME).await.is(401, 16);
    assert_eq!(api.delete(&pat).await.ok(), json!({}));
    api.post("/v2/users/123456789012345678/pats", expires)
        .await
        .is(400, 9);
}

#[tokio::test]
async fn service_users_get_other_names() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("worker").await;
    let path = format!("/management/v1/users/{user}/machine");
    let body = json!({ "name": "Other", "description": "ü".repeat(500) });
    let changed = api.put(&path, body).await.ok();
    assert_eq!(changed["details"]["sequence"], "2");
    let read = format!("/management/v1/users/{user}");
    let machine = api.get(&read).await.ok()["user"]["machine"].clone();
    assert_eq!(machine["name"], "Other");
    // What is absent becomes empty, as messages have no "unchanged".
    api.put(&path, json!({ "name": "Other" })).await.ok();
    let machine = api.get(&read).await.ok()["user"]["machine"].clone();
    assert_eq!(machine, json!({ "name": "Other" }));
    api.put(&path, json!({ "description": "d" }))
        .await
        .is(400, 3);
    let long = json!({ "name": "n", "description": "d".repeat(501) });
    api.put(&path, long).await.is(400, 3);
    let (person, _) = person(&gateway, "paula", "tenant-user").await;
    let path = format!("/management/v1/users/{person}/machine");
    api.put(&path, json!({ "name": "n" })).await.is(400, 9);
    let path = "/management/v1/users/123456789012345678/machine";
    api.put(path, json!({ "name": "n" })).await.is(404, 5);
}
