//! The boundaries of what a request may say (iam section 8, 5).

use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::Api;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::text;
use crate::gateway::Gateway;

async fn create(api: &Api<'_>, change: impl FnOnce(&mut Value)) -> Answer {
    let mut body = account("fresh");
    change(&mut body);
    let answer = api.post(ROOT, body).await;
    if answer.status == 201 {
        let id = text(&answer.body["machineUserId"]);
        api.delete(&format!("{ROOT}/{id}")).await.ok();
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_count_characters() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for (field, most) in [("username", 200), ("name", 200), ("description", 400)] {
        for letter in ["a", "ü", "𝄞"] {
            let fits = letter.repeat(most);
            create(&api, |body| body[field] = json!(fits))
                .await
                .created();
            let long = letter.repeat(most + 1);
            let answer = create(&api, |body| body[field] = json!(long)).await;
            answer.is(400, "too_long");
            assert_eq!(answer.pointer(), format!("/{field}"));
        }
    }
    create(&api, |body| body["username"] = json!("x"))
        .await
        .created();
    create(&api, |body| {
        body["username"] = json!("name+a@pca.example_1-2");
    })
    .await
    .created();
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_checked_all_at_once() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let answer = api.post(&format!("{ROOT}?withPAT=true"), json!({})).await;
    let errors = answer.body["errors"].as_array().unwrap();
    let codes: Vec<_> = errors
        .iter()
        .map(|error| (text(&error["source"]["pointer"]), text(&error["code"])))
        .collect();
    for (pointer, code) in [
        ("/username", "missing_field"),
        ("/name", "missing_field"),
        ("/accessTokenType", "missing_field"),
        ("/expirationDate", "expiration_required"),
    ] {
        assert!(
            codes.contains(&(pointer.to_owned(), code.to_owned())),
            "{codes:?}"
        );
    }
    for (field, value, code) in [
        ("username", json!(null), "missing_field"),
        ("username", json!("  "), "missing_field"),
        ("username", json!("a b"), "invalid_field"),
        ("username", json!("a\u{0}b"), "invalid_field"),
        ("username", json!(7), "invalid_field"),
        ("name", json!(["a"]), "invalid_field"),
        ("name", json!("a\u{7}"), "invalid_field"),
        ("description", json!(null), "invalid_field"),
        (
            "accessTokenType",
            json!("JWT"),
            "unsupported_access_token_type",
        ),
        ("accessTokenType", json!("Basic"), "invalid_field"),
    ] {
        let answer = create(&api, |body| body[field] = value.clone()).await;
        answer.is(400, code);
        assert_eq!(answer.pointer(), format!("/{field}"), "{value}");
    }
    create(&api, |body| body["accessTokenType"] = json!("bEARER"))
        .await
        .created();
    create(&api, |body| body["unheardOf"] = json!({ "a": 1 }))
        .await
        .created();
}

#[tokio::test(flavor = "multi_thread")]
async fn expirations_are_in_the_future_to_the_second() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("timely").await;
    let tokens = format!("{path}/pat");
    // The clock stands at 2026-06-01T12:00:00Z.
    for (given, code) in [
        ("2026-06-01T11:59:59Z", Some("expiration_in_past")),
        ("2026-06-01T12:00:00Z", Some("expiration_in_past")),
        ("2026-06-01T12:00:00.999Z", Some("expiration_in_past")),
        ("2026-06-01T14:00:00+02:00", Some("expiration_in_past")),
        ("2026-06-01T12:00:01Z", None),
        ("2026-06-01T14:00:01+02:00", None),
        ("2026-06-01t12:00:02.5z", None),
        ("9999-12-31T23:59:59Z", None),
        ("10000-01-01T00:00:00Z", Some("invalid_field")),
        ("2026-13-01T00:00:00Z", Some("invalid_field")),
        ("2026-12-31", Some("invalid_field")),
        ("2026-12-31T23:59:59", Some("invalid_field")),
        ("tomorrow", Some("invalid_field")),
        ("", Some("invalid_field")),
    ] {
        let answer = api.post(&tokens, json!({ "expirationDate": given })).await;
        match code {
            Some(code) => answer.is(400, code),
            None => drop(answer.created()),
        }
    }
    api.post(&tokens, json!({ "expirationDate": 5 }))
        .await
        .is(400, "invalid_field");
    api.post(&tokens, json!({}))
        .await
        .is(400, "expiration_required");
    let leap = api
        .post(&tokens, json!({ "expirationDate": "2026-06-30T23:59:60Z" }))
        .await;
    assert!(matches!(leap.status, 201 | 400), "{}", leap.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_checked() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let search = format!("{ROOT}/search");
    for (query, status) in [
        ("pageSize=1", 200),
        ("pageSize=500", 200),
        ("page[number]=1&page[size]=2", 200),
        ("page=18446744073709551615", 200),
        ("customParameter=x", 200),
        ("sort=-createdAt,name", 200),
        ("pageSize=0", 400),
        ("pageSize=501", 400),
        ("pageSize=-1", 400),
        ("pageSize=%2B5", 400),
        ("pageSize=ten", 400),
        ("pageSize=", 400),
        ("page=0", 400),
        ("page=18446744073709551616", 400),
        ("page=1&page=2", 400),
        ("page=1&page[number]=1", 400),
        ("sort=password", 400),
        ("sort=", 400),
        ("unknown=1", 400),
        ("page=%zz", 400),
    ] {
        let answer = api.post(&format!("{search}?{query}"), json!({})).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        if let Some(name) = query.strip_prefix("pageSize=").filter(|_| status == 400) {
            let source = &answer.body["errors"][0]["source"]["parameter"];
            assert_eq!(source, "pageSize", "{name}");
        }
    }
    for (query, code) in [
        ("withPAT=yes", "invalid_parameter"),
        ("withPAT=true&withPAT=false", "invalid_parameter"),
        ("roles=", "invalid_role"),
        ("roles=tenant-admin,", "invalid_role"),
        ("roles=tenant-user", "invalid_role"),
        ("roles=root", "invalid_role"),
    ] {
        let answer = api.post(&format!("{ROOT}?{query}"), account("q")).await;
        answer.is(400, code);
    }
    let twice = format!("{ROOT}?withPAT=0&roles=tenant-admin,tenant-admin");
    let made = api.post(&twice, account("q")).await.created();
    assert_eq!(made["roles"], json!(["tenant-admin"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_checked() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for (attribute, value) in [
        ("password", json!({ "value": "x" })),
        ("username", json!("x")),
        ("username", json!({})),
        ("username", json!({ "value": 5 })),
        ("username", json!({ "value": "x", "op": "like" })),
        ("username", json!({ "value": "x", "op": "lt" })),
        ("username", json!({ "value": "x", "op": "in" })),
        ("state", json!({ "value": "asleep" })),
        ("role", json!({ "value": "king" })),
        ("createdBefore", json!({ "value": "then" })),
    ] {
        let body = json!({ "data": { "attributes": { attribute: value } } });
        let answer = api.post(&format!("{ROOT}/search"), body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let pointer = format!("/data/attributes/{attribute}");
        assert!(answer.pointer().starts_with(&pointer), "{}", answer.body);
    }
    for body in [
        json!({ "data": [] }),
        json!({ "data": { "attributes": 5 } }),
    ] {
        api.post(&format!("{ROOT}/search"), body)
            .await
            .is(400, "invalid_field");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_honest_json_are_refused() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let deep = "[".repeat(30_000);
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"username":"a","username":"b"}"#,
        r#"{"username":"\ud800"}"#,
        &deep,
    ] {
        api.send("POST", ROOT, body.as_bytes())
            .await
            .is(400, "invalid_json");
    }
    api.send("POST", ROOT, b"{\"username\":\"\xff\"}")
        .await
        .is(400, "invalid_json");
    let mut body = account("large").to_string();
    body.push_str(&" ".repeat((64 << 10) - body.len()));
    api.send("POST", ROOT, body.as_bytes()).await.created();
    let body = format!("{body} ");
    api.send("POST", ROOT, body.as_bytes())
        .await
        .is(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_changes_what_is_given_alone() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("patched").await;
    let described = api.patch(&path, json!({ "description": "d" })).await.ok();
    assert_eq!(
        (&described["name"], &described["description"]),
        (&json!("patched"), &json!("d"))
    );
    let same = api.patch(&path, json!({})).await.ok();
    assert_eq!(same["updatedAt"], described["updatedAt"]);
    let cleared = api
        .patch(&path, json!({ "description": "", "username": "patched" }))
        .await;
    assert_eq!(cleared.ok()["description"], "");
    for name in [json!(null), json!(""), json!("  ")] {
        let answer = api.patch(&path, json!({ "name": name })).await;
        assert_eq!(
            (answer.status, answer.pointer()),
            (400, "/name"),
            "{}",
            answer.body
        );
    }
    api.patch(&path, json!({ "username": "other" }))
        .await
        .is(400, "immutable_field");
    api.patch(&path, json!({ "description": "x".repeat(401) }))
        .await
        .is(400, "too_long");
}

#[tokio::test(flavor = "multi_thread")]
async fn account_and_token_come_into_being_together_or_not_at_all() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let mut body = account("both");
    body["expirationDate"] = json!("2020-01-01T00:00:00Z");
    let path = format!("{ROOT}?withPAT=true");
    api.post(&path, body.clone())
        .await
        .is(400, "expiration_in_past");
    body["expirationDate"] = json!(UNTIL);
    body["patName"] = json!("first");
    let made = api.post(&path, body).await.created();
    let path = format!("{ROOT}/{}/pat/search", text(&made["machineUserId"]));
    let listed = api.send("POST", &path, b"").await.ok();
    let attributes = &listed["data"][0]["attributes"];
    assert_eq!(attributes["name"], "first");
    assert_eq!(attributes["state"], "active");
    let hint = text(&attributes["tokenHint"]);
    assert!(hint.len() == 4 && text(&made["pat"]).ends_with(&hint));
}
