//! Secrets are where they must be and nowhere else (iam T4, T6).

use std::fs;

use super::fixture::Fixture;
use super::fixture::PASSWORD;
use crate::audit::Log as _;
use crate::iam::Credential;
use crate::iam::Role;
use crate::iam::port::Records as _;

#[tokio::test]
async fn no_secret_is_in_the_database_or_in_any_debug_text() {
    let fixture = Fixture::new().await;
    let anna = fixture.person("pca", "anna", Role::TenantUser).await;
    let issued = fixture.pat(&anna).await;
    let principal = fixture.bearer(&issued.token).await.unwrap();
    fixture.login("anna", PASSWORD).await.unwrap();
    let refused = fixture
        .login("somebody", issued.token.expose())
        .await
        .unwrap_err();
    fixture.identity.tail.finish().await;

    let logins = fixture.store.find_logins("anna", None).await.unwrap();
    let credential = Credential::Password {
        username: "anna".to_owned(),
        password: issued.token.clone(),
    };
    let links = fixture.store.links(0, 100).await.unwrap();
    let texts = format!(
        "{issued:?} {principal:?} {refused} {refused:?} {logins:?} {credential:?} {links:?} {:?}",
        fixture.identity,
    );
    let secret = issued.token.expose();
    let random = secret.split('_').nth(1).unwrap();
    let hash = logins[0].password.as_ref().unwrap().0.clone();
    for hidden in [secret, random, PASSWORD, &hash] {
        assert!(!texts.contains(hidden), "{texts}");
    }

    fixture.store.close().await;
    let pepper = fs::read_to_string(fixture.folder.path().join("pepper")).unwrap();
    let pepper = pepper.trim().split(' ').nth(1).unwrap();
    for file in fs::read_dir(fixture.folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.ends_with("pepper") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for hidden in [secret, random, PASSWORD, pepper] {
            assert!(!text.contains(hidden), "{}", path.display());
        }
    }
}
