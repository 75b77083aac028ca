//! Encrypted requests and responses (sections 8.2 and 10), the wallet's half of
//! [`super::encryption`]: which key of the issuer, which key of ours, what opens an answer.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{AgreementKey, Algorithm, CryptoProvider, KeyUse, PublicKey};
use vouchsafe_credentials::jwe::{self, ContentEncryption, Recipient};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::encryption::{ALG, ENC_VALUES, MEDIA_TYPE};
use super::metadata::CredentialIssuerMetadata;
use super::request::RESPONSE_ENCRYPTION;
use super::response::MAX_BYTES;
use crate::http::HttpResponse;

/// Name of our key for one response.
const KID: &str = "response";

/// How to talk to an issuer that offers encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    key: PublicKey,
    kid: Option<String>,
    request_enc: ContentEncryption,
    /// `None` where responses are not encrypted.
    response_enc: Option<ContentEncryption>,
}

/// The issuer demands an encryption that this wallet does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer demands an encryption that is not supported")]
pub struct NotSupported;

/// The message could not be encrypted, or does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be encrypted or does not open")]
pub struct Unreadable;

impl Offered {
    /// What the metadata offer and this wallet can do; `None` where messages stay plain.
    ///
    /// # Errors
    /// [`NotSupported`] where the issuer demands what cannot be done.
    pub fn read(metadata: &CredentialIssuerMetadata) -> Result<Option<Self>, NotSupported> {
        let request = metadata.credential_request_encryption.as_ref();
        let response = metadata.credential_response_encryption.as_ref();
        let request_demanded = request.is_some_and(|offer| offer.encryption_required);
        let response_demanded = response.is_some_and(|offer| offer.encryption_required);
        let response_enc = response
            .filter(|offer| offer.alg_values_supported.iter().any(|alg| alg == ALG))
            .and_then(|offer| best(&offer.enc_values_supported));
        let key = request.and_then(|offer| {
            let enc = best(&offer.enc_values_supported)?;
            let (key, kid) = first_usable(&offer.jwks)?;
            Some((key, kid, enc))
        });
        // Section 8.2: who wants an encrypted response encrypts the request.
        let Some((key, kid, request_enc)) = key else {
            return match request_demanded || response_demanded {
                true => Err(NotSupported),
                false => Ok(None),
            };
        };
        if response_demanded && response_enc.is_none() {
            return Err(NotSupported);
        }
        if !request_demanded && response_enc.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            key,
            kid,
            request_enc,
            response_enc,
        }))
    }

    /// Encrypts a request and says, where responses are encrypted, with which fresh key.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn seal(
        &self,
        mut request: Map<String, Value>,
        crypto: &dyn CryptoProvider,
        rng: &dyn Rng,
    ) -> Result<(String, Option<ResponseKey>), Unreadable> {
        let response = self.response_enc.map(|enc| ResponseKey {
            key: crypto.generate_agreement_key(rng),
            enc,
        });
        if let Some(response) = &response {
            request.insert(RESPONSE_ENCRYPTION.to_owned(), response.member());
        }
        let text = Zeroizing::new(serde_json::to_vec(&request).map_err(|_| Unreadable)?);
        let recipient = Recipient {
            key: &self.key,
            // Section 10: the same `kid` as the key has.
            kid: self.kid.as_deref(),
            enc: self.request_enc,
            apu: b"",
            apv: b"",
        };
        let sealed = jwe::encrypt(&text, &recipient, crypto, rng).map_err(|_| Unreadable)?;
        Ok((sealed, response))
    }
}

/// A key for one response.
#[derive(Debug)]
pub struct ResponseKey {
    key: AgreementKey,
    enc: ContentEncryption,
}

impl ResponseKey {
    fn member(&self) -> Value {
        let mut jwk = self.key.public_key().to_jwk();
        if let Some(members) = jwk.as_object_mut() {
            // Section 8.2: `alg` MUST be there.
            members.insert("alg".to_owned(), json!(ALG));
            members.insert("use".to_owned(), json!("enc"));
            members.insert("kid".to_owned(), json!(KID));
        }
        json!({ "jwk": jwk, "enc": self.enc.name() })
    }

    /// Opens a response that must be encrypted to this key (section 10: an issuer that was asked
    /// to encrypt does).
    ///
    /// # Errors
    /// [`Unreadable`], for a plain one too.
    pub fn open(
        &self,
        response: &HttpResponse,
        crypto: &dyn CryptoProvider,
    ) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        // Base64url of what may be read, with the other parts.
        if !response.is_media_type(MEDIA_TYPE) || response.body.len() > MAX_BYTES / 3 * 4 + 4096 {
            return Err(Unreadable);
        }
        let compact = std::str::from_utf8(&response.body).map_err(|_| Unreadable)?;
        let opened = jwe::decrypt(compact, &self.key, &[self.enc], crypto);
        opened.map_err(|_| Unreadable)
    }
}

/// HAIP 1.0, section 5: A256GCM where both are there.
fn best(values: &[String]) -> Option<ContentEncryption> {
    let mut ours = ENC_VALUES.into_iter();
    ours.find(|enc| values.iter().any(|value| value == enc.name()))
}

