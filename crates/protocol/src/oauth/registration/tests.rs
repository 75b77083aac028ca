use serde_json::{Map, Value, json};

use super::*;

const JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"1"}"#;

fn offered() -> Offered {
    Offered {
        scopes: vec!["age".to_owned(), "membership".to_owned()],
        without_scope: false,
        refresh: true,
        devices: false,
        secrets: true,
        loopback_http: false,
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Metadata that are fine, with some members replaced.
fn with(more: Value) -> Map<String, Value> {
    let mut base = object(json!({ "redirect_uris": ["https://app.example/cb"] }));
    base.extend(object(more));
    base
}

fn parse(more: Value) -> Result<ClientMetadata, MetadataError> {
    ClientMetadata::parse(&with(more), &offered())
}

fn refused(more: Value) -> (&'static str, MetadataError) {
    let error = parse(more.clone()).err();
    let error = error.unwrap_or_else(|| panic!("{more} was accepted"));
    (error.to_oauth().code.as_str(), error)
}

fn jwk() -> Value {
    serde_json::from_str(JWK).unwrap()
}

#[test]
fn cat_353_what_no_redirect_uri_may_be() {
    for uris in [
        json!(["javascript:alert(1)"]),
        json!(["data:text/html,x"]),
        json!(["https://*.app.example/cb"]),
        json!(["http://app.example/cb"]),
        json!(["https://app.example/cb#x"]),
        json!(["https://user@app.example/cb"]),
        json!(["https://app.example/cb", "javascript:alert(1)"]),
        json!(["/cb"]),
        json!([]),
        json!([7]),
        json!("https://app.example/cb"),
        Value::Null,
        json!(vec!["https://app.example/cb"; 21]),
        // A private-use scheme is for native applications.
        json!(["com.example.app:/cb"]),
    ] {
        let (code, _) = refused(json!({ "redirect_uris": uris }));
        assert_eq!(code, "invalid_redirect_uri", "{uris}");
    }
    // OpenID Connect Dynamic Client Registration 1.0, section 2, `application_type`.
    let (code, _) = refused(json!({ "application_type": "native" }));
    assert_eq!(code, "invalid_redirect_uri");
    let native = json!({
        "application_type": "native",
        "redirect_uris": ["com.example.app:/cb", "http://127.0.0.1:4711/cb"],
    });
    assert!(parse(native).is_ok());
}

#[test]
fn rfc_7591_section_2_what_is_not_served_is_refused() {
    for more in [
        json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
        json!({ "token_endpoint_auth_method": "tls_client_auth" }),
        json!({ "token_endpoint_auth_method": 1 }),
        json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [] } }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://app.example/jwks" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks", "jwks": { "keys": [jwk()] } }),
        json!({ "grant_types": ["implicit"] }),
        json!({ "grant_types": ["client_credentials"] }),
        json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"] }),
        json!({ "response_types": ["id_token"] }),
        json!({ "subject_type": "public" }),
        json!({ "id_token_signed_response_alg": "none" }),
        json!({ "id_token_signed_response_alg": "HS256" }),
        json!({ "userinfo_signed_response_alg": "RS256" }),
        json!({ "id_token_encrypted_response_alg": "RSA-OAEP-256" }),
        json!({ "request_object_signing_alg": "ES256" }),
        json!({ "tls_client_certificate_bound_access_tokens": true }),
        json!({ "application_type": "browser" }),
        json!({ "scope": "profile" }),
        json!({ "scope": "a  b" }),
        json!({ "default_max_age": -1 }),
        json!({ "default_max_age": "600" }),
        json!({ "require_auth_time": "true" }),
        json!({ "dpop_bound_access_tokens": 1 }),
        json!({ "default_acr_values": "urn:vouchsafe:acr:vc" }),
        json!({ "backchannel_logout_uri": "http://app.example/out" }),
        json!({ "backchannel_logout_uri": "https://app.example/out#x" }),
        json!({ "post_logout_redirect_uris": ["javascript:alert(1)"] }),
        json!({ "sector_identifier_uri": "http://app.example/list" }),
        json!({ "logo_uri": "javascript:alert(1)" }),
        json!({ "policy_uri": "data:text/html,x" }),
        json!({ "tos_uri": "/terms" }),
        json!({ "client_uri#de": "http://app.example" }),
    ] {
        let (code, _) = refused(more.clone());
        assert_eq!(code, "invalid_client_metadata", "{more}");
    }
    // What asks for nothing may stand there.
    for more in [
        json!({ "userinfo_signed_response_alg": "none" }),
        json!({ "tls_client_certificate_bound_access_tokens": false }),
        json!({ "request_object_signing_alg": null }),
        json!({ "contacts": ["a@app.example"], "unheard_of": { "a": 1 } }),
    ] {
        assert!(parse(more.clone()).is_ok(), "{more}");
    }
}

