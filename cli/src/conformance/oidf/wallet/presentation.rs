//! The runs in which the suite is the verifier.

use serde_json::{Value, json};
use vouchsafe_credentials::encoding::b64url;

use super::{Made, Options, PLAIN_VCT};

const HAIP: &str = "oid4vp-1final-wallet-haip-test-plan";
const PLAIN: &str = "oid4vp-1final-wallet-test-plan";
/// Where the suite sends the wallet: nothing listens there, the driver reads the address.
const WALLET: &str = "openid4vp://";

/// A plan with its variants.
pub struct Run {
    /// Names the file.
    pub name: String,
    /// The plan.
    pub plan: &'static str,
    /// What is chosen in the suite when the plan is made.
    pub variant: Value,
}

/// How the client names itself, how its request comes, and how the answer goes back.
const PLAIN_RUNS: [[&str; 3]; 9] = [
    ["x509_hash", "request_uri_signed", "direct_post"],
    ["x509_hash", "request_uri_signed", "direct_post.jwt"],
    ["x509_san_dns", "request_uri_signed", "direct_post.jwt"],
    [
        "decentralized_identifier",
        "request_uri_signed",
        "direct_post.jwt",
    ],
    ["web-origin", "request_uri_unsigned", "dc_api"],
    ["web-origin", "request_uri_unsigned", "dc_api.jwt"],
    ["x509_hash", "request_uri_signed", "dc_api"],
    ["x509_hash", "request_uri_signed", "dc_api.jwt"],
    ["x509_hash", "request_uri_multisigned", "dc_api.jwt"],
];

/// All of them.
pub fn runs() -> Vec<Run> {
    let haip = ["direct_post.jwt", "dc_api.jwt"].map(|mode| Run {
        name: format!("vp-haip/{mode}"),
        plan: HAIP,
        variant: json!({ "credential_format": "sd_jwt_vc", "response_mode": mode }),
    });
    let plain = PLAIN_RUNS.map(|[prefix, method, mode]| Run {
        name: format!("vp/{prefix}/{method}/{mode}"),
        plan: PLAIN,
        variant: json!({
            "credential_format": "sd_jwt_vc",
            "vp_profile": "plain_vp",
            "client_id_prefix": prefix,
            "request_method": method,
            "response_mode": mode,
        }),
    });
    haip.into_iter().chain(plain).collect()
}

/// The configuration of a run in the suite.
pub fn suite(options: &Options, made: &Made, run: &Run) -> Value {
    let haip = run.plan == HAIP;
    let vct = if haip { "urn:eudi:pid:1" } else { PLAIN_VCT };
    let [first, second] = &made.verifiers;
    let mut suite = json!({
        "alias": options.alias,
        "description": format!("Vouchsafe wallet, {}", run.name),
        "server": { "authorization_endpoint": WALLET },
        "client": {
            "jwks": { "keys": [first] },
            "dcql": { "credentials": [{
                "id": "pid",
                "format": "dc+sd-jwt",
                "meta": { "vct_values": [vct] },
                "claims": [{ "path": ["given_name"] }, { "path": ["family_name"] }],
            }] },
        },
        "client2": { "jwks": { "keys": [second] } },
    });
    let prefix = run.variant.get("client_id_prefix");
    if prefix.and_then(Value::as_str) == Some("decentralized_identifier") {
        let did = did_jwk(first);
        suite["client"]["jwks"]["keys"][0]["kid"] = json!(format!("{did}#0"));
        suite["client"]["client_id"] = json!(did);
    }
    if haip {
        suite["credential"] = json!({
            "trust_anchor_pem": made.cards.certificate_pem,
            "status_list_trust_anchor_pem": made.statuses.certificate_pem,
        });
    }
    suite
}

/// The DID that is this key.
fn did_jwk(key: &Value) -> String {
    let members = ["kty", "crv", "x", "y"].map(|name| (name.to_owned(), key[name].clone()));
    let public = Value::Object(members.into_iter().collect());
    format!("did:jwk:{}", b64url(public.to_string().as_bytes()))
}
