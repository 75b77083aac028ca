//! Signing in with a passkey (section 7.2).

use serde::Deserialize;
use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::cose::key_from_item;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::encoding::b64url_decode;

use super::authenticator_data::AuthenticatorData;
use super::registration::verify_signature;
use super::{MAX_CREDENTIAL_ID, RelyingParty, WebauthnError, client_data};

const MAX_MEMBER: usize = 16 * 1024;

/// `AuthenticationResponseJSON` (section 5.1.8.2): the members that count.
#[derive(Debug, Deserialize)]
pub struct SignInResponse {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    response: AssertionResponse,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

/// What is known of a passkey.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The user handle of the person it belongs to.
    pub handle: &'a str,
    /// The public key as `COSE_Key`.
    pub public_key: &'a [u8],
    /// How often the key had signed.
    pub sign_count: u32,
    /// Whether copies of the key may exist elsewhere; this never changes.
    pub backup_eligible: bool,
}

/// A passkey signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How often it has signed now; 0 where nobody counts.
    pub sign_count: u32,
    /// Whether copies of the key exist elsewhere now.
    pub backed_up: bool,
}

impl SignInResponse {
    /// The challenge that it says it is for, to look it up.
    pub fn challenge(&self) -> Result<String, WebauthnError> {
        client_data::challenge(&self.response.client_data)
    }

    /// The id of the passkey, to look it up.
    pub fn credential_id(&self) -> Result<Vec<u8>, WebauthnError> {
        let id = b64url_decode(&self.id).map_err(|_| WebauthnError::Malformed)?;
        match id.is_empty() || id.len() > MAX_CREDENTIAL_ID {
            true => Err(WebauthnError::Malformed),
            false => Ok(id),
        }
    }

    /// Checks everything.
    pub fn verify(
        &self,
        site: &RelyingParty,
        challenge: &str,
        known: Known<'_>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Used, WebauthnError> {
        let Self {
            id: _,
            kind,
            response,
        } = self;
        if kind != "public-key" {
            return Err(WebauthnError::Malformed);
        }
        // Step 6: whoever was not identified before says who they are.
        let handle = response.user_handle.as_deref().map(decode).transpose()?;
        if handle.as_deref() != Some(known.handle.as_bytes()) {
            return Err(WebauthnError::Credential);
        }
        let hash = client_data::check(site, "webauthn.get", challenge, &response.client_data)?;
        let bytes = decode(&response.authenticator_data)?;
        let data = AuthenticatorData::read(site, &bytes)?;
        if data.attested.is_some() || data.backup_eligible != known.backup_eligible {
            return Err(WebauthnError::Credential);
        }
        let key = Item::parse(known.public_key).map_err(|_| WebauthnError::Key)?;
        let key = key_from_item(key).map_err(|_| WebauthnError::Key)?;
        let signed = [bytes.as_slice(), &hash].concat();
        verify_signature(&key, &signed, &decode(&response.signature)?, crypto)?;
        // Step 22: who counts counts upwards.
        let counts = data.sign_count != 0 || known.sign_count != 0;
        if counts && data.sign_count <= known.sign_count {
            return Err(WebauthnError::Counter);
        }
        Ok(Used {
            sign_count: data.sign_count,
            backed_up: data.backed_up,
        })
    }
}

fn decode(text: &str) -> Result<Vec<u8>, WebauthnError> {
    if text.len() > MAX_MEMBER {
        return Err(WebauthnError::Malformed);
    }
    b64url_decode(text).map_err(|_| WebauthnError::Malformed)
}
