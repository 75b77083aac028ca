//! Registering a new passkey (section 7.1).

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::cose::key_to_vec;
use vouchsafe_credentials::crypto::{Algorithm, CertificateAlgorithm, CryptoProvider, PublicKey};
use vouchsafe_credentials::encoding::b64url_decode;

use super::authenticator_data::AuthenticatorData;
use super::{RelyingParty, WebauthnError, client_data};

const MAX_ATTESTATION: usize = 16 * 1024;

/// `RegistrationResponseJSON` (section 5.1.8.1): the members that count.
#[derive(Debug, Deserialize)]
pub struct RegistrationResponse {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    response: AttestationResponse,
}

#[derive(Debug, Deserialize)]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    attestation_object: String,
}

/// A passkey that was made for this site, with a verified person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPasskey {
    /// The credential id.
    pub credential_id: Vec<u8>,
    /// The public key as `COSE_Key`.
    pub public_key: Vec<u8>,
    /// How often the key signed so far.
    pub sign_count: u32,
    /// Whether copies of the key may exist elsewhere.
    pub backup_eligible: bool,
    /// Whether they exist now.
    pub backed_up: bool,
}

impl RegistrationResponse {
    /// The challenge that it says it is for, to look it up.
    pub fn challenge(&self) -> Result<String, WebauthnError> {
        client_data::challenge(&self.response.client_data)
    }

    /// Checks everything but that the credential id is new, which the store does.
    pub fn verify(
        &self,
        site: &RelyingParty,
        challenge: &str,
        crypto: &dyn CryptoProvider,
    ) -> Result<NewPasskey, WebauthnError> {
        let Self { id, kind, response } = self;
        if kind != "public-key" || response.attestation_object.len() > MAX_ATTESTATION {
            return Err(WebauthnError::Malformed);
        }
        let hash = client_data::check(site, "webauthn.create", challenge, &response.client_data)?;
        let malformed = |_| WebauthnError::Malformed;
        let object =
            b64url_decode(&response.attestation_object).map_err(|_| WebauthnError::Malformed)?;
        let object = Item::parse(&object).map_err(malformed)?;
        let object = object.fields().map_err(malformed)?;
        let field = |name| object.required(name).map_err(malformed);
        let bytes = field("authData")?.bytes().map_err(malformed)?;
        let data = AuthenticatorData::read(site, bytes)?;
        let attested = data.attested.ok_or(WebauthnError::Malformed)?;
        let format = field("fmt")?.text().map_err(malformed)?;
        let signed = [bytes, &hash].concat();
        attestation(format, field("attStmt")?, &attested.key, &signed, crypto)?;
        let named = b64url_decode(id).map_err(|_| WebauthnError::Malformed)?;
        if named != attested.credential_id {
            return Err(WebauthnError::Credential);
        }
        Ok(NewPasskey {
            credential_id: named,
            public_key: key_to_vec(&attested.key),
            sign_count: data.sign_count,
            backup_eligible: data.backup_eligible,
            backed_up: data.backed_up,
        })
    }
}

/// Section 8.7, "none": nothing is said. Section 8.2, "packed" without `x5c`: the new key signs
/// for itself, which browsers pass on though nothing was asked for (section 5.1.3, step 22).
fn attestation(
    format: &str,
    statement: Item<'_>,
    key: &PublicKey,
    signed: &[u8],
    crypto: &dyn CryptoProvider,
) -> Result<(), WebauthnError> {
    let refused = WebauthnError::Attestation;
    match format {
        "none" => {
            let entries = statement.map().map_err(|_| refused)?;
            entries.is_empty().then_some(()).ok_or(refused)
        }
        "packed" => {
            let fields = statement.fields().map_err(|_| refused)?;
            let alg = fields.required("alg").and_then(Item::integer);
            let is_its_own = alg == Ok(cose_algorithm(key)) && fields.optional("x5c").is_none();
            let signature = fields.required("sig").and_then(Item::bytes);
            match (is_its_own, signature) {
                (true, Ok(signature)) => verify_signature(key, signed, signature, crypto),
                (_, _) => Err(refused),
            }
        }
        _ => Err(refused),
    }
}

fn cose_algorithm(key: &PublicKey) -> i64 {
    match key.algorithm() {
        Algorithm::EdDsa => -8,
        Algorithm::Es256 => -7,
        Algorithm::Es384 => -35,
        Algorithm::Es512 => -36,
    }
}

/// Section 6.5.5: ECDSA signatures of authenticators are DER.
pub(super) fn verify_signature(
    key: &PublicKey,
    signed: &[u8],
    signature: &[u8],
    crypto: &dyn CryptoProvider,
) -> Result<(), WebauthnError> {
    let algorithm = match key.algorithm() {
        Algorithm::Es256 => CertificateAlgorithm::EcdsaP256Sha256,
        Algorithm::EdDsa => CertificateAlgorithm::Ed25519,
        Algorithm::Es384 | Algorithm::Es512 => return Err(WebauthnError::Key),
    };
    crypto
        .verify_certificate(algorithm, key.material().as_bytes(), signed, signature)
        .map_err(|_| WebauthnError::Signature)
}
