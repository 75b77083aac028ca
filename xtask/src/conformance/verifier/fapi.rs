//! The applications of the FAPI 2.0 plan: each has a key of its own and binds its tokens to others.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use serde_json::{Value, json};
use toml::Table;

use super::folder::write;
use super::key::private_jwk;
use crate::run::succeed;

/// Both.
pub const APPLICATIONS: [&str; 2] = ["fapi", "fapi-2"];
/// The plan in the suite.
pub const PLAN: &str = "fapi2-security-profile-final-test-plan";
/// What they ask for.
const SCOPE: &str = "openid membership offline_access";

/// What is chosen in the plan, which itself chooses requests without a signature and plain
/// responses.
pub fn variant() -> Value {
    json!({
        "client_auth_type": "private_key_jwt",
        "sender_constrain": "dpop",
        "fapi_profile": "plain_fapi",
        "openid": "openid_connect",
        "authorization_request_type": "simple",
    })
}

/// Registers the application with a new key, and says what the suite must know of it.
pub fn register(folder: &Path, id: &str, client: &mut Table) -> Result<Value> {
    let file = folder.join(format!("{id}-key.pem"));
    let mut make = Command::new("openssl");
    make.args(["genpkey", "-algorithm", "EC"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-out"])
        .arg(&file)
        .stderr(Stdio::null());
    succeed(&mut make)?;
    let key = private_jwk(&file, id)?;
    let mut public = key.clone();
    if let Some(members) = public.as_object_mut() {
        members.remove("d");
    }
    let keys = folder.join(format!("{id}-jwks.json"));
    write(&keys, &json!({ "keys": [public] }).to_string())?;
    for name in ["secret", "pkce"] {
        client.remove(name);
    }
    for (name, value) in [
        ("profile", "fapi2".to_owned()),
        ("id_token_signed_response_alg", "ES256".to_owned()),
        ("jwks_file", keys.display().to_string()),
    ] {
        client.insert(name.to_owned(), value.into());
    }
    Ok(json!({
        "client_id": id,
        "scope": SCOPE,
        "jwks": { "keys": [key] },
        "dpop_signing_alg": "ES256",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_keeps_its_key_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut client: Table =
            toml::from_str("id = \"fapi\"\nsecret = \"s\"\npkce = \"optional\"").unwrap();
        let known = register(folder.path(), "fapi", &mut client).unwrap();
        let text = std::fs::read(folder.path().join("fapi-jwks.json")).unwrap();
        let published: Value = serde_json::from_slice(&text).unwrap();
        let (ours, theirs) = (&published["keys"][0], &known["jwks"]["keys"][0]);
        assert_eq!(ours["x"], theirs["x"]);
        assert!(theirs["d"].is_string());
        assert!(ours.get("d").is_none());
        for name in ["secret", "pkce"] {
            assert!(!client.contains_key(name), "{name}");
        }
        assert_eq!(client["profile"].as_str(), Some("fapi2"));
    }
}
