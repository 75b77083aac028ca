//! A device with one passkey, for tests.

use serde_json::{Value, json};
use vouchsafe_credentials::cbor::Writer;
use vouchsafe_credentials::cose::key_to_vec;
use vouchsafe_credentials::crypto::{Algorithm, AwsLcSigningKey, Signer, SigningKey, sha256};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::Rng;

/// A device that answers as it is told, in truth or not.
pub struct Device {
    key: AwsLcSigningKey,
    /// The credential id.
    pub id: Vec<u8>,
    /// Who it believes to sign in: the user handle.
    pub user: Vec<u8>,
    /// Where it believes to be.
    pub origin: String,
    /// For whom it signs.
    pub rp_id: String,
    /// The flags of its authenticator data, without `AT`.
    pub flags: u8,
    /// How often it signed.
    pub count: u32,
    /// Further members of the client data.
    pub extra: Value,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

impl Device {
    /// A device at an origin. User present and verified, backup eligible and backed up.
    ///
    /// # Panics
    /// Where the key cannot be made.
    #[must_use]
    pub fn new(origin: &str, rp_id: &str, rng: &dyn Rng) -> Self {
        let key = SigningKey::generate(Algorithm::EdDsa, rng);
        let mut id = vec![0; 20];
        rng.fill(&mut id);
        Self {
            key: AwsLcSigningKey::new(&key).expect("a fresh key is a key"),
            id,
            user: Vec::new(),
            origin: origin.to_owned(),
            rp_id: rp_id.to_owned(),
            flags: 0x1d,
            count: 0,
            extra: json!({}),
        }
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let mut data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false,
        });
        if let (Some(data), Some(extra)) = (data.as_object_mut(), self.extra.as_object()) {
            data.extend(extra.clone());
        }
        data.to_string().into_bytes()
    }

    fn authenticator_data(&self, attested: bool) -> Vec<u8> {
        let mut out = sha256(self.rp_id.as_bytes()).to_vec();
        out.push(self.flags | if attested { 0x40 } else { 0 });
        out.extend_from_slice(&self.count.to_be_bytes());
        if attested {
            out.extend_from_slice(&[0; 16]);
            let length = u16::try_from(self.id.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&self.id);
            out.extend_from_slice(&key_to_vec(self.key.public_key()));
        }
        out
    }

    /// `RegistrationResponseJSON` for creation options.
    pub fn register(&mut self, options: &Value) -> Value {
        let user = options["user"]["id"].as_str().unwrap_or_default();
        self.user = b64url_decode(user).unwrap_or_default();
        let challenge = options["challenge"].as_str().unwrap_or_default();
        let client_data = self.client_data("webauthn.create", challenge);
        let mut object = Writer::new();
        object
            .map(3)
            .text("fmt")
            .text("none")
            .text("attStmt")
            .map(0);
        object
            .text("authData")
            .bytes(&self.authenticator_data(true));
        json!({
            "id": b64url(&self.id), "rawId": b64url(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": b64url(&client_data),
                "attestationObject": b64url(&object.finish()),
            },
        })
    }

    /// `AuthenticationResponseJSON` for request options.
    ///
    /// # Panics
    /// Where the key does not sign.
    pub async fn sign_in(&self, options: &Value) -> Value {
        let challenge = options["challenge"].as_str().unwrap_or_default();
        let client_data = self.client_data("webauthn.get", challenge);
        let data = self.authenticator_data(false);
        let signed = [data.as_slice(), &sha256(&client_data)].concat();
        let signature = self.key.sign(&signed).await.expect("the key signs");
        json!({
            "id": b64url(&self.id), "rawId": b64url(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": b64url(&client_data),
                "authenticatorData": b64url(&data),
                "signature": b64url(&signature),
                "userHandle": b64url(&self.user),
            },
        })
    }
}
