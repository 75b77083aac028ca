//! The keys that the suite has: its wallet signs cards with one, and applications sign with others.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// What stands in front of the scalar of a P-256 key (RFC 5915).
const SCALAR: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];

/// The issuer's key as the suite signs with it: RFC 7517, with its certificate.
pub fn signing_jwk(folder: &Path) -> Result<Value> {
    let mut key = private_jwk(&folder.join("issuer-key.pem"), "issuer")?;
    let certificate = STANDARD.encode(pem(&folder.join("issuer-certificates.pem"))?);
    key["x5c"] = json!([certificate]);
    Ok(key)
}

/// A P-256 key of a PEM file as a JWK of this `kid` (RFC 7517).
pub fn private_jwk(file: &Path, kid: &str) -> Result<Value> {
    let key = pem(file)?;
    let at = key.windows(SCALAR.len()).position(|part| part == SCALAR);
    let from = at.context("the key has no scalar")? + SCALAR.len();
    // What follows ends with the public key: x and y of 32 bytes each.
    let (scalar, rest) = key
        .get(from..)
        .and_then(|rest| rest.split_at_checked(32))
        .context("the key is too short")?;
    let from = rest.len().checked_sub(64);
    let point = from.and_then(|from| rest.get(from..));
    let (x, y) = point.context("the key has no public part")?.split_at(32);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Ok(json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid,
        "x": text(x), "y": text(y), "d": text(scalar),
    }))
}

/// The bytes of the first block of a PEM file.
fn pem(file: &Path) -> Result<Vec<u8>> {
    let text = std::fs::read_to_string(file)?;
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    let body: String = lines
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    let bytes = STANDARD.decode(body.trim());
    bytes.context("a PEM block is no base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_key_are_found() {
        let (scalar, x, y) = ([1; 32], [2; 32], [3; 32]);
        let key = [&[0x30, 0x6b][..], &SCALAR, &scalar, &[4], &x, &y].concat();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("issuer-key.pem", &key[..]),
            ("issuer-certificates.pem", b"c"),
        ] {
            let text = format!(
                "-----BEGIN X-----\n{}\n-----END X-----\n",
                STANDARD.encode(bytes)
            );
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let jwk = signing_jwk(folder.path()).unwrap();
        for (name, part) in [("d", scalar), ("x", x), ("y", y)] {
            assert_eq!(jwk[name], URL_SAFE_NO_PAD.encode(part), "{name}");
        }
        assert_eq!(jwk["x5c"][0], STANDARD.encode(b"c"));
    }
}
