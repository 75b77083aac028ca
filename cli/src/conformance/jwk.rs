//! Private keys as JWK (RFC 7518, section 6.2.2; RFC 8037, section 2).

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_credentials::encoding::b64url_decode;
use zeroize::Zeroizing;

/// A signing key from a private JWK. The public members must belong to it.
pub fn signing_key(jwk: &Value) -> Result<SigningKey> {
    let text = |name: &str| {
        let value = jwk.get(name).and_then(Value::as_str);
        value.with_context(|| format!("the JWK has no `{name}`"))
    };
    let secret = Zeroizing::new(b64url_decode(text("d")?)?);
    let curve = text("crv")?;
    let (length, oid): (usize, &[u8]) = match curve {
        "Ed25519" => (32, &[0x2b, 0x65, 0x70]),
        "P-256" => (32, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
        "P-384" => (48, &[0x2b, 0x81, 0x04, 0x00, 0x22]),
        "P-521" => (66, &[0x2b, 0x81, 0x04, 0x00, 0x23]),
        _ => bail!("another curve than P-256, P-384, P-521 and Ed25519"),
    };
    ensure!(
        secret.len() == length,
        "`d` has another length than the curve"
    );
    let der = Zeroizing::new(match curve {
        "Ed25519" => pkcs8(&sequence(&[&tlv(OID, oid)]), &tlv(OCTETS, &secret)),
        _ => {
            let algorithm = sequence(&[&tlv(OID, EC_PUBLIC_KEY), &tlv(OID, oid)]);
            // RFC 5915, section 3.
            let key = sequence(&[&tlv(INTEGER, &[1]), &tlv(OCTETS, &secret)]);
            pkcs8(&algorithm, &key)
        }
    });
    let key = SigningKey::from_pkcs8_der(&der).context("`d` is no private key")?;
    let public = vouchsafe_credentials::crypto::Signer::public_key(&key).to_jwk();
    let same = ["x", "y"]
        .iter()
        .all(|name| public.get(*name) == jwk.get(*name));
    ensure!(
        same,
        "the JWK's public key is another than its private key's"
    );
    Ok(key)
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// RFC 5208, section 5.
fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(INTEGER, &[0]), algorithm, &tlv(OCTETS, key)])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// DER of at most 127 content bytes, or 255 with one length byte: keys are shorter.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let head: &[u8] = match length {
        0..=127 => &[tag, length],
        _ => &[tag, 0x81, length],
    };
    [head, content].concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_every_curve_are_read_and_strangers_refused() {
        let good = json!({
            "kty": "EC", "crv": "P-256",
            "d": "J_a5KH6A2Ru7iOAzvUkQEjKCJQCdxUXVajaW3CaPORs",
            "x": "WfTi93YuhsQxKbD0ftnjOXJndqhnJ5kgDV-ZDGyrhBQ",
            "y": "qUd_55EjX0mjKZ6W6mF4UXVYTQ41K6jfdnYFwN5uPyk"
        });
        signing_key(&good).unwrap();
        let edwards = json!({
            "kty": "OKP", "crv": "Ed25519",
            "d": "cbxP1TvbhLteRSspEvwxEuFKRDHWpGmPla8ePI0cmv8",
            "x": "NvUhsjZe7Mdv8Esoc60o3ma1U5j2tFUTDsOQd39xMnI"
        });
        signing_key(&edwards).unwrap();
        for (name, value) in [
            ("d", json!("AAAA")),
            ("d", json!(7)),
            ("crv", json!("P-384")),
            ("crv", json!("secp256k1")),
            ("x", edwards["x"].clone()),
        ] {
            let mut wrong = good.clone();
            wrong[name] = value;
            assert!(signing_key(&wrong).is_err(), "{name}");
        }
    }
}
