//! `client_metadata` of a request: how to encrypt the response and what the
//! verifier can read (OpenID4VP 1.0, sections 5.1, 8.3 and 11).

use serde_json::{Map, Value, json};
use vouchsafe_credentials::cose;
use vouchsafe_credentials::crypto::{Algorithm, PublicKey};
use vouchsafe_credentials::jwe::ContentEncryption;
use vouchsafe_credentials::jwks::{Jwk, JwkSet};

use super::dcql::{DcqlQuery, Format};

/// Most keys in `jwks`.
const MAX_KEYS: usize = 64;

/// The encryptions a verifier lists (HAIP 1.0, section 5: "MUST list both").
pub const ENCRYPTIONS: [ContentEncryption; 2] =
    [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];

/// What a wallet takes from `client_metadata`.
#[derive(Clone, Debug)]
pub struct ClientMetadata {
    /// How to encrypt the response; `None`: it is asked for without encryption.
    pub encryption: Option<Encryption>,
    /// Whether the verifier says that it reads `dc+sd-jwt`.
    pub reads_sd_jwt_vc: bool,
    /// `kb-jwt_alg_values`; `None`: no restriction.
    pub key_binding_algorithms: Option<Vec<String>>,
    /// Whether the verifier says that it reads `mso_mdoc`.
    pub reads_mdoc: bool,
    /// `deviceauth_alg_values`, numbers of COSE algorithms; `None`: no restriction.
    pub device_algorithms: Option<Vec<i64>>,
}

/// How to encrypt a response.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// The key to encrypt it to.
    pub key: PublicKey,
    /// `kid` of that key.
    pub kid: String,
    /// The content encryption to use.
    pub enc: ContentEncryption,
}

/// Why `client_metadata` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Missing, or a member has the wrong type.
    #[error("client_metadata is missing or malformed")]
    Malformed,
    /// No key set, a private key in it, a key without `kid`, twice the same `kid`, or too many keys.
    #[error("the keys in client_metadata are not distinguishable public keys")]
    Keys,
    /// No P-256 key with `alg` `ECDH-ES`.
    #[error("client_metadata has no usable encryption key")]
    NoKey,
    /// Neither `A256GCM` nor `A128GCM`.
    #[error("client_metadata allows no supported content encryption")]
    NoEncryption,
}

/// `kid` of an encryption key of ours: its thumbprint.
pub fn key_id(key: &PublicKey) -> String {
    key.thumbprint()
}

/// Writes `client_metadata` for a request: the key of the response, where it is to be encrypted, and
/// of the formats those that the request asks for.
pub(super) fn write(key: Option<&PublicKey>, query: &DcqlQuery) -> Value {
    let mut metadata = Map::new();
    if let Some(key) = key {
        metadata.insert("jwks".to_owned(), json!({ "keys": [jwk(key)] }));
        metadata.insert(
            "encrypted_response_enc_values_supported".to_owned(),
            ENCRYPTIONS.iter().map(|enc| enc.name()).collect(),
        );
    }
    metadata.insert("vp_formats_supported".to_owned(), formats(query));
    Value::Object(metadata)
}

fn jwk(key: &PublicKey) -> Value {
    let mut jwk = key.to_jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), Value::from(key_id(key)));
        members.insert("use".to_owned(), Value::from("enc"));
        // Section 8.3: "The `alg` parameter MUST be present in the JWKs."
        members.insert("alg".to_owned(), Value::from("ECDH-ES"));
    }
    jwk
}

fn formats(query: &DcqlQuery) -> Value {
    let mut formats = Map::new();
    for entry in query.credentials() {
        let algorithms = match entry.format() {
            // Appendix B.3.4.
            Format::SdJwtVc => {
                let names = Algorithm::ALL_NAMES;
                json!({ "sd-jwt_alg_values": names, "kb-jwt_alg_values": names })
            }
            // Appendix B.2.2.
            Format::MsoMdoc => {
                let numbers = cose::ALGORITHM_NUMBERS;
                json!({ "issuerauth_alg_values": numbers, "deviceauth_alg_values": numbers })
            }
            Format::Other(_) => continue,
        };
        formats.insert(entry.format().as_str().to_owned(), algorithms);
    }
    Value::Object(formats)
}

/// What a wallet says of itself when it fetches a request by POST (section 5.10, `wallet_metadata`).
pub(super) fn of_wallet(prefixes: &[&str], modes: &[&str]) -> Value {
    let names = Algorithm::ALL_NAMES;
    let numbers = cose::ALGORITHM_NUMBERS;
    json!({
        "response_types_supported": ["vp_token"],
        "response_modes_supported": modes,
        "client_id_prefixes_supported": prefixes,
        "request_object_signing_alg_values_supported": names,
        "vp_formats_supported": {
            "dc+sd-jwt": { "sd-jwt_alg_values": names, "kb-jwt_alg_values": ["ES256"] },
            "mso_mdoc": {
                "issuerauth_alg_values": numbers,
                "deviceauth_alg_values": [cose::algorithm_number(Algorithm::Es256)],
            },
        },
    })
}