#[test]
fn cat_383_names_that_cannot_stand_on_a_page() {
    for name in [
        "",
        "  ",
        "two\nlines",
        "bell\u{7}",
        "turned \u{202e}round",
        "isolated \u{2067}x",
        "marked \u{200f}x",
        "zero\u{200b}width",
        "joined\u{2060}x",
        "\u{feff}x",
        "soft\u{ad}hyphen",
        "filler \u{3164}",
        "tagged\u{e0041}",
        &"n".repeat(101),
    ] {
        let (code, error) = refused(json!({ "client_name": name }));
        assert_eq!(code, "invalid_client_metadata", "{name:?}");
        // Nothing of it is repeated.
        let told = serde_json::to_string(&error.to_oauth()).unwrap();
        assert!(name.trim().is_empty() || !told.contains(name), "{told}");
    }
    for tag in ["client_name#", "client_name#de_AT", "client_name#123456789"] {
        refused(json!({ "client_name": "App", tag: "App" }));
    }
    let named = parse(json!({
        "client_name": "The <Shop>", "client_name#de": "Der Laden",
        "tos_uri#de": "https://app.example/agb",
    }));
    let named = named.unwrap();
    assert_eq!(named.about.name.for_locale("de-AT"), "Der Laden");
    assert_eq!(named.about.name.for_locale("fr"), "The <Shop>");
    let json = named.to_json();
    assert_eq!(json["client_name#de"], "Der Laden");
    assert_eq!(json["tos_uri#de"], "https://app.example/agb");
}

#[test]
fn rfc_7591_section_2_3_software_statements_are_refused_and_not_overlooked() {
    for (statement, code) in [
        (json!("a.b.c"), "unapproved_software_statement"),
        (json!("a"), "invalid_software_statement"),
        (json!({}), "invalid_software_statement"),
    ] {
        assert_eq!(refused(json!({ "software_statement": statement })).0, code);
    }
}

#[test]
fn rfc_7591_section_2_private_keys_are_no_metadata() {
    let mut private = jwk();
    private["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    let (code, _) = refused(json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [private] },
    }));
    assert_eq!(code, "invalid_client_metadata");
}

