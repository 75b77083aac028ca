//! The examples of the specification, read from the folder that `VOUCHSAFE_VECTORS` names.

use std::path::PathBuf;

use serde_json::Value;

use super::metadata::CredentialConfiguration;
use super::offer::{IssuerRule, OfferError};
use super::request::RequestError;
use super::*;
use crate::http::{HttpResponse, UrlRule};

const RULE: UrlRule = UrlRule::PublicHttps;

/// Texts of the folder by file name; none, and a line that says so, where it is not there.
fn files() -> Vec<(String, String)> {
    let folder = std::env::var_os("VOUCHSAFE_VECTORS").map(|f| PathBuf::from(f).join("openid4vci"));
    let Some(folder) = folder else {
        println!("skipped: vectors openid4vci, VOUCHSAFE_VECTORS is not set");
        return Vec::new();
    };
    let entries =
        std::fs::read_dir(&folder).expect("VOUCHSAFE_VECTORS names the folder of vectors");
    let mut files: Vec<_> = entries
        .map(|e| e.unwrap().path())
        .map(|p| {
            (
                p.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(&p).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn matching(prefix: &str) -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .collect()
}

/// Body of an example that shows a whole HTTP answer.
fn answer(text: &str) -> HttpResponse {
    let (head, body) = text
        .trim_start()
        .split_once("{")
        .expect("the body is an object");
    let headers = head.lines().skip(1).filter_map(|l| l.split_once(": "));
    HttpResponse {
        status: 200,
        headers: headers.collect(),
        // The examples break long strings over lines.
        body: format!("{{{}", body.lines().map(str::trim).collect::<String>()).into_bytes(),
    }
}

#[test]
fn offers_of_the_specification() {
    for (name, text) in matching("credential_offer_") {
        let offer = if name.ends_with(".txt") {
            CredentialOffer::from_response(&answer(&text), RULE, &IssuerRule::Any)
        } else {
            CredentialOffer::parse(text.as_bytes(), RULE, &IssuerRule::Any)
        };
        let offer = offer.unwrap_or_else(|e: OfferError| panic!("{name}: {e}"));
        let link = OfferInvocation::parse(&offer.link_by_value(), RULE, &IssuerRule::Any);
        assert_eq!(
            link,
            Ok(OfferInvocation::ByValue(Box::new(offer))),
            "{name}"
        );
    }
}

#[test]
fn metadata_of_the_specification() {
    for (name, text) in matching("credential_issuer_metadata_sd_jwt_long") {
        let issuer =
            CredentialIssuerId::parse("https://credential-issuer.example.com", RULE).unwrap();
        let metadata = IssuerMetadata::parse(text.as_bytes(), &issuer, RULE)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(metadata.batch_size(), 10);
        let again = serde_json::to_vec(metadata.document()).unwrap();
        assert_eq!(
            IssuerMetadata::parse(&again, &issuer, RULE).unwrap(),
            metadata
        );
    }
}

#[test]
fn configurations_of_the_specification() {
    for (name, text) in matching("credential_metadata_") {
        let value: Value = serde_json::from_str(&text).unwrap();
        let map = value["credential_configurations_supported"]
            .as_object()
            .unwrap();
        for configuration in map.values() {
            let parsed = serde_json::from_value::<CredentialConfiguration>(configuration.clone());
            assert!(parsed.is_ok(), "{name}: {parsed:?}");
        }
    }
}

#[test]
fn the_request_example_of_an_old_draft_is_refused() {
    for (name, text) in matching("credential_request_") {
        // The file still shows `format`; section 8.2 has no such member.
        assert_eq!(
            CredentialRequest::parse(text.as_bytes()),
            Err(RequestError::Draft),
            "{name}"
        );
    }
}

#[test]
fn responses_of_the_specification() {
    for (name, text) in matching("credential_response_") {
        let got = ReceivedCredentials::from_response(&answer(&text), 1);
        // A credential of the Data Integrity format is an object, which no wallet of ours asks for.
        assert_eq!(
            got.is_ok(),
            name != "credential_response_ldp_vc.txt",
            "{name}: {got:?}"
        );
    }
}