impl ClientMetadata {
    /// Reads `client_metadata` of a request for an encrypted response, or for one that is not. Unknown
    /// members are ignored.
    pub fn parse(value: Option<&Value>, encrypted: bool) -> Result<Self, MetadataError> {
        let metadata = value
            .and_then(Value::as_object)
            .ok_or(MetadataError::Malformed)?;
        let encryption = encrypted.then(|| Encryption::read(metadata)).transpose()?;
        let formats = metadata
            .get("vp_formats_supported")
            .and_then(Value::as_object)
            .ok_or(MetadataError::Malformed)?;
        let (sd_jwt, mdoc) = (formats.get("dc+sd-jwt"), formats.get("mso_mdoc"));
        let key_binding_algorithms = sd_jwt
            .and_then(|format| format.get("kb-jwt_alg_values"))
            .map(strings)
            .transpose()?;
        // Appendix B.2.2: "a non-empty array containing cryptographic algorithm identifiers".
        let device_algorithms = mdoc
            .and_then(|format| format.get("deviceauth_alg_values"))
            .map(numbers)
            .transpose()?;
        Ok(ClientMetadata {
            encryption,
            reads_sd_jwt_vc: sd_jwt.is_some(),
            key_binding_algorithms,
            reads_mdoc: mdoc.is_some(),
            device_algorithms,
        })
    }

    /// Whether the verifier says that it reads a format that a wallet of ours holds.
    pub(super) fn reads(&self, format: &Format) -> bool {
        match format {
            Format::SdJwtVc => self.reads_sd_jwt_vc,
            Format::MsoMdoc => self.reads_mdoc,
            Format::Other(_) => false,
        }
    }
}

impl Encryption {
    fn read(metadata: &Map<String, Value>) -> Result<Self, MetadataError> {
        let (key, kid) = encryption_key(metadata)?;
        let enc = content_encryption(metadata)?;
        Ok(Self { key, kid, enc })
    }
}

fn encryption_key(metadata: &Map<String, Value>) -> Result<(PublicKey, String), MetadataError> {
    let jwks = metadata.get("jwks").ok_or(MetadataError::NoKey)?;
    let jwks = JwkSet::from_value(jwks).map_err(|_| MetadataError::Keys)?;
    if jwks.keys().len() > MAX_KEYS {
        return Err(MetadataError::Keys);
    }
    let mut seen: Vec<&str> = Vec::with_capacity(jwks.keys().len());
    let mut chosen = None;
    for jwk in jwks.keys() {
        // Section 5.1: "Each JWK in the set MUST have a `kid` (Key ID) parameter that
        // uniquely identifies the key".
        let kid = jwk.kid().ok_or(MetadataError::Keys)?;
        if kid.is_empty() || seen.contains(&kid) {
            return Err(MetadataError::Keys);
        }
        seen.push(kid);
        if chosen.is_none() && is_for_us(jwk) {
            chosen = jwk
                .public_key()
                .ok()
                .map(|key| (key.clone(), kid.to_owned()));
        }
    }
    chosen.ok_or(MetadataError::NoKey)
}

/// Section 8.3: `use` "is absent or has the value `enc`"; `alg` must be present.
fn is_for_us(jwk: &Jwk) -> bool {
    jwk.may("enc", &["deriveKey", "deriveBits"])
        && jwk.text("alg") == Some("ECDH-ES")
        && jwk.text("kty") == Some("EC")
        && jwk.text("crv") == Some("P-256")
}

fn content_encryption(metadata: &Map<String, Value>) -> Result<ContentEncryption, MetadataError> {
    let Some(listed) = metadata.get("encrypted_response_enc_values_supported") else {
        // Section 8.3: "allowing for the default value of `A128GCM` when not explicitly set".
        return Ok(ContentEncryption::A128Gcm);
    };
    let listed = strings(listed)?;
    // HAIP 1.0, section 5: "the Wallet SHOULD use `A256GCM`".
    [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm]
        .into_iter()
        .find(|enc| listed.iter().any(|name| name == enc.name()))
        .ok_or(MetadataError::NoEncryption)
}

/// A non-empty array of strings.
fn strings(value: &Value) -> Result<Vec<String>, MetadataError> {
    let list = value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or(MetadataError::Malformed)?;
    list.iter()
        .map(|entry| {
            entry
                .as_str()
                .map(str::to_owned)
                .ok_or(MetadataError::Malformed)
        })
        .collect()
}

/// A non-empty array of numbers.
fn numbers(value: &Value) -> Result<Vec<i64>, MetadataError> {
    let list = value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or(MetadataError::Malformed)?;
    list.iter()
        .map(|entry| entry.as_i64().ok_or(MetadataError::Malformed))
        .collect()
}
