//! Configurations that the service does not start with.

use serde_json::json;
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::testing::SeededRng;
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
fn no_application_has_the_name_under_which_numbers_count_the_rest() {
    let error = refusal(replaced("id = \"shop\"", "id = \"other\""));
    assert!(error.to_string().contains("client other"), "{error}");
}

#[test]
fn a_name_of_a_card_that_leads_to_nobody() {
    let guest = "subject = { strategy = \"guest\" }\n";
    let named = "subject = { strategy = \"guest\" }\ncard_name = { en = \"Proof of age\" }\n";
    let error = refusal(replaced(guest, named));
    assert!(error.to_string().contains("card_name"), "{error}");
    let error = refusal(replaced(
        "card_name = { en = \"Membership card\", de",
        "card_name = { de",
    ));
    assert!(error.to_string().contains("card_name"), "{error}");
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
fn what_the_subject_section_says_counts_for_a_query_that_says_nothing() {
    let with = |section: &str| {
        let without = replaced("subject = { strategy = \"guest\" }\n", "")(toml(&Pki::new()));
        without + "\n[subject]\n" + section
    };
    let guest = parse(&with("strategy = \"guest\""));
    Settings::parse(&guest).unwrap();
    // The query of the age proof does not ask for it.
    for strategy in ["asserted_lookup", "session_binding", "issuer_scoped_claim"] {
        let section = format!("strategy = \"{strategy}\"\nclaim = \"member_id\"");
        let error = refusal(|_| with(&section));
        assert!(error.to_string().contains("subject.claim"), "{error}");
    }
    for section in [
        "strategy = \"key_thumbprint\"",
        "strategy = \"asserted_lookup\"",
    ] {
        let text = with(section);
        let parsed = vouchsafe_service::config::parse::<vouchsafe_verifier::Config>(&text);
        assert!(parsed.is_err(), "{section}");
    }
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
        "public_url = \"http://localhost:8081\"",
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
        (
            "secret = \"shop-secret-0123456789\"",
            "secret = \"ChangeMe-changeme-password\"",
            "can be guessed",
        ),
        (
            "secret = \"shop-secret-0123456789\"",
            "secret = \"aaaaaaaaaaaaaaaaaaaaaaaa\"",
            "can be guessed",
        ),
        ("id = \"cafe\"", "id = \"shop\"", "twice"),
        (
            "[[client]]\nid = \"shop\"",
            "[wallet]\nendpoint = \"JavaScript:alert(1)//\"\n\n[[client]]\nid = \"shop\"",
            "wallet.endpoint",
        ),
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
fn only_a_device_has_no_address_and_it_has_a_sector() {
    let uris = "redirect_uris = [\"http://127.0.0.2:9001/cb\"]";
    assert!(refusal(replaced(uris, "")).to_string().contains("cafe"));
    let error = refusal(replaced(uris, "device = true"));
    assert!(error.to_string().contains("sector"), "{error}");
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
        (
            "scope = \"age\"",
            "scopes = { age = [\"age_over_18\"], membership = [\"age_over_18\"] }",
            "twice",
        ),
        (
            "scope = \"age\"",
            "scopes = { age = [\"name\"] }",
            "names of claims",
        ),
        (
            "scope = \"age\"",
            "scopes = { age = [] }",
            "names of claims",
        ),
        (
            "scope = \"age\"",
            "scopes = { openid = [\"age_over_18\"] }",
            "reserved",
        ),
    ];
    for (from, to, text) in cases {
        let error = refusal(replaced(from, to));
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn fapi_2_clients_that_lack_what_the_profile_needs() {
    let vault = "id = \"vault\"\nname = \"The Vault\"\nprofile = \"fapi2\"\n";
    let in_vault = |change: &dyn Fn(&str) -> String| {
        let error = refusal(|toml| {
            let (before, after) = toml.split_once(vault).unwrap();
            format!("{before}{vault}{}", change(after))
        });
        error.to_string()
    };
    let keys = |after: &str| {
        after
            .split("jwks = '''")
            .nth(1)
            .unwrap()
            .split("'''")
            .next()
            .unwrap()
            .to_owned()
    };
    let without_keys = |with: &str| {
        let with = with.to_owned();
        move |after: &str| {
            let jwks = format!("jwks = '''{}'''", keys(after));
            after.replacen(&jwks, &with, 1)
        }
    };
    let p384 = SigningKey::generate(Algorithm::Es384, &SeededRng::new(1));
    let p384 = json!({ "keys": [p384.public_key().to_jwk()] });
    let alg = "id_token_signed_response_alg = \"ES256\"\n";
    let uri = "https://vault.example/cb";
    let replaced = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |after: &str| after.replacen(&from, &to, 1)
    };
    for (error, reason) in [
        (in_vault(&without_keys("")), "private_key_jwt"),
        (
            in_vault(&without_keys("secret = \"vault-secret-0123456789\"")),
            "private_key_jwt",
        ),
        (
            in_vault(&without_keys(&format!("jwks = '''{p384}'''"))),
            "ES256 or EdDSA",
        ),
        (in_vault(&replaced(alg, "")), "id_token_signed_response_alg"),
        (
            in_vault(&replaced("ES256\"\n", "RS256\"\n")),
            "id_token_signed_response_alg",
        ),
        (
            in_vault(&replaced(alg, &format!("{alg}pkce = \"optional\"\n"))),
            "PKCE",
        ),
        (in_vault(&replaced(uri, "com.example.vault:/cb")), "https"),
        (
            in_vault(&replaced(alg, &format!("{alg}device = true\n"))),
            "device",
        ),
    ] {
        assert!(
            error.starts_with("client vault: profile fapi2 needs"),
            "{error}"
        );
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let unknown = toml(&Pki::new()).replacen("profile = \"fapi2\"", "profile = \"fapi3\"", 1);
    assert!(vouchsafe_service::config::parse::<vouchsafe_verifier::Config>(&unknown).is_err());
}

#[test]
fn the_example_of_the_guide_is_accepted() {
    let guide = include_str!("../../../docs/operating.md");
    let (_, after) = guide.split_once("## Applications under FAPI 2.0").unwrap();
    let (_, after) = after.split_once("```toml\n").unwrap();
    let (example, _) = after.split_once("```").unwrap();
    let all = toml(&Pki::new());
    let (before, _) = all.split_once("[[client]]").unwrap();
    let settings = Settings::parse(&parse(&format!("{before}{example}"))).unwrap();
    assert!(settings.clients()[0].only_pushed && settings.clients()[0].only_bound);
}

#[test]
fn resource_servers_that_make_no_sense() {
    for (from, to, reason) in [
        (
            "clients = [\"shop\", \"spa\"]",
            "clients = []",
            "nothing to ask about",
        ),
        (
            "clients = [\"shop\", \"spa\"]",
            "clients = [\"nobody\"]",
            "nobody",
        ),
        (
            "secret = \"shop-api-secret-0123456789\"\n",
            "",
            "secret or keys",
        ),
        ("shop-api-secret-0123456789", "short", "16"),
        ("id = \"shop-api\"", "id = \"shop\"", "twice"),
    ] {
        let error = refusal(replaced(from, to));
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn lifetimes_of_refresh_tokens_that_make_no_sense() {
    for (from, to) in [
        ("max_age_s = 2000000", "max_age_s = 2592001"),
        ("max_age_s = 2000000", "max_age_s = 0"),
        ("idle_s = 600000", "idle_s = 299"),
        ("idle_s = 600000", "idle_s = 2592001"),
    ] {
        let error = refusal(replaced(from, to));
        assert!(error.to_string().contains("refresh."), "{error}");
    }
    let error = refusal(replaced("scope = \"age\"", "scope = \"offline_access\""));
    assert!(error.to_string().contains("reserved"), "{error}");
}

#[test]
fn protocols_of_the_digital_credentials_api_that_are_none() {
    for protocols in [
        r#"["openid4vp-v1-multisigned"]"#,
        r#"["openid4vp"]"#,
        r#"[""]"#,
        r#"["openid4vp-v1-signed", "openid4vp-v1-signed"]"#,
    ] {
        let section = format!("\n[wallet]\ndigital_credentials = {protocols}\n");
        let error = refusal(|toml| toml + &section);
        let told = error.to_string();
        assert!(told.contains("wallet.digital_credentials"), "{told}");
    }
}

#[test]
fn keys_of_clients_that_make_no_sense() {
    let uri = "jwks_uri = \"https://fleet.example/jwks\"";
    for (to, reason) in [
        ("jwks_uri = \"http://fleet.example/jwks\"", "jwks_uri"),
        ("jwks = \'{\"keys\":[]}\'", "no usable key"),
        ("jwks = \'{}\'", "jwks"),
        (
            "jwks = \'{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}\'",
            "private",
        ),
        (
            "jwks = \'{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}\'",
            "no usable key",
        ),
        (
            "jwks = \'{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}\'",
            "no usable key",
        ),
        ("jwks_file = \"/nowhere/keys\"", "jwks_file"),
        (
            "jwks_uri = \"https://fleet.example/jwks\"\nsecret = \"0123456789abcdef\"",
            "not both",
        ),
        (
            "jwks_uri = \"https://fleet.example/jwks\"\njwks_file = \"x\"",
            "one of",
        ),
    ] {
        let error = refusal(replaced(uri, to));
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn cat_377_sections_for_applications_that_nobody_configured() {
    let add = |more: &'static str| move |toml: String| toml + more;
    for (more, says) in [
        ("[registration]\n", "nothing to ask"),
        (
            "[registration]\nallowed_scopes = [\"offline_access\"]\n",
            "nothing to ask",
        ),
        (
            "[registration]\nallowed_scopes = [\"email\"]\n",
            "no query has",
        ),
        (
            "[registration]\ndefault_query = \"none\"\n",
            "names no query",
        ),
        (
            "[registration]\nmost_open_clients = 0\nallowed_scopes = [\"age\"]\n",
            "most_open_clients",
        ),
        (
            "[registration]\nunused_open_days = 0\nallowed_scopes = [\"age\"]\n",
            "unused_open_days",
        ),
        (
            "[registration]\nunused_open_days = 3651\nallowed_scopes = [\"age\"]\n",
            "unused_open_days",
        ),
        (
            "[client_documents]\nallowed_scopes = [\"age\"]\n",
            "allowed_hosts is empty",
        ),
        (
            "[client_documents]\nany = true\nallowed_hosts = [\"a.example\"]\nallowed_scopes = [\"age\"]\n",
            "choose allowed_hosts or any",
        ),
        ("[client_documents]\nany = true\n", "nothing to ask"),
    ] {
        let error = refusal(add(more)).to_string();
        assert!(error.contains(says), "{more}: {error}");
    }
}

#[test]
fn security_events_for_those_who_cannot_keep_a_bearer_token() {
    for (from, to, reason) in [
        (
            "redirect_uris = [\"https://spa.example/cb\"]\n",
            "redirect_uris = [\"https://spa.example/cb\"]\nsecurity_events = true\n",
            "a secret or keys",
        ),
        (
            "redirect_uris = [\"https://bank.example/cb\"]\n",
            "redirect_uris = [\"https://bank.example/cb\"]\nsecurity_events = true\ndpop_bound_access_tokens = true\n",
            "must be bound",
        ),
    ] {
        let error = refusal(replaced(from, to)).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn cat_383_a_name_of_an_application_hides_nothing() {
    for hidden in [
        "\\u202E", "\\u200F", "\\u200B", "\\u2066", "\\u00AD", "\\uFEFF",
    ] {
        let more = format!(
            "[[client]]\nid = \"other\"\nname = \"The{hidden} Other\"\nsecret = \"other-secret-0123456789\"\n\
             redirect_uris = [\"http://127.0.0.1:9000/other\"]\nscopes = [\"age\"]\n"
        );
        let error = refusal(move |toml: String| toml + &more).to_string();
        assert!(error.contains("nobody sees"), "{hidden}: {error}");
    }
}

#[test]
fn what_is_said_about_consents_and_cannot_be() {
    let controller = |more: &str| format!("\n[controller]\nname = \"Club\"\n{more}\n");
    for (section, reason) in [
        (controller("country = \"no\""), "country"),
        (controller("storage = [\"Norway\"]"), "country"),
        (controller("contact = \" \""), "contact"),
        (
            controller("privacy_policy = \"http://club.example/\""),
            "privacy_policy",
        ),
        ("\n[consents]\nkeep_days = 0\n".to_owned(), "keep_days"),
        (
            "\n[consents]\nexpires_days = 99999\n".to_owned(),
            "expires_days",
        ),
    ] {
        let error = refusal(|toml| toml + &section);
        assert!(error.to_string().contains(reason), "{error}");
    }
    let hook = "webhook = { url = \"https://shop.example/hook\", secret = \"short\" }";
    for (more, reason) in [
        ("stays_days = 0", "stays_days"),
        ("expires_days = -1", "expires_days"),
        ("recipients = [\"\"]", "recipients"),
        (hook, "webhook"),
        (
            "controller = { name = \"S\", country = \"Norge\" }",
            "controller",
        ),
    ] {
        let error = refusal(|toml| crate::consents::shop(toml, more));
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn passkeys_need_a_name_and_a_limit_that_is_one() {
    let passkeys = "\n[passkeys]\nenabled = true\n";
    let error =
        refusal(|toml| toml.replace("http://localhost:8081", "http://127.0.0.1:8081") + passkeys);
    assert!(error.to_string().contains("with a name"), "{error}");
    for days in [0, -1, 3651] {
        let error = refusal(|toml| format!("{toml}{passkeys}card_max_age_days = {days}\n"));
        assert!(error.to_string().contains("card_max_age_days"), "{error}");
    }
}

#[test]
fn what_apps_call_the_service_is_a_name() {
    let codes = "\n[totp]\nenabled = true\n";
    for name in ["", " x", "a:b", "a\\nb", &"x".repeat(41)] {
        let error = refusal(|toml| format!("{toml}{codes}name = \"{name}\"\n"));
        assert!(error.to_string().contains("totp.name"), "{error}");
    }
}