#[test]
fn rfc_7591_section_3_2_1_the_answer_shows_what_holds_and_parses_again() {
    let asked = json!({
        "client_name": "App",
        "redirect_uris": ["https://app.example/cb", "https://app.example/cb2"],
        "grant_types": ["authorization_code", "refresh_token", "implicit"],
        "response_types": ["code", "id_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [jwk()] },
        "scope": "openid membership offline_access email",
        "default_acr_values": ["urn:vouchsafe:acr:vc", "urn:other"],
        "default_max_age": 600,
        "require_auth_time": true,
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/out",
        "id_token_signed_response_alg": "ES256",
        "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true,
        "logo_uri": "https://app.example/logo.png",
        "frontchannel_logout_uri": "https://app.example/front",
        "software_version": "1",
    });
    let holds = parse(asked).unwrap().to_json();
    let expected = json!({
        "application_type": "web",
        "client_name": "App",
        "redirect_uris": ["https://app.example/cb", "https://app.example/cb2"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [jwk()] },
        "subject_type": "pairwise",
        "scope": "openid membership offline_access",
        "default_acr_values": ["urn:vouchsafe:acr:vc"],
        "default_max_age": 600,
        "require_auth_time": true,
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/out",
        "backchannel_logout_session_required": true,
        "id_token_signed_response_alg": "ES256",
        "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true,
        "logo_uri": "https://app.example/logo.png",
    });
    assert_eq!(Value::Object(holds.clone()), expected);
    let again = ClientMetadata::parse(&holds, &offered()).unwrap();
    assert_eq!(again.to_json(), holds);
    // Where the operator offers less by now, less holds.
    let less = Offered {
        refresh: false,
        ..offered()
    };
    let less = ClientMetadata::parse(&holds, &less).unwrap().to_json();
    assert_eq!(less["scope"], "openid membership");
    assert_eq!(less["grant_types"], json!(["authorization_code"]));
    let none = Offered {
        scopes: vec!["age".to_owned()],
        ..offered()
    };
    assert!(ClientMetadata::parse(&holds, &none).is_err());
}

#[test]
fn rfc_7591_section_2_the_defaults() {
    let holds = parse(json!({})).unwrap().to_json();
    assert_eq!(holds["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(holds["grant_types"], json!(["authorization_code"]));
    assert_eq!(holds["response_types"], json!(["code"]));
    assert_eq!(holds["id_token_signed_response_alg"], "RS256");
    assert_eq!(holds["scope"], "openid age membership");
    // Where nobody shares secrets.
    let without = Offered {
        secrets: false,
        ..offered()
    };
    let parse = |more| ClientMetadata::parse(&with(more), &without);
    let holds = parse(json!({})).unwrap().to_json();
    assert_eq!(holds["token_endpoint_auth_method"], "none");
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
    ] {
        assert!(parse(json!({ "token_endpoint_auth_method": method })).is_err());
    }
}

#[test]
fn core_section_8_1_sectors_of_clients_that_nobody_configured() {
    let sector = |more| {
        let metadata = parse(more).unwrap();
        metadata.sector("reg-1").map(|one| one.as_str().to_owned())
    };
    // Whose address it is was not shown: no host is a sector by its name alone.
    assert_eq!(sector(json!({})).unwrap(), "client:reg-1");
    let two = json!(["https://app.example/cb", "https://other.example/cb"]);
    assert!(sector(json!({ "redirect_uris": two })).is_err());
    let mixed = json!(["https://app.example/cb", "http://127.0.0.1/cb"]);
    assert!(sector(json!({ "redirect_uris": mixed })).is_err());
    let mut listed =
        json!({ "redirect_uris": two, "sector_identifier_uri": "https://App.example/list" });
    assert_eq!(sector(listed.clone()).unwrap(), "app.example");
    listed["backchannel_logout_uri"] = json!("https://app.example/logout");
    assert_eq!(sector(listed.clone()).unwrap(), "app.example");
    listed["backchannel_logout_uri"] = json!("https://attacker.example/logout");
    assert!(
        sector(listed).is_err(),
        "logout tokens would leave the sector"
    );
    // Addresses that could be anybody's are no sector of many clients.
    for uris in [
        json!(["http://127.0.0.1:1/cb"]),
        json!(["com.example.app:/cb"]),
    ] {
        let native = json!({ "application_type": "native", "redirect_uris": uris });
        assert_eq!(sector(native).unwrap(), "client:reg-1");
    }
}

#[test]
fn registration_section_5_the_list_of_a_sector_has_every_redirect_uri() {
    let metadata = parse(json!({
        "redirect_uris": ["https://app.example/cb", "https://other.example/cb"],
        "sector_identifier_uri": "https://app.example/list",
    }));
    let metadata = metadata.unwrap();
    let check = |list: &str| metadata.check_sector_list(list.as_bytes());
    for list in [
        "",
        "{}",
        "[]",
        "[1]",
        r#"["https://app.example/cb"]"#,
        r#"["https://app.example/cb","https://other.example/cb/"]"#,
        r#"{"redirect_uris":["https://app.example/cb","https://other.example/cb"]}"#,
    ] {
        assert!(check(list).is_err(), "{list}");
    }
    let list = r#"["https://x.example","https://other.example/cb","https://app.example/cb"]"#;
    assert_eq!(check(list), Ok(()));
}
