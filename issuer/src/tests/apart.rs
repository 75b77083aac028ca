//! What two tenants must not have in common.

use super::harness::ISSUER;
use super::house::{GYM, named, pem, ports, tenant_text};
use crate::house::{House, HouseError};

#[tokio::test]
async fn tenants_that_share_something_are_not_hosted() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let club = tenant_text(ISSUER, 3, &file("club.db"));
    let gym = tenant_text(GYM, 5, &file("gym.db"));
    let secret_of = |text: &str| text.split("secret = \"").nth(1).unwrap()[..43].to_owned();
    let cases = [
        ("public address", gym.replace(GYM, ISSUER)),
        ("database", gym.replace("gym.db", "./club.db")),
        (
            "master secret",
            gym.replace(&secret_of(&gym), &secret_of(&club)),
        ),
        ("signing key", gym.replace(&pem(5), &pem(3))),
    ];
    for (what, text) in cases {
        let tenants = vec![named("club", &club), named("gym", &text)];
        let error = House::of(tenants, &ports().0).await.err();
        let shared =
            matches!(&error, Some(HouseError::Shared { what: found, .. }) if *found == what);
        assert!(shared, "{what}: {error:?}");
        assert!(!folder.path().join("club.db").exists(), "{what}");
    }
}

/// Keys that sign no credential of a format are keys too.
#[tokio::test]
async fn no_key_of_any_purpose_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let club = tenant_text(ISSUER, 3, &file("club.db"));
    let gym = tenant_text(GYM, 5, &file("gym.db"));
    let identity = |key: &str| {
        format!(
            "\n[vc_api]\nenabled = true\n[[vc_api.identity]]\n\
             cryptosuites = ['eddsa-rdfc-2022']\nkey = \"\"\"\n{key}\"\"\"\n"
        )
    };
    let with = |text: &str, key: u64| format!("{text}{}", identity(&pem(key)));
    for (one, other, shared) in [
        (with(&club, 6), with(&gym, 6), true),
        (with(&club, 6), with(&gym, 3), true),
        (club.clone(), with(&gym, 3), true),
        (with(&club, 3), with(&gym, 5), false),
    ] {
        let tenants = vec![named("club", &one), named("gym", &other)];
        let error = House::of(tenants, &ports().0).await.err();
        let found = matches!(
            &error,
            Some(HouseError::Shared {
                what: "signing key",
                ..
            })
        );
        assert!(found == shared && (shared || error.is_none()), "{error:?}");
    }
}

/// Two schemes, one authority: a request does not say which.
#[tokio::test]
async fn the_tenants_of_one_authority_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let tenants = vec![
        named(
            "club",
            &tenant_text("http://127.0.0.1:8702", 3, &file("club.db")),
        ),
        named("gym", &tenant_text(GYM, 5, &file("gym.db"))),
        named(
            "spa",
            &tenant_text("https://127.0.0.1:8702", 7, &file("spa.db")),
        ),
    ];
    let Some(HouseError::Shared { what, one, other }) = House::of(tenants, &ports().0).await.err()
    else {
        panic!("they were opened");
    };
    assert_eq!(
        (what, one.to_string(), other.to_string()),
        ("authority", "club".to_owned(), "spa".to_owned())
    );
    assert!(!folder.path().join("club.db").exists());
}
