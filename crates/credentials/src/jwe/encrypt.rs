//! Encrypting.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{JweError, Recipient, kdf};
use crate::crypto::{Algorithm, CryptoProvider};
use crate::encoding::{b64url, b64url_append};
use crate::random::{self, Rng};

/// Encrypts `plaintext` with a fresh ephemeral key.
pub fn encrypt(
    plaintext: &[u8],
    recipient: &Recipient<'_>,
    provider: &dyn CryptoProvider,
    rng: &dyn Rng,
) -> Result<String, JweError> {
    let Recipient {
        key,
        kid: _,
        enc,
        apu,
        apv,
    } = *recipient;
    if key.algorithm() != Algorithm::Es256 {
        return Err(JweError::Key);
    }
    let ephemeral = provider.generate_agreement_key(rng);
    let shared = provider.ecdh(&ephemeral, key).map_err(|_| JweError::Key)?;
    let content_key = kdf::derive(&shared, enc, apu, apv);

    let mut compact = b64url(&header(recipient, ephemeral.public_key().to_jwk()));
    // The key is used once, so any nonce would do; RFC 7518, section 5.3 wants 96 bits.
    let nonce = random::bytes::<12>(rng);
    let mut buffer = Zeroizing::new(plaintext.to_vec());
    let tag = provider
        .aes_gcm_seal(&content_key, &nonce, compact.as_bytes(), &mut buffer)
        .map_err(|_| JweError::Decryption)?;

    // RFC 7516, section 3.1; the encrypted key is empty (RFC 7518, section 4.6).
    compact.reserve((buffer.len().saturating_mul(4) / 3).saturating_add(64));
    compact.push_str("..");
    b64url_append(&nonce, &mut compact);
    compact.push('.');
    b64url_append(&buffer, &mut compact);
    compact.push('.');
    b64url_append(&tag, &mut compact);
    Ok(compact)
}

fn header(recipient: &Recipient<'_>, ephemeral: Value) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("alg".to_owned(), "ECDH-ES".into());
    members.insert("enc".to_owned(), recipient.enc.name().into());
    if let Some(kid) = recipient.kid {
        members.insert("kid".to_owned(), kid.into());
    }
    members.insert("epk".to_owned(), ephemeral);
    for (name, party) in [("apu", recipient.apu), ("apv", recipient.apv)] {
        if !party.is_empty() {
            members.insert(name.to_owned(), b64url(party).into());
        }
    }
    Value::Object(members).to_string().into_bytes()
}
