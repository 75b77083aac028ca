//! Configurations that the service does not start with.

use vouchsafe_verifier::config::{ConfigError, Keys, Settings};

use crate::world::pki::Pki;
use crate::world::{parse, toml};

fn refusal(change: impl FnOnce(String) -> String) -> ConfigError {
    let changed = change(toml(&Pki::new()));
    let config = parse(&changed);
    match Settings::parse(&config).and_then(|_| Keys::parse(&config.keys)) {
        Err(error) => error,
        Ok(_) => panic!("the configuration was accepted"),
    }
}

fn replaced(from: &'static str, to: &'static str) -> impl FnOnce(String) -> String {
    move |toml| {
        assert!(toml.contains(from), "{from} is not in the configuration");
        toml.replacen(from, to, 1)
    }
}

#[test]
fn the_configuration_of_the_tests_is_accepted() {
    let config = parse(&toml(&Pki::new()));
    Settings::parse(&config).unwrap();
    Keys::parse(&config.keys).unwrap();
}

#[test]
fn unknown_keys_are_refused() {
    let changed = toml(&Pki::new()).replacen("cross_device", "cross_devise", 1);
    assert!(vouchsafe_service::config::parse::<vouchsafe_verifier::Config>(&changed).is_err());
}

#[test]
fn a_query_without_a_subject_strategy() {
    let error = refusal(replaced("subject = { strategy = \"guest\" }\n", ""));
    assert!(
        matches!(error, ConfigError::NoSubjectStrategy { .. }),
        "{error}"
    );
}

#[test]
fn cat_344_a_subject_claim_that_nobody_declared_stable() {
    let error = refusal(replaced("[\"member_id\"] }", "[\"tier\"] }"));
    assert!(
        matches!(error, ConfigError::ClaimNotStable { .. }),
        "{error}"
    );
}

#[test]
fn cat_310_a_query_without_holder_binding() {
    let from = r#""format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:age:1"]}"#;
    let to = r#""format":"dc+sd-jwt","require_cryptographic_holder_binding":false,"meta":{"vct_values":["urn:vouchsafe:age:1"]}"#;
    let error = refusal(replaced(from, to));
    assert!(error.to_string().contains("holder binding"), "{error}");
}

#[test]
fn cat_379_one_key_for_two_purposes() {
    let pki = Pki::new();
    let error =
        refusal(|toml| toml.replace(pki.id_token_es256.as_str(), pki.verifier_key_pem.as_str()));
    assert!(matches!(error, ConfigError::SharedKey { .. }), "{error}");
}

#[test]
fn a_request_key_that_its_certificate_does_not_name() {
    let pki = Pki::new();
    let error =
        refusal(|toml| toml.replace(pki.verifier_key_pem.as_str(), pki.issuer.key_pem.as_str()));
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn http_off_loopback_and_loopback_without_the_switch() {
    let error = refusal(replaced("loopback_http = true", "loopback_http = false"));
    assert!(error.to_string().contains("https"), "{error}");
    let error = refusal(replaced(
        "public_url = \"http://127.0.0.1:8081\"",
        "public_url = \"https://login.example\"",
    ));
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[test]
fn a_known_default_secret() {
    let toml = toml(&Pki::new());
    let start = toml.find("secret = \"").unwrap() + 10;
    let secret = toml[start..].split('"').next().unwrap().to_owned();
    let error = refusal(|toml| toml.replacen(&secret, &"A".repeat(43), 1));
    assert!(error.to_string().contains("default"), "{error}");
}

#[test]
fn cat_353_redirect_addresses_that_are_none() {
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://*.example/cb",
        "http://shop.example/cb",
        "https://shop.example/cb#x",
    ] {
        let error = refusal(|toml| toml.replacen("http://127.0.0.1:9000/cb", uri, 1));
        assert!(
            matches!(error, ConfigError::Client { .. }),
            "{uri}: {error}"
        );
    }
}

#[test]
fn clients_that_make_no_sense() {
    let cases = [
        (
            "scopes = [\"age\", \"membership\"]",
            "scopes = [\"ages\"]",
            "no query has the scope",
        ),
        (
            "redirect_uris = [\"http://127.0.0.1:9000/cb\"]",
            "redirect_uris = [\"http://127.0.0.1:9000/cb\", \"https://a.example/cb\"]",
            "sector",
        ),
        (
            "secret = \"shop-secret-0123456789\"",
            "secret = \"short\"",
            "16 characters",
        ),
        ("id = \"cafe\"", "id = \"shop\"", "twice"),
        (
            "default_query = \"member-login\"",
            "default_query = \"nothing\"",
            "default_query",
        ),
        (
            "backchannel_logout_uri = \"http://127.0.0.1:9000/backchannel\"",
            "backchannel_logout_uri = \"http://shop.example/x\"",
            "backchannel_logout_uri",
        ),
    ];
    for (from, to, text) in cases {
        let error = refusal(replaced(from, to));
        assert!(error.to_string().contains(text), "{error}");
    }
    let public = refusal(|toml| toml.replacen("secret = \"suite-secret-0123456789\"\n", "", 1));
    assert!(public.to_string().contains("pkce"), "{public}");
}

#[test]
fn queries_that_make_no_sense() {
    let cases = [
        (
            "claims = { age_over_18 = [\"age_equal_or_over\", \"18\"] }",
            "claims = { sub = [\"age_equal_or_over\", \"18\"] }",
            "reserved",
        ),
        (
            "claims = { age_over_18 = [\"age_equal_or_over\", \"18\"] }",
            "claims = { age_over_18 = [\"age_equal_or_over\", \"21\"] }",
            "does not ask",
        ),
        (
            "id_token_claims = [\"age_over_18\"]",
            "id_token_claims = [\"name\"]",
            "no claim of the query",
        ),
        (
            "urn:vouchsafe:age:1\"]},\"claims\"",
            "urn:vouchsafe:age:2\"]},\"claims\"",
            "no trusted issuer",
        ),
        (
            "purpose = { en = \"Log in\" }",
            "purpose = { de = \"Anmelden\" }",
            "en",
        ),
        ("scope = \"age\"", "scope = \"membership\"", "twice"),
    ];
    for (from, to, text) in cases {
        let error = refusal(replaced(from, to));
        assert!(error.to_string().contains(text), "{error}");
    }
}
