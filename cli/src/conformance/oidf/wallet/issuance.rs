//! The runs in which the suite is the issuer.

use serde_json::{Value, json};

use super::presentation::Run;
use super::{CLIENT, Made, Options, PROVIDER, REDIRECT};

const HAIP: &str = "oid4vci-1_0-wallet-haip-test-plan";
const PLAIN: &str = "oid4vci-1_0-wallet-test-plan";

/// Who begins: the wallet, or the suite with an offer by value or by reference.
const BEGINS: [&str; 3] = ["wallet", "by_value", "by_reference"];
/// Grant, who begins, how the wallet asks, when the credential comes, and whether it is encrypted.
const PLAIN_RUNS: [[&str; 5]; 5] = [
    [
        "authorization_code",
        "wallet",
        "simple",
        "immediate",
        "plain",
    ],
    [
        "authorization_code",
        "by_value",
        "rar",
        "immediate",
        "plain",
    ],
    [
        "authorization_code",
        "by_reference",
        "simple",
        "deferred",
        "encrypted",
    ],
    [
        "pre_authorization_code",
        "by_value",
        "simple",
        "immediate",
        "plain",
    ],
    [
        "pre_authorization_code",
        "by_reference",
        "simple",
        "deferred",
        "encrypted",
    ],
];

/// All of them.
pub fn runs() -> Vec<Run> {
    let haip = BEGINS.map(|begin| Run {
        name: format!("vci-haip/{begin}"),
        plan: HAIP,
        variant: begun(json!({ "credential_format": "sd_jwt_vc" }), begin),
    });
    let plain = PLAIN_RUNS.map(|[grant, begin, asks, when, encryption]| Run {
        name: format!("vci/{grant}/{begin}/{asks}/{when}/{encryption}"),
        plan: PLAIN,
        variant: begun(
            json!({
                "credential_format": "sd_jwt_vc",
                "fapi_profile": "vci",
                "fapi_request_method": "unsigned",
                "sender_constrain": "dpop",
                "client_auth_type": "client_attestation",
                "vci_grant_type": grant,
                "authorization_request_type": asks,
                "vci_credential_issuance_mode": when,
                "vci_credential_encryption": encryption,
            }),
            begin,
        ),
    });
    haip.into_iter().chain(plain).collect()
}

fn begun(mut variant: Value, begin: &str) -> Value {
    let flow = "vci_authorization_code_flow_variant";
    if begin == "wallet" {
        variant[flow] = json!("wallet_initiated");
    } else {
        variant[flow] = json!("issuer_initiated");
        variant["vci_credential_offer_variant"] = json!(begin);
    }
    variant
}

/// The configuration of a run in the suite.
pub fn suite(options: &Options, made: &Made, run: &Run) -> Value {
    json!({
        "alias": options.alias,
        "description": format!("Vouchsafe wallet, {}", run.name),
        "server": { "jwks": { "keys": [made.server] } },
        "client": { "client_id": CLIENT, "redirect_uri": REDIRECT, "scope": "eudi.pid.1" },
        "credential": { "signing_jwk": made.signer },
        "client_attestation": {
            "issuer": PROVIDER,
            "trust_anchor": made.providers,
            "key_attestation_trust_anchor_pem": made.providers,
        },
        // Nothing listens there, the driver reads the address.
        "vci": { "credential_offer_endpoint": "openid-credential-offer://" },
        // How long the suite waits for what must not come, in seconds.
        "waitTimeoutSeconds": 5,
        "maxWaitForAdditionalRequestSeconds": 3,
    })
}