/// The first key that this wallet can encrypt to; it ignores the others.
fn first_usable(jwks: &Value) -> Option<(PublicKey, Option<String>)> {
    jwks.get("keys")?.as_array()?.iter().find_map(|jwk| {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("alg") != Some(ALG) {
            return None;
        }
        let key = PublicKey::from_jwk_for(jwk, KeyUse::Agree).ok()?;
        let kid = text("kid").map(str::to_owned);
        (key.algorithm() == Algorithm::Es256).then_some((key, kid))
    })
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::crypto::Portable;
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;
    use crate::http::Headers;
    use crate::vci::encryption::{
        RequestKey, ResponseEncryption, open_request, request_metadata, response_metadata,
    };

    fn issuer_key() -> AgreementKey {
        AgreementKey::generate(&SeededRng::new(1))
    }

    fn metadata(request: bool, response: bool, required: bool) -> CredentialIssuerMetadata {
        let keys = [RequestKey {
            kid: "k1".into(),
            key: issuer_key(),
        }];
        let mut document: CredentialIssuerMetadata = serde_json::from_value(json!({
            "credential_issuer": "https://issuer.example.com",
            "credential_endpoint": "https://issuer.example.com/credential",
            "credential_configurations_supported": {},
        }))
        .unwrap();
        document.credential_request_encryption = request.then(|| request_metadata(&keys, required));
        document.credential_response_encryption = response.then(|| response_metadata(required));
        document
    }

    #[test]
    fn both_directions_with_the_halves_of_an_issuer() {
        let offered = Offered::read(&metadata(true, true, false))
            .unwrap()
            .unwrap();
        let mut request = Map::new();
        request.insert("credential_configuration_id".into(), json!("a"));
        let (sealed, key) = offered
            .seal(request, &Portable, &SeededRng::new(2))
            .unwrap();
        let find = |kid: &str| (kid == "k1").then(issuer_key);
        let opened = open_request(sealed.as_bytes(), find, &Portable).unwrap();
        let opened: Value = serde_json::from_slice(&opened).unwrap();
        assert_eq!(opened["credential_configuration_id"], "a");
        let encryption = ResponseEncryption::read(&opened[RESPONSE_ENCRYPTION]).unwrap();
        let answer = encryption
            .seal(b"{}", &Portable, &SeededRng::new(3))
            .unwrap();
        let key = key.unwrap();
        let response = |kind: &str, body: &str| HttpResponse {
            status: 200,
            headers: [("content-type", kind)].into_iter().collect::<Headers>(),
            body: body.as_bytes().to_vec(),
        };
        let opened = key.open(&response(MEDIA_TYPE, &answer), &Portable).unwrap();
        assert_eq!(opened.as_slice(), b"{}");
        // A plain answer, one to another key, one that was altered.
        let (_, other) = offered
            .seal(Map::new(), &Portable, &SeededRng::new(4))
            .unwrap();
        assert!(
            key.open(&response("application/json", "{}"), &Portable)
                .is_err()
        );
        let to_ours = response(MEDIA_TYPE, &answer);
        assert!(other.unwrap().open(&to_ours, &Portable).is_err());
        let altered = response(MEDIA_TYPE, &answer.replacen('.', "x.", 1));
        assert!(key.open(&altered, &Portable).is_err());
    }

    #[test]
    fn what_is_offered_and_what_is_demanded() {
        assert_eq!(Offered::read(&metadata(false, false, false)), Ok(None));
        // Without a key for requests no response can be encrypted.
        assert_eq!(Offered::read(&metadata(false, true, false)), Ok(None));
        assert_eq!(
            Offered::read(&metadata(false, true, true)),
            Err(NotSupported)
        );
        assert_eq!(Offered::read(&metadata(true, false, false)), Ok(None));
        let requests = Offered::read(&metadata(true, false, true))
            .unwrap()
            .unwrap();
        let sealed = requests.seal(Map::new(), &Portable, &SeededRng::new(2));
        assert!(sealed.unwrap().1.is_none());
        // Keys that cannot be used are passed over; nothing that can be used is a refusal.
        let mut foreign = metadata(true, true, true);
        let request = foreign.credential_request_encryption.as_mut().unwrap();
        let good = request.jwks["keys"][0].clone();
        let mut wrap = good.clone();
        wrap["alg"] = json!("ECDH-ES+A256KW");
        let unusable = [json!({"kty": "AKP", "alg": "X"}), wrap, json!(1)];
        request.jwks = json!({ "keys": unusable });
        assert_eq!(Offered::read(&foreign), Err(NotSupported));
        let request = foreign.credential_request_encryption.as_mut().unwrap();
        request.jwks["keys"].as_array_mut().unwrap().push(good);
        assert!(Offered::read(&foreign).unwrap().is_some());
        let response = foreign.credential_response_encryption.as_mut().unwrap();
        response.enc_values_supported = vec!["A128CBC-HS256".into()];
        assert_eq!(Offered::read(&foreign), Err(NotSupported));
    }
}
