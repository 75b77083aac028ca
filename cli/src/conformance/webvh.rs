//! A did:webvh that is deactivated, for the suite of DID resolution: it asks what a resolver says
//! of one, and nobody else's exists that it could name.

use anyhow::Result;
use multibase::Base;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::sha256;
use vouchsafe_credentials::data_integrity::{EddsaJcs2022, ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::jcs;
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vcdm::DateTimeStamp;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::IssuerKey;

/// What stands for the identifier until it is known (did:webvh 1.0, "SCID Generation and Verification").
const PLACEHOLDER: &str = "{SCID}";

/// The DID at `location` (`localhost%3A40443:webvh`) and its log: made, then deactivated.
pub async fn deactivated(location: &str, key: &IssuerKey) -> Result<(String, String)> {
    let multikey = key.public().encode();
    let now = SystemClock.now();
    let moment = |offset: i64| {
        DateTimeStamp::from_time(now.plus(offset))
            .as_str()
            .to_owned()
    };
    let first = json!({
        "versionId": PLACEHOLDER,
        "versionTime": moment(-120),
        "parameters": {
            "method": "did:webvh:1.0",
            "scid": PLACEHOLDER,
            "updateKeys": [multikey],
        },
        "state": {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": format!("did:webvh:{PLACEHOLDER}:{location}"),
        },
    });
    let scid = hash(&first)?;
    let first: Value = serde_json::from_str(&first.to_string().replace(PLACEHOLDER, &scid))?;
    let state = first["state"].clone();
    let first = number(first, 1)?;
    let second = json!({
        "versionId": first["versionId"],
        "versionTime": moment(-60),
        "parameters": {"deactivated": true, "updateKeys": []},
        "state": state,
    });
    let second = number(second, 2)?;
    let first = sign(&first, key).await?;
    let second = sign(&second, key).await?;
    let did = format!("did:webvh:{scid}:{location}");
    Ok((did, format!("{first}\n{second}\n")))
}

/// did:webvh 1.0, "Entry Hash Generation and Verification": over the entry with the id of the one
/// before it.
fn number(mut entry: Value, version: u32) -> Result<Value> {
    let hash = hash(&entry)?;
    entry["versionId"] = json!(format!("{version}-{hash}"));
    Ok(entry)
}

/// Base58 of the SHA-256 multihash of the canonical text.
fn hash(value: &Value) -> Result<String> {
    let digest = sha256(jcs::canonicalize(value)?.as_bytes());
    let multihash = [&[0x12, 0x20][..], &digest].concat();
    Ok(multibase::encode(Base::Base58Btc, multihash)[1..].to_owned())
}

async fn sign(entry: &Value, key: &IssuerKey) -> Result<Value> {
    let mut options = ProofOptions::new(key.verification_method(), ProofPurpose::AssertionMethod);
    options.created = Some(DateTimeStamp::from_time(SystemClock.now().plus(-120)));
    let mut signed = add_proof(entry, &options, &EddsaJcs2022, key.signer(), &OsRandom).await?;
    // A log has a list of proofs, also of one.
    signed["proof"] = json!([signed["proof"]]);
    Ok(signed)
}
