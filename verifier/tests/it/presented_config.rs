//! Mistakes in `[presented_credentials]` and in `assurance` stop the start.

use vouchsafe_verifier::config::{Config, Settings};

use crate::presented::BRIDGE;
use crate::world::pki::Pki;
use crate::world::toml;

fn refusal(add: &str) -> String {
    let text = toml(&Pki::new()) + add;
    match vouchsafe_service::config::parse::<Config>(&text) {
        Err(error) => error.to_string(),
        Ok(config) => match Settings::parse(&config) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("the configuration was accepted"),
        },
    }
}

fn replaced(from: &str, to: &str) -> String {
    assert!(BRIDGE.contains(from), "{from}");
    BRIDGE.replacen(from, to, 1)
}

#[test]
fn the_configuration_of_these_tests_is_accepted() {
    let text = toml(&Pki::new()) + BRIDGE;
    let config = vouchsafe_service::config::parse::<Config>(&text).unwrap();
    Settings::parse(&config).unwrap();
}

#[test]
fn another_draft_is_not_spoken() {
    for draft in ["-01", "-03", "-latest", ""] {
        let other = replaced("oidc-bridge-02", &format!("oidc-bridge{draft}"));
        assert!(refusal(&other).contains("draft"), "{draft}");
    }
    assert!(
        refusal(&replaced(
            "draft = \"draft-svensson-credential-oidc-bridge-02\"\n",
            ""
        ))
        .contains("draft")
    );
}

#[test]
fn scopes_that_stand_for_no_card() {
    let scopes = "scopes = [\"member\", \"adult\", \"badge\", \"grown\"]\ndcql_query";
    let with = |scopes_now: &str| {
        refusal(&replaced(
            scopes,
            &format!("scopes = {scopes_now}\ndcql_query"),
        ))
    };
    assert!(with("[]").contains("scopes is empty"));
    assert!(with("[\"nothing\"]").contains("no query has this scope"));
    assert!(with("[\"id\"]").contains("reserved"));
    // A scope whose name is not that of a card.
    assert!(with("[\"hello\"]").contains("no credential with this id"));
    assert!(with("[\"member\", \"member\"]").contains("occurs twice"));
    // The desk may ask for none of these.
    assert!(with("[\"extra\"]").contains("no query has this scope"));
}

#[test]
fn questions_that_cannot_be_told_card_by_card() {
    let card = |from: &str, to: &str| refusal(&replaced(from, to));
    assert!(
        card("\"city\"], adult", "\"city\", \"age_over_18\"], adult")
            .contains("another credential")
    );
    assert!(
        card(
            "\"meta\":{\"vct_values\":[\"urn:vouchsafe:membership:1\"]}",
            "\"multiple\":true,\"meta\":{\"vct_values\":[\"urn:vouchsafe:membership:1\"]}"
        )
        .contains("multiple")
    );
    let two = "\"meta\":{\"vct_values\":[\"urn:vouchsafe:membership:1\",\"urn:vouchsafe:age:1\"]}";
    let badge = replaced(
        "{\"id\":\"badge\",\"format\":\"dc+sd-jwt\",\"meta\":{\"vct_values\":[\"urn:vouchsafe:membership:1\"]}",
        &format!("{{\"id\":\"badge\",\"format\":\"dc+sd-jwt\",{two}"),
    );
    assert!(refusal(&badge).contains("more than one type"));
    let sets = replaced(
        "\"claims\":[{\"path\":[\"age_equal_or_over\",\"18\"]}]}]}",
        "\"claims\":[{\"path\":[\"age_equal_or_over\",\"18\"]}]}],\"credential_sets\":[{\"options\":[[\"member\"]]}]}",
    );
    assert!(refusal(&sets).contains("credential_sets"));
}

#[test]
fn applications_that_may_have_what_is_not_served() {
    let off = BRIDGE.split("[[query]]").collect::<Vec<_>>()[1..].join("[[query]]");
    assert!(refusal(&format!("[[query]]{off}")).contains("client desk"));
    let none = replaced(
        "scopes = [\"member\", \"adult\", \"hello\", \"badge\", \"grown\", \"age\"]",
        "scopes = [\"hello\", \"age\"]",
    );
    assert!(refusal(&none).contains("client desk"));
    // Names that are ours to say.
    let named = |name: &str| {
        refusal(&replaced(
            "claims = { name = [\"name\"]",
            &format!("claims = {{ name = [\"name\"], {name} = [\"tier\"]"),
        ))
    };
    for name in ["presented_credentials", "verified_claims"] {
        assert!(named(name).contains("reserved"), "{name}");
    }
}

#[test]
fn assurance_that_says_nothing_or_of_another_type() {
    let issuer = |assurance: &str| {
        format!(
            "\n[[trust.issuer]]\nid = \"did:web:x.example\"\ndid = \"did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169\"\ntypes = [\"urn:vouchsafe:age:1\"]\nassurance = {{ {assurance} }}\n"
        )
    };
    let age = "\"urn:vouchsafe:age:1\" = { trust_framework = \"eidas\"";
    for (assurance, reason) in [
        (
            "\"urn:vouchsafe:other:1\" = { trust_framework = \"eidas\" }".to_owned(),
            "not in types",
        ),
        (
            "\"urn:vouchsafe:age:1\" = { trust_framework = \" \" }".to_owned(),
            "empty text",
        ),
        (
            "\"urn:vouchsafe:age:1\" = { assurance_level = \"high\" }".to_owned(),
            "trust_framework",
        ),
        (format!("{age}, assurance_level = \"\" }}"), "empty text"),
        (
            format!("{age}, evidence = {{ type = \"bill\", of = \"x\" }} }}"),
            "vouch",
        ),
        (format!("{age}, evidence = {{ type = \"vouch\" }} }}"), "of"),
        (
            format!(
                "{age}, evidence = {{ type = \"vouch\", of = \"x\", country_code = \"de\" }} }}"
            ),
            "country_code",
        ),
        (
            format!("{age}, evidence = {{ type = \"vouch\", of = \"x\", name = \"\" }} }}"),
            "empty text",
        ),
    ] {
        let said = refusal(&issuer(&assurance));
        assert!(said.contains(reason), "{assurance}: {said}");
    }
}

#[test]
fn the_guide_is_a_configuration() {
    let guide = include_str!("../../../docs/cards-as-claims.md");
    let blocks = guide.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let client = "name = \"The Desk\"\nsecret = \"desk-secret-0123456789\"\nredirect_uris = [\"https://desk.example/cb\"]";
    let issuer = "did = \"did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169\"";
    let whole: String = blocks.collect::<Vec<_>>().join("\n");
    let whole = whole
        .replacen("# and what every client has", client, 1)
        .replacen("# and its anchors", issuer, 1);
    let text = toml(&Pki::new()) + "\n" + &whole;
    let config = vouchsafe_service::config::parse::<Config>(&text).unwrap();
    Settings::parse(&config).unwrap();
}
